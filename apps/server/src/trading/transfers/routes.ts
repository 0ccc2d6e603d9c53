import { formatIso } from '@opengrid/wire';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import { type AccountOwner, accountIdOf } from '../accounts/account-ids.ts';
import type { TradingCall, TradingRoute } from '../http/route.ts';
import { instrumentField, wordField, words } from '../list/fields.ts';
import { type ListSpec, listPage } from '../list/list-page.ts';
import { type BackDeps, backRoute } from './back.ts';
import { type TransferDeps, toConsumptionRoute } from './to-consumption.ts';

interface TransferRow {
  readonly transfer_id: string;
  readonly instrument_no: number;
  readonly direction: string;
  readonly origin: string;
  readonly quantity_units: number;
  readonly transferred_at_ms: number;
}

/** Moving units between trading and consumption, and what was moved. */
export function transferRoutes(deps: BackDeps): TradingRoute[] {
  const spec = transferList(deps.instruments);
  return [
    toConsumptionRoute(deps),
    backRoute(deps),
    {
      method: 'GET',
      path: '/transfer-histories',
      scope: 'trade:read',
      consumptionKeys: 'allowed',
      rate: 'read',
      handle: (call) =>
        listPage<TransferRow>(deps.database, spec, {
          accountNumber: call.caller.accountNumber,
          query: call.query,
          shape: (row) => historyShape(row, deps, call),
        }),
    },
  ];
}

const DIRECTIONS = words('issuance_to_trading', 'trading_to_consumption', 'consumption_to_trading');

function transferList(instruments: InstrumentCatalogue): ListSpec {
  return {
    name: 'transfers',
    // One command can move units several times: each of its fills is a transfer.
    source: `select t.*, command_seq * 4096 + row_number() over (partition by command_seq order by transfer_id) as tie
             from transfers t where account_number = $1`,
    fields: {
      market_id: instrumentField(instruments, 'instrument_no'),
      instrument_id: instrumentField(instruments, 'instrument_no'),
      direction: wordField('direction', DIRECTIONS),
    },
    sorts: { transferred_at: 'transferred_at_ms' },
    direction: 'desc',
    tie: 'tie',
    maxLimit: 100,
  };
}

function accountIn(direction: 'from' | 'to', row: TransferRow): 'issuance' | 'trading' | 'consumption' {
  const [from, to] = row.direction.split('_to_');
  const word = direction === 'from' ? from : to;
  return word === 'issuance' || word === 'consumption' ? word : 'trading';
}

function historyShape(row: TransferRow, deps: TransferDeps, call: TradingCall): Record<string, unknown> {
  const instrument = deps.instruments.byNumber(row.instrument_no);
  const owner: AccountOwner | undefined = deps.accounts.byNumber(call.caller.accountNumber);
  if (instrument === undefined || owner === undefined)
    throw new Error('a transfer names an instrument and an account that exist');
  const at = formatIso(row.transferred_at_ms);
  const [from, to] = [accountIn('from', row), accountIn('to', row)];
  return {
    id: row.transfer_id,
    transfer_id: row.transfer_id,
    market_id: instrument.marketId,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    sender_account_id: accountIdOf(`${from}_account`, owner, row.instrument_no),
    account_id: accountIdOf(`${to}_account`, owner, row.instrument_no),
    from_account_type: from,
    to_account_type: to,
    direction: row.direction,
    quantity: row.quantity_units,
    status: 'completed',
    origin: row.origin,
    transferred_at: at,
    completed_at: at,
    inserted_at: at,
    updated_at: at,
  };
}
