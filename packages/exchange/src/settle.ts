import type { LotRange, Settle } from './commands.ts';
import { paySubstitute, releaseEscrow, substituteCapTicks } from './escrow.ts';
import type { Refused } from './events.ts';
import { closeLot, drawRange, emitLot, isFree } from './holdings.ts';
import { isNonNegativeInteger } from './integers.ts';
import { KIND } from './ledger.ts';
import { type Context, type Lot, NO_RANGE, TOKENS_PER_UNIT } from './state.ts';

/**
 * Turns the consumed part of a hold into draws: every token from exactly one lot, once. Releases escrow and pays whoever
 * served. A settlement without draws only numbers the receipt.
 */
export function settle(context: Context, command: Settle): Refused | undefined {
  const refusal = checkDraws(context, command);
  if (refusal !== undefined) return refusal;
  const { state } = context;
  let tokens = 0;
  for (const range of command.draws) {
    draw(context, command, range);
    tokens += range.to - range.from;
  }
  const holder = state.accounts.get(command.account)!;
  holder.receipts += 1;
  const { account, instrument } = command;
  context.emit({ type: 'settled', account, instrument, receipt: holder.receipts, tokens });
  return undefined;
}

function checkDraws(context: Context, command: Settle): Refused | undefined {
  const { state } = context;
  const price = command.substitutePriceTicks ?? null;
  const isServed = command.draws.length === 0 || state.accounts.has(command.servedBy);
  if (!isServed || !(price === null || isNonNegativeInteger(price))) {
    return { ok: false, code: 'validation_failed' };
  }
  const ordered = [...command.draws].sort((a, b) => a.lot - b.lot || a.from - b.from);
  for (const [index, range] of ordered.entries()) {
    const lot = state.lots.get(range.lot);
    const isOwn = lot?.account === command.account && lot.instrument === command.instrument;
    const previous = ordered[index - 1];
    const overlaps = previous !== undefined && previous.lot === range.lot && previous.to > range.from;
    if (lot === undefined || !isOwn || overlaps || !isFree(lot, range.from, range.to)) {
      return { ok: false, code: 'lot_not_available' };
    }
  }
  return undefined;
}

function draw(context: Context, command: Settle, range: LotRange): void {
  const { state } = context;
  const lot = state.lots.get(range.lot)!;
  const tokens = range.to - range.from;
  const owner = { account: command.account, instrument: command.instrument };
  drawRange(lot, range.from, range.to);
  state.ledger.post(KIND.consumption, owner, -tokens);
  state.ledger.post(KIND.consumed, { instrument: command.instrument }, tokens);
  const paid = payDelivery(context, command, lot, tokens);
  context.emit({
    type: 'draw',
    lot: lot.lot,
    trade: lot.trade,
    issuer: lot.issuer,
    unitFrom: lot.unitFrom + Math.floor(range.from / TOKENS_PER_UNIT),
    unitTo: lot.unitFrom + Math.floor((range.to - 1) / TOKENS_PER_UNIT),
    tokens,
    priceTicks: lot.priceTicks,
    ...paid,
  });
  const isDone = lot.tokensRemaining === 0;
  if (isDone) closeLot(context, lot);
  emitLot(context, lot, isDone ? 'exhausted' : 'open');
}

function payDelivery(
  context: Context,
  command: Settle,
  lot: Lot,
  tokens: number,
): { releasedMicros: number; paidMicros: number } {
  const { state } = context;
  if (lot.range === NO_RANGE) return { releasedMicros: 0, paidMicros: 0 };
  const range = state.ranges.get(lot.range)!;
  const releasedMicros = releaseEscrow(context, range, tokens);
  const hasFailed = command.failedObligors?.includes(lot.issuer) ?? false;
  if (command.servedBy === lot.issuer || !hasFailed) {
    state.ledger.post(KIND.userProceeds, { account: command.servedBy }, releasedMicros);
    return { releasedMicros, paidMicros: releasedMicros };
  }
  const vwapTicks = state.market(command.instrument).window.vwap24hTicks(context.atMs);
  const paidMicros = paySubstitute(context, {
    range,
    substitute: command.servedBy,
    tokens,
    sliceMicros: releasedMicros,
    priceTicks: command.substitutePriceTicks ?? vwapTicks,
    capTicks: substituteCapTicks(vwapTicks),
  });
  return { releasedMicros, paidMicros };
}
