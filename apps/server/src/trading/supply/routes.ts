import { KIND, TOKENS_PER_UNIT } from '@opengrid/exchange';
import { formatIso, formatMoneyMicros } from '@opengrid/wire';
import { z } from 'zod';
import type { Instrument } from '../../ports/catalogue.ts';
import type { AccountProfile } from '../../ports/identity.ts';
import { accountIdOf } from '../accounts/account-ids.ts';
import { filterRows } from '../accounts/account-rows.ts';
import { unitDigits } from '../accounts/account-shapes.ts';
import { readBalances } from '../accounts/balances.ts';
import type { AccountDeps } from '../accounts/deps.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import {
  fail,
  invalidField,
  ok,
  parseBody,
  type TradingAnswer,
  type TradingCall,
  type TradingRoute,
} from '../http/route.ts';
import { instrumentField, wordField, words } from '../list/fields.ts';
import { type ListSpec, listPage } from '../list/list-page.ts';
import { TRANSFER } from '../transfers/to-consumption.ts';
import { type Liability, readLiabilities } from './liability.ts';
import { retireRoute } from './retire.ts';
import { INSTRUMENT_FIELD, marketOf, READ, standing, WRITE } from './standing.ts';
import { summaryRoute } from './summary.ts';

interface IssuanceRow {
  readonly issuance_id: string;
  readonly instrument_no: number;
  readonly unit_from: number;
  readonly unit_to: number;
  readonly issued_at_ms: number;
  readonly status: string;
}

const ISSUANCE_ACCOUNT_FIELDS: ReadonlySet<string> = new Set([
  'account_id',
  'issuance_account_id',
  'instrument_id',
  'status',
]);

/** Body of a transfer out of issuance. The account is the caller's own one of the instrument, named or not. */
const TRANSFER_ISSUED = TRANSFER.extend({ trading_account_id: z.string().max(64).nullish() });

/** Routes of suppliers: issuing units, moving them to trading, and what is owed. */
export function supplyRoutes(deps: AccountDeps): TradingRoute[] {
  const spec = issuanceList(deps);
  return [
    {
      ...WRITE,
      path: '/supply-issuances',
      body: TRANSFER,
      handle: (call) => issue(deps, call),
      replay: (call, recorded) => replayIssue(deps, call, recorded),
    },
    {
      ...READ,
      path: '/supply-issuances',
      handle: async (call) => {
        const owner = standing(deps, call);
        return listPage<IssuanceRow>(deps.database, spec, {
          accountNumber: call.caller.accountNumber,
          query: call.query,
          shape: (row) => issuanceShape(deps, owner, row),
        });
      },
    },
    summaryRoute(deps),
    retireRoute(deps),
    { ...READ, path: '/issuance-accounts', handle: (call) => issuanceAccounts(deps, call) },
    {
      ...WRITE,
      path: '/issuance-accounts/transfer',
      body: TRANSFER_ISSUED,
      handle: (call) => transferIssued(deps, call),
      replay: (call, recorded) => replayTransferIssued(deps, call, recorded),
    },
    { ...READ, path: '/supplier-liability', handle: (call) => liabilities(deps, call) },
    { ...READ, path: '/supplier-liability/:instrument_id', handle: (call) => liability(deps, call) },
  ];
}

/** An issuance is retired when all of its units are. */
const ISSUANCES = `
  select i.*, case when (select coalesce(sum(r.unit_to - r.unit_from + 1), 0) from retirements r
      where r.instrument_no = i.instrument_no and r.unit_from >= i.unit_from and r.unit_to <= i.unit_to)
    = i.unit_to - i.unit_from + 1 then 'retired' else 'issued' end as status
  from issuances i`;

function issuanceList({ instruments }: AccountDeps): ListSpec {
  return {
    name: 'issuances',
    source: `${ISSUANCES} where account_number = $1`,
    fields: {
      instrument_id: instrumentField(instruments, 'instrument_no'),
      status: wordField('status', words('issued', 'retired')),
    },
    sorts: { issued_at: 'issued_at_ms' },
    direction: 'desc',
    // Serial numbers are below 2^34, so the two together are one number per issuance.
    tie: '(instrument_no::bigint * 17179869184 + unit_from)',
    maxLimit: 100,
  };
}

function issuanceShape(
  { instruments }: AccountDeps,
  owner: AccountProfile,
  row: IssuanceRow,
): Record<string, unknown> {
  const instrument = instruments.byNumber(row.instrument_no)!;
  const at = formatIso(row.issued_at_ms);
  return {
    id: row.issuance_id,
    issuance_id: row.issuance_id,
    issuance_account_id: accountIdOf('issuance_account', owner, row.instrument_no),
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    quantity: row.unit_to - row.unit_from + 1,
    unit_from: row.unit_from,
    unit_to: row.unit_to,
    spec_version: instrument.specVersion,
    status: row.status,
    issued_at: at,
    created_at: at,
  };
}

async function issue(deps: AccountDeps, call: TradingCall): Promise<TradingAnswer> {
  const owner = standing(deps, call);
  const { instrument_id: reference, quantity } = parseBody(TRANSFER, call.body);
  const instrument = marketOf(deps, reference);
  const { instrumentNo } = instrument;
  const { accountNumber: account } = call.caller;
  const command = { kind: 'issue', account, instrument: instrumentNo, quantityUnits: quantity } as const;
  const result = await submit(deps.sequencer, call, { command });
  // The quantity is the only thing in it that the exchange may find too much.
  if (!result.ok && result.code === 'validation_failed')
    throw invalidField('quantity', 'is more than may be issued of one instrument');
  if (!result.ok) throw refusal(result, instrument);
  const event = result.outcome.events.find((one) => one.type === 'issued');
  if (event?.type !== 'issued') throw new Error('an issue has an event');
  const data = issuanceShape(deps, owner, {
    issuance_id: result.issuanceId ?? '',
    instrument_no: instrumentNo,
    unit_from: event.unitFrom,
    unit_to: event.unitTo,
    issued_at_ms: result.atMs,
    status: 'issued',
  });
  return { status: 201, body: { data }, recorded: recordedOf(result) };
}

async function replayIssue(
  deps: AccountDeps,
  call: TradingCall,
  recorded: RecordedCommand,
): Promise<TradingAnswer> {
  const { rows } = await deps.database.query<IssuanceRow>({
    text: `${ISSUANCES} where issuance_id = $1 and account_number = $2`,
    values: [recorded.objectId, call.caller.accountNumber],
  });
  if (rows[0] === undefined) throw fail('outcome_unknown');
  return { status: 201, body: { data: issuanceShape(deps, standing(deps, call), rows[0]) } };
}

async function transferIssued(deps: AccountDeps, call: TradingCall): Promise<TradingAnswer> {
  const owner = standing(deps, call);
  const body = parseBody(TRANSFER_ISSUED, call.body);
  const { quantity } = body;
  const instrument = marketOf(deps, body.instrument_id);
  const own = accountIdOf('trading_account', owner, instrument.instrumentNo);
  if ((body.trading_account_id ?? own) !== own) throw fail('account_not_found');
  const { accountNumber: account } = call.caller;
  const quantities = { account, instrument: instrument.instrumentNo, quantityUnits: quantity };
  const result = await submit(deps.sequencer, call, { command: { kind: 'transfer_issued', ...quantities } });
  if (!result.ok) throw refusal(result, instrument);
  const answer = transferAnswer(owner, instrument, { id: result.transferId ?? '', quantity });
  return { ...answer, recorded: recordedOf(result) };
}

async function replayTransferIssued(
  deps: AccountDeps,
  call: TradingCall,
  recorded: RecordedCommand,
): Promise<TradingAnswer> {
  const { rows } = await deps.database.query<{ no: number; quantity: number }>({
    text: `select instrument_no as no, quantity_units as quantity from transfers
           where transfer_id = $1 and account_number = $2`,
    values: [recorded.objectId, call.caller.accountNumber],
  });
  const instrument = deps.instruments.byNumber(rows[0]?.no ?? 0);
  if (rows[0] === undefined || instrument === undefined) throw fail('outcome_unknown');
  const made = { id: recorded.objectId ?? '', quantity: rows[0].quantity };
  return transferAnswer(standing(deps, call), instrument, made);
}

function transferAnswer(
  owner: AccountProfile,
  instrument: Instrument,
  { id, quantity }: { id: string; quantity: number },
): TradingAnswer {
  const data = {
    status: 'accepted',
    message: 'The units are in the trading account.',
    transfer_id: id,
    id,
    trading_account_id: accountIdOf('trading_account', owner, instrument.instrumentNo),
    instrument_id: instrument.instrumentId,
    quantity,
  };
  return { status: 202, body: { data } };
}

interface IssuedRow {
  readonly no: number;
  readonly issued: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

async function issuanceAccounts(deps: AccountDeps, call: TradingCall): Promise<TradingAnswer> {
  const owner = standing(deps, call);
  const { accountNumber } = call.caller;
  const { units } = await readBalances(deps.database, accountNumber);
  const issued = await deps.database.query<IssuedRow>({
    text: `select instrument_no as no, sum(unit_to - unit_from + 1) as issued, count(*) as count,
             min(issued_at_ms) as first, max(issued_at_ms) as last from issuances where account_number = $1 group by 1`,
    values: [accountNumber],
  });
  const moved = await deps.database.query<{ no: number; units: number; count: number; last: number }>({
    text: `select instrument_no as no, sum(quantity_units) as units, count(*) as count,
             max(transferred_at_ms) as last from transfers
           where account_number = $1 and direction = 'issuance_to_trading' group by 1`,
    values: [accountNumber],
  });
  const rows = issued.rows.map((row) => {
    const transferred = moved.rows.find(({ no }) => no === row.no);
    const available = units.find(({ instrumentNo }) => instrumentNo === row.no)?.issuanceTokens ?? 0;
    return issuanceAccountShape(deps, owner, { row, transferred, available });
  });
  return filterRows(deps.instruments, call.query, {
    name: 'issuance accounts',
    fields: ISSUANCE_ACCOUNT_FIELDS,
    rows,
  });
}

function issuanceAccountShape(
  { instruments }: AccountDeps,
  owner: AccountProfile,
  facts: {
    row: IssuedRow;
    transferred: { units: number; count: number; last: number } | undefined;
    available: number;
  },
): Record<string, unknown> {
  const { row, transferred, available } = facts;
  const instrument = instruments.byNumber(row.no)!;
  const id = accountIdOf('issuance_account', owner, row.no);
  return {
    account_id: id,
    issuance_account_id: id,
    id,
    user_id: owner.userId,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    status: 'active',
    total_issued: String(row.issued),
    total_transferred: String(transferred?.units ?? 0),
    available_balance: unitDigits(available),
    total_balance: Math.floor(available / TOKENS_PER_UNIT),
    total_deposits: row.issued,
    total_transferred_to_trading: transferred?.units ?? 0,
    total_transfers: transferred?.count ?? 0,
    last_deposit_at: formatIso(row.last),
    last_transfer_at: transferred === undefined ? null : formatIso(transferred.last),
    created_at: formatIso(row.first),
    updated_at: formatIso(Math.max(row.last, transferred?.last ?? 0)),
  };
}

async function liabilityRows(deps: AccountDeps, call: TradingCall): Promise<Record<string, unknown>[]> {
  standing(deps, call);
  const { accountNumber } = call.caller;
  const { collateralMicros, rows } = await readLiabilities(deps.database, accountNumber, KIND.collateral);
  return rows.map((row) => liabilityShape(deps, row, collateralMicros));
}

/** Units with six digits. */
function unitDecimal(tokens: number): string {
  return formatMoneyMicros(tokens);
}

function liabilityShape(
  { instruments }: AccountDeps,
  row: Liability,
  collateralMicros: number,
): Record<string, unknown> {
  const instrument = instruments.byNumber(row.instrumentNo)!;
  return {
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    total_liability: unitDecimal(row.soldTokens),
    fulfilled: unitDecimal(row.deliveredTokens),
    outstanding: unitDecimal(row.outstandingTokens),
    escrowed_usd: formatMoneyMicros(row.escrowedMicros),
    released_usd: formatMoneyMicros(row.releasedMicros),
    collateral_usd: formatMoneyMicros(collateralMicros),
  };
}

async function liabilities(deps: AccountDeps, call: TradingCall): Promise<TradingAnswer> {
  const rows = await liabilityRows(deps, call);
  return filterRows(deps.instruments, call.query, { name: 'liabilities', fields: INSTRUMENT_FIELD, rows });
}

async function liability(deps: AccountDeps, call: TradingCall): Promise<TradingAnswer> {
  const rows = await liabilityRows(deps, call);
  const instrument = marketOf(deps, call.params.instrument_id ?? '');
  const nothing = { instrumentNo: instrument.instrumentNo, soldTokens: 0, deliveredTokens: 0 };
  const none = { ...nothing, outstandingTokens: 0, escrowedMicros: 0, releasedMicros: 0 };
  const row = rows.find(({ instrument_id: id }) => id === instrument.instrumentId);
  return ok(row ?? liabilityShape(deps, none, 0));
}
