import { BUY, SELL } from './book/book.ts';
import type { ClosureReason, OrderStatus, Refused } from './events.ts';
import { feeMicros } from './fills.ts';
import { KIND } from './ledger.ts';
import { type Context, type Market, positionsInOrder, sideName, TOKENS_PER_UNIT } from './state.ts';
import { valueMicros } from './trade-window.ts';
import { releaseHeld } from './usd.ts';

/** Cancels one resting order on behalf of its owner. */
export function cancelOrder(
  context: Context,
  command: { account: number; order: number },
): Refused | { instrument: number } {
  const { state } = context;
  const instrument = state.orderMarket.get(command.order);
  if (instrument === undefined) return { ok: false, code: 'order_not_found' };
  const market = state.market(instrument);
  const slot = market.book.find(command.order);
  if (market.book.orders.account[slot] !== command.account) return { ok: false, code: 'order_not_found' };
  if (market.state === 'halted' || market.state === 'closed') return { ok: false, code: 'market_not_open' };
  removeResting(context, market, slot, 'user_cancel');
  return { instrument };
}

/** Cancels every resting order of an account, in one market or in all of them, in every trading state. */
export function cancelAll(
  context: Context,
  scope: { account: number; instrument?: number },
  reason: ClosureReason,
): void {
  const holder = context.state.accounts.get(scope.account)!;
  for (const [instrument, position] of positionsInOrder(holder)) {
    if (scope.instrument !== undefined && scope.instrument !== instrument) continue;
    const market = context.state.market(instrument);
    for (const order of [...position.openOrders]) {
      removeResting(context, market, market.book.find(order), reason);
    }
  }
}

/** Cancels every resting order of a market, bids first, in priority order. */
export function cancelMarket(context: Context, market: Market, reason: ClosureReason): void {
  for (const slot of [...market.book.slots(BUY), ...market.book.slots(SELL)]) {
    removeResting(context, market, slot, reason);
  }
}

function removeResting(context: Context, market: Market, slot: number, reason: ClosureReason): void {
  market.book.unlink(slot);
  closeResting(context, market, slot, reason);
}

/** Ends an order that is already out of its level: gives back what it held, tells, and frees the slot. */
export function closeResting(context: Context, market: Market, slot: number, reason: ClosureReason): void {
  const { state } = context;
  const { book, instrument } = market;
  const { orders } = book;
  const order = orders.orderSeq[slot]!;
  context.touchLevel(instrument, book.sideOf(slot), orders.priceTicks[slot]!);
  releaseAll(context, market, slot);
  state.position(orders.account[slot]!, instrument).openOrders.delete(order);
  state.orderMarket.delete(order);
  emitState(context, market, slot, { status: reason === 'filled' ? 'filled' : 'cancelled', reason });
  book.freeSlot(slot);
}

function releaseAll(context: Context, market: Market, slot: number): void {
  const { ledger } = context.state;
  const { orders } = market.book;
  if (market.book.sideOf(slot) === BUY) {
    releaseHeld(ledger, orders, slot, orders.heldMicros(slot));
  } else {
    releaseUnits(context, market, slot, orders.remaining[slot]!);
  }
}

function releaseUnits(context: Context, market: Market, slot: number, units: number): void {
  const owner = { account: market.book.orders.account[slot]!, instrument: market.instrument };
  context.state.ledger.post(KIND.tradingHeld, owner, -units * TOKENS_PER_UNIT);
  context.state.ledger.post(KIND.trading, owner, units * TOKENS_PER_UNIT);
}

/** Shrinks the hold of a resting buy order to what its remaining quantity needs. */
export function fitHold(context: Context, market: Market, slot: number): void {
  const { orders } = market.book;
  if (market.book.sideOf(slot) !== BUY) return;
  const value = valueMicros(orders.remaining[slot]!, orders.priceTicks[slot]!);
  const excess = orders.heldMicros(slot) - value - feeMicros(value, market.rules.takerBps);
  if (excess > 0) releaseHeld(context.state.ledger, orders, slot, excess);
}

/** Gives back what a resting order held for units that self-trade prevention took from it. */
export function releaseDecrement(context: Context, market: Market, slot: number, units: number): void {
  if (market.book.sideOf(slot) === BUY) fitHold(context, market, slot);
  else releaseUnits(context, market, slot, units);
}

/** Tells the state of an order that goes on resting. */
export function emitResting(context: Context, market: Market, slot: number): void {
  const isPartial = market.book.orders.filledQuantity[slot]! > 0;
  emitState(context, market, slot, { status: isPartial ? 'partially_filled' : 'active', reason: null });
}

function emitState(
  context: Context,
  market: Market,
  slot: number,
  end: { status: OrderStatus; reason: ClosureReason | null },
): void {
  const { orders } = market.book;
  context.emit({
    type: 'order',
    order: orders.orderSeq[slot]!,
    account: orders.account[slot]!,
    instrument: market.instrument,
    side: sideName(market.book.sideOf(slot)),
    status: end.status,
    reason: end.reason,
    filledUnits: orders.filledQuantity[slot]!,
    remainingUnits: orders.remaining[slot]!,
    filledValueMicros: orders.filledValueMicros[slot]!,
    feeMicros: orders.feeMicros[slot]!,
  });
}
