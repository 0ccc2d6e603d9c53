import { BUY } from './book/book.ts';
import { findResting, fitHold, releaseAll, releaseUnits } from './cancel-order.ts';
import type { AmendOrder, RestingTime } from './commands.ts';
import type { Refused } from './events.ts';
import type { Taker } from './fills.ts';
import {
  type End,
  matchTaker,
  priceRefusal,
  requiredMicros,
  restingEnd,
  restTaker,
  shortOf,
  takesRestingOrders,
} from './incoming.ts';
import { KIND } from './ledger.ts';
import { timeOf, withTime } from './order-terms.ts';
import { isLife, isPrice, isSize } from './place-order.ts';
import { type Context, type ExchangeState, type Market, sideName, TOKENS_PER_UNIT } from './state.ts';
import { availableUsd } from './usd.ts';

/** A resting order and what it is to become. */
interface Change {
  readonly slot: number;
  readonly quantityUnits: number;
  /** What is left to fill of the new quantity. */
  readonly leftUnits: number;
  readonly priceTicks: number;
  readonly timeInForce: RestingTime;
  readonly expiresAtMs: number | null;
}

/**
 * Amends a resting order in one step: either all of it happens, or the order stays what it was. What makes it smaller or
 * only changes its life keeps its place; another price or a larger quantity makes it an incoming order again, with the
 * number and the fills it had.
 */
export function amendOrder(
  context: Context,
  command: AmendOrder,
): Refused | { order: number; instrument: number } {
  const { state } = context;
  const found = findResting(state, command);
  if (found === undefined) return { ok: false, code: missing(state, command.order) };
  const { market, slot } = found;
  const change = changeOf(market, slot, command);
  if (!isValid(context, market, { command, change })) return { ok: false, code: 'validation_failed' };
  if (!takesRestingOrders(market)) return { ok: false, code: 'market_not_open' };
  const { orders } = market.book;
  const { instrument } = market;
  const keepsPlace =
    change.priceTicks === orders.priceTicks[slot] && change.leftUnits <= orders.remaining[slot]!;
  if (keepsPlace) {
    shrink(context, market, change);
    return { order: command.order, instrument };
  }
  const refusal = reenter(context, market, change);
  return refusal ?? { order: command.order, instrument };
}

/** An order that was placed once and rests no more, or one that never was. */
function missing(state: ExchangeState, order: number): 'order_not_amendable' | 'order_not_found' {
  const isOver = order > 0 && order <= state.orderCounter && !state.orderMarket.has(order);
  return isOver ? 'order_not_amendable' : 'order_not_found';
}

function changeOf(market: Market, slot: number, command: AmendOrder): Change {
  const { orders } = market.book;
  const filled = orders.filledQuantity[slot]!;
  const timeInForce = command.timeInForce ?? timeOf(orders.flags[slot]!);
  const oldEnd = market.expiries.dueMsOf(command.order) ?? null;
  const keepsEnd = command.timeInForce === undefined && command.expiresAtMs === undefined;
  // Self-trade prevention may have taken units of the old quantity: without a new one, they stay taken.
  const leftUnits =
    command.quantityUnits === undefined ? orders.remaining[slot]! : command.quantityUnits - filled;
  return {
    slot,
    quantityUnits: command.quantityUnits ?? orders.quantity[slot]!,
    leftUnits,
    priceTicks: command.priceTicks ?? orders.priceTicks[slot]!,
    timeInForce,
    expiresAtMs: keepsEnd ? oldEnd : (command.expiresAtMs ?? null),
  };
}

function isValid(
  context: Context,
  market: Market,
  { command, change }: { command: AmendOrder; change: Change },
): boolean {
  const { quantityUnits, priceTicks, timeInForce, expiresAtMs } = command;
  const members = [quantityUnits, priceTicks, timeInForce, expiresAtMs];
  const changesLife = timeInForce !== undefined || expiresAtMs !== undefined;
  return (
    members.some((member) => member !== undefined) &&
    (quantityUnits === undefined || isSize(market, quantityUnits)) &&
    change.leftUnits > 0 &&
    isPrice(change.priceTicks) &&
    TIMES.has(change.timeInForce) &&
    (!changesLife || isLife(context, change.timeInForce, change.expiresAtMs))
  );
}

const TIMES: ReadonlySet<string> = new Set(['gtc', 'gtd', 'day']);

/** Makes the order smaller where it stands, or only changes its life. */
function shrink(context: Context, market: Market, change: Change): void {
  const { book, instrument } = market;
  const { slot, leftUnits } = change;
  const { orders } = book;
  const less = orders.remaining[slot]! - leftUnits;
  if (less > 0) {
    book.shrink(slot, leftUnits);
    if (book.sideOf(slot) === BUY) fitHold(context, market, slot);
    else releaseUnits(context, market, slot, less);
    context.touchLevel(instrument, book.sideOf(slot), orders.priceTicks[slot]!);
  }
  orders.quantity[slot] = change.quantityUnits;
  orders.flags[slot] = withTime(orders.flags[slot]!, change.timeInForce);
  const order = orders.orderSeq[slot]!;
  if (change.expiresAtMs === null) market.expiries.delete(order);
  else market.expiries.set(order, change.expiresAtMs);
  const isPartial = orders.filledQuantity[slot]! > 0;
  const end: End = { status: isPartial ? 'partially_filled' : 'active', reason: null };
  emitAmended(context, takerOf(market, change), { market, change, end });
}

/** Takes the order out of the book and lets it come in again, after everything that could refuse it was asked. */
function reenter(context: Context, market: Market, change: Change): Refused | undefined {
  const { book, instrument } = market;
  const { slot } = change;
  const taker = takerOf(market, change);
  const refused = priceRefusal(context, market, taker);
  if (refused !== undefined) return { ok: false, code: refused };
  const short = shortfall(context, market, { taker, slot });
  if (short !== undefined) return short;
  context.touchLevel(instrument, taker.side, book.orders.priceTicks[slot]!);
  releaseAll(context, market, slot);
  book.unlink(slot);
  book.freeSlot(slot);
  market.expiries.delete(taker.order);
  const isMatched = market.state !== 'auction';
  if (isMatched) matchTaker(context, market, taker);
  else book.incomingPrevented = false;
  const end = restingEnd(market, taker);
  emitAmended(context, taker, { market, change, end });
  if (end.reason === null) restTaker(context, market, taker);
  else forget(context, market, taker);
  return undefined;
}

/** The resting order as an incoming one: its number, its fills so far, its terms with the new life. */
function takerOf(market: Market, change: Change): Taker {
  const { orders } = market.book;
  const { slot } = change;
  return {
    order: orders.orderSeq[slot]!,
    account: orders.account[slot]!,
    side: market.book.sideOf(slot),
    limitTicks: change.priceTicks,
    // The side is no term: whoever rests the order gives it again.
    flags: withTime(orders.flags[slot]!, change.timeInForce) & ~1,
    expiresAtMs: change.expiresAtMs,
    quantityUnits: change.quantityUnits,
    budgetMicros: 0,
    leftUnits: change.leftUnits,
    filledUnits: orders.filledQuantity[slot]!,
    filledValueMicros: orders.filledValueMicros[slot]!,
    feeMicros: orders.feeMicros[slot]!,
  };
}

/** What the order holds counts as available to it. Gives a buy what it may spend. */
function shortfall(
  context: Context,
  market: Market,
  { taker, slot }: { taker: Taker; slot: number },
): Refused | undefined {
  const { ledger } = context.state;
  const { orders } = market.book;
  const { account, side, leftUnits } = taker;
  if (side === BUY) {
    taker.budgetMicros = requiredMicros(market, leftUnits, taker.limitTicks);
    return shortOf(side, taker.budgetMicros, availableUsd(ledger, account) + orders.heldMicros(slot));
  }
  const free = ledger.balance(KIND.trading, account, market.instrument);
  const available = free + orders.remaining[slot]! * TOKENS_PER_UNIT;
  return shortOf(side, leftUnits * TOKENS_PER_UNIT, available);
}

/** Ends an order that came in again and does not rest any more. */
function forget(context: Context, market: Market, taker: Taker): void {
  const { state } = context;
  state.position(taker.account, market.instrument).openOrders.delete(taker.order);
  state.orderMarket.delete(taker.order);
}

function emitAmended(
  context: Context,
  taker: Taker,
  { market, change, end }: { market: Market; change: Change; end: End },
): void {
  const { quantityUnits, priceTicks, timeInForce, expiresAtMs } = change;
  context.emit({
    type: 'order',
    order: taker.order,
    account: taker.account,
    instrument: market.instrument,
    side: sideName(taker.side),
    status: end.status,
    reason: end.reason,
    filledUnits: taker.filledUnits,
    remainingUnits: taker.leftUnits,
    filledValueMicros: taker.filledValueMicros,
    feeMicros: taker.feeMicros,
    amended: { quantityUnits, priceTicks, timeInForce, expiresAtMs },
  });
}
