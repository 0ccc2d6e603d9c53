import { type LotUnits, TOKENS_PER_UNIT } from '@opengrid/exchange';
import { z } from 'zod';
import type { Instrument } from '../../ports/catalogue.ts';
import type { Committed, Sequencer } from '../../sequencer/types.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { insufficientUnits, recordedOf, refusal, submit } from '../engine.ts';
import { QUANTITY, REFERENCE } from '../http/fields.ts';
import { fail, parseBody, type TradingAnswer, type TradingCall, type TradingRoute } from '../http/route.ts';
import type { TradingSettings } from '../settings.ts';
import { instrumentOf, type TransferDeps, transferAnswer } from './to-consumption.ts';

export interface BackDeps extends TransferDeps {
  readonly settings: TradingSettings;
}

/** Body of a transfer back. Unknown members are ignored. */
const TRANSFER_BACK = z.object({
  instrument_id: REFERENCE,
  quantity: QUANTITY,
  lot_id: z
    .string()
    .regex(/^lot_[0-9a-z]{26}$/)
    .nullish(),
});

const RETRY_MS = 200;

interface Move {
  readonly instrument: Instrument;
  readonly quantity: number;
  readonly lotId: string | null;
}

/** Moving whole, unopened units back from consumption to trading. */
export function backRoute(deps: BackDeps): TradingRoute {
  return {
    method: 'POST',
    path: '/transfers/consumption-to-trading',
    scope: 'account:write',
    consumptionKeys: 'refused',
    rate: 'read',
    keep: 'transfers',
    body: TRANSFER_BACK,
    handle: (call) => transferBack(deps, call),
    replay: (call, recorded) => replayBack(deps, call, recorded),
  };
}

async function transferBack(deps: BackDeps, call: TradingCall): Promise<TradingAnswer> {
  if (call.caller.mode === 'easy') throw fail('auto_mode_trading_restricted');
  const body = parseBody(TRANSFER_BACK, call.body);
  const instrument = instrumentOf(deps, body.instrument_id);
  if (!deps.settings.isTransferBackOn) throw fail('transfer_not_allowed');
  const lotId = body.lot_id ?? null;
  return move(deps, call, { instrument, quantity: body.quantity, lotId });
}

async function move(deps: BackDeps, call: TradingCall, request: Move): Promise<TradingAnswer> {
  const { instrument, quantity, lotId } = request;
  const { instrumentNo } = instrument;
  const owner = { account: call.caller.accountNumber, instrument: instrumentNo };
  const { earmarks } = deps.sequencer;
  const lot = lotId === null ? undefined : await lotNumber(deps, owner, lotId);
  const reserved = earmarks.reserveUnits(owner, quantity, lot);
  if (reserved === undefined) throw tooFew(deps, owner, request);
  let result: Awaited<ReturnType<typeof submit>>;
  try {
    const command = { kind: 'transfer_to_trading', ...owner, runs: reserved.runs } as const;
    result = await submit(deps.sequencer, call, { command });
  } catch (error) {
    giveBackOnceKnown(deps.sequencer, () => earmarks.giveBack(owner, reserved.ranges));
    throw error;
  }
  if (!result.ok) {
    earmarks.giveBack(owner, reserved.ranges);
    throw refusal(result, instrument);
  }
  earmarks.spent(owner, reserved.ranges);
  return {
    ...(await answerOf(deps, request, { result, runs: reserved.runs })),
    recorded: recordedOf(result),
  };
}

/** While the engine finds out what became of a command, its units may be gone: they stay set aside until it knows. */
function giveBackOnceKnown(sequencer: Sequencer, giveBack: () => void): void {
  if (sequencer.status.isLeading) giveBack();
  else setTimeout(() => giveBackOnceKnown(sequencer, giveBack), RETRY_MS).unref();
}

async function answerOf(
  deps: BackDeps,
  { instrument, quantity }: Move,
  { result, runs }: { result: Pick<Committed, 'transferId'>; runs: readonly LotUnits[] },
): Promise<TradingAnswer> {
  const lotIds = await idsOf(deps, runs);
  return transferAnswer(instrument, { transferId: result.transferId ?? '', lotIds, quantityUnits: quantity });
}

/** Too few tokens at all, or enough of which some are opened or in use. */
function tooFew(
  { sequencer }: BackDeps,
  { account, instrument: no }: { account: number; instrument: number },
  { instrument, quantity }: Move,
): Error {
  const { earmarks } = sequencer;
  const tokens = earmarks.freeTokens(account, no) + earmarks.heldTokens(account, no);
  if (tokens >= quantity * TOKENS_PER_UNIT) return fail('transfer_not_allowed');
  return insufficientUnits(instrument, { required: quantity * TOKENS_PER_UNIT, available: tokens });
}

async function lotNumber(
  { database }: BackDeps,
  owner: { account: number; instrument: number },
  lotId: string,
): Promise<number> {
  const { rows } = await database.query<{ lot: number }>({
    text: 'select lot_seq as lot from lots where lot_id = $1 and account_number = $2 and instrument_no = $3',
    values: [lotId, owner.account, owner.instrument],
  });
  if (rows[0] === undefined) throw fail('transfer_not_allowed');
  return rows[0].lot;
}

async function idsOf({ database }: BackDeps, runs: readonly LotUnits[]): Promise<string[]> {
  const { rows } = await database.query<{ lot: number; id: string }>({
    text: 'select lot_seq as lot, lot_id as id from lots where lot_seq = any($1::bigint[])',
    values: [runs.map(({ lot }) => lot)],
  });
  const ids = new Map(rows.map(({ lot, id }) => [lot, id]));
  return runs.map(({ lot }) => ids.get(lot) ?? '');
}

/** A copy of a transfer back: what its command moved, as the journal has it. */
async function replayBack(
  deps: BackDeps,
  call: TradingCall,
  recorded: RecordedCommand,
): Promise<TradingAnswer> {
  const { rows } = await deps.database.query<{ quantity: number; no: number; runs: LotUnits[] }>({
    text: `select t.quantity_units as quantity, t.instrument_no as no, j.body -> 'runs' as runs
           from transfers t join journal j on j.seq = t.command_seq
           where t.transfer_id = $1 and t.account_number = $2`,
    values: [recorded.objectId, call.caller.accountNumber],
  });
  const instrument = deps.instruments.byNumber(rows[0]?.no ?? 0);
  if (rows[0] === undefined || instrument === undefined) throw fail('outcome_unknown');
  const { quantity, runs } = rows[0];
  const result = recorded.objectId === null ? {} : { transferId: recorded.objectId };
  return answerOf(deps, { instrument, quantity, lotId: null }, { result, runs });
}
