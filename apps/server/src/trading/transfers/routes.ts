import { formatIso } from '@opengrid/wire';
import { z } from 'zod';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory } from '../../ports/identity.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';
import { type AccountOwner, accountIdOf } from '../accounts/account-ids.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import { QUANTITY, REFERENCE } from '../http/fields.ts';
import { fail, parseBody, type TradingAnswer, type TradingCall, type TradingRoute } from '../http/route.ts';
import { instrumentField, wordField, words } from '../list/fields.ts';
import { type ListSpec, listPage } from '../list/list-page.ts';

export interface TransferDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly accounts: AccountDirectory;
}

/** Body of a transfer. Unknown members are ignored. */
export const TRANSFER = z.object({ instrument_id: REFERENCE, quantity: QUANTITY });

interface TransferRow {
  readonly transfer_id: string;
  readonly instrument_no: number;
  readonly direction: string;
  readonly origin: string;
  readonly quantity_units: number;
  readonly transferred_at_ms: number;
}

/** Moving units from trading to consumption, and what was moved. */
export function transferRoutes(deps: TransferDeps): TradingRoute[] {
  const spec = transferList(deps.instruments);
  return [
    {
      method: 'POST',
      path: '/transfers/trading-to-consumption',
      scope: 'account:write',
      consumptionKeys: 'refused',
      rate: 'read',
      body: TRANSFER,
      handle: (call) => transfer(deps, call),
      replay: (call, recorded) => replayTransfer(deps, call, recorded),
    },
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

async function transfer(deps: TransferDeps, call: TradingCall): Promise<TradingAnswer> {
  const body = parseBody(TRANSFER, call.body);
  const instrument = deps.instruments.find(body.instrument_id);
  if (instrument === undefined || deps.sequencer.exchange.rulesOf(instrument.instrumentNo) === undefined)
    throw fail('instrument_not_found');
  const result = await submit(deps.sequencer, call, {
    command: {
      kind: 'transfer_to_consumption',
      account: call.caller.accountNumber,
      instrument: instrument.instrumentNo,
      quantityUnits: body.quantity,
    },
  });
  if (!result.ok) throw refusal(result, instrument);
  const { transferId = '', lotIds = [] } = result;
  const answer = transferAnswer(instrument, { transferId, lotIds, quantityUnits: body.quantity });
  return { ...answer, recorded: recordedOf(result) };
}

/** Existing clients read the fields at the top level. */
function transferAnswer(
  instrument: Instrument,
  made: { transferId: string; lotIds: readonly string[]; quantityUnits: number },
): TradingAnswer {
  const head = { status: 'success', transfer_id: made.transferId };
  const details = { instrument_id: instrument.instrumentId, quantity: made.quantityUnits, lots: made.lotIds };
  return { status: 200, body: { ...head, data: { ...head, ...details } } };
}

async function replayTransfer(
  { database, instruments }: TransferDeps,
  call: TradingCall,
  recorded: RecordedCommand,
): Promise<TradingAnswer> {
  const { accountNumber } = call.caller;
  const { rows } = await database.query<TransferRow>({
    text: 'select * from transfers where transfer_id = $1 and account_number = $2',
    values: [recorded.objectId, accountNumber],
  });
  const row = rows[0];
  const instrument = row === undefined ? undefined : instruments.byNumber(row.instrument_no);
  if (row === undefined || instrument === undefined) throw fail('outcome_unknown');
  const lots = await database.query<{ lot_id: string }>({
    text: `select lot_id from lots where account_number = $1 and instrument_no = $2 and deposited_at_ms = $3
           order by lot_seq`,
    values: [accountNumber, row.instrument_no, row.transferred_at_ms],
  });
  const lotIds = lots.rows.map(({ lot_id: id }) => id);
  return transferAnswer(instrument, {
    transferId: row.transfer_id,
    lotIds,
    quantityUnits: row.quantity_units,
  });
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
