import { BUY, SELL } from './book/book.ts';
import type { CancelOrders, CancelReason } from './commands.ts';
import type { ClosureReason, OrderStatus, Refused } from './events.ts';
import { feeMicros } from './fills.ts';
import { KIND } from './ledger.ts';
import { timeOf } from './order-terms.ts';
import {
  type Context,
  type ExchangeState,
  type Market,
  positionsInOrder,
  sideName,
  TOKENS_PER_UNIT,
} from './state.ts';
import { valueMicros } from './trade-window.ts';
import { releaseHeld } from './usd.ts';

const CANCEL_REASONS: ReadonlySet<CancelReason> = new Set<CancelReason>([
  'bulk_cancel',
  'mode_switched',
  'key_revoked',
  'account_suspended',
  'cancel_on_disconnect',
  'admin',
]);

/** Cancels one resting order on behalf of its owner. */
export function cancelOrder(
  context: Context,
  command: { account: number; order: number },
): Refused | { instrument: number } {
  const found = findResting(context.state, command);
  if (found === undefined) return { ok: false, code: 'order_not_found' };
  const { market, slot } = found;
  if (!areCancelsTaken(market)) return { ok: false, code: 'market_not_open' };
  removeResting(context, market, slot, 'user_cancel');
  return { instrument: market.instrument };
}

/** The place of an account's resting order, or undefined: it rests no more, or is somebody else's. */
export function findResting(
  state: ExchangeState,
  { account, order }: { account: number; order: number },
): { market: Market; slot: number } | undefined {
  const instrument = state.orderMarket.get(order);
  if (instrument === undefined) return undefined;
  const market = state.market(instrument);
  const slot = market.book.find(order);
  return market.book.orders.account[slot] === account ? { market, slot } : undefined;
}

function areCancelsTaken(market: Market): boolean {
  return market.state !== 'halted' && market.state !== 'closed';
}

/** Cancels many orders of one account: for its user where the market takes cancels, for the system everywhere. */
export function cancelOrders(context: Context, command: CancelOrders): Refused | undefined {
  const { state } = context;
  const { account, instrument, side, reason } = command;
  if (!CANCEL_REASONS.has(reason)) return { ok: false, code: 'validation_failed' };
  const isUser = reason === 'bulk_cancel';
  const named = instrument === undefined ? undefined : state.market(instrument);
  if (isUser && named !== undefined && !areCancelsTaken(named)) return { ok: false, code: 'market_not_open' };
  const numbers = command.orders ?? openOrdersOf(state, { account, instrument });
  for (const order of numbers) {
    const found = findResting(state, { account, order });
    if (found === undefined || (named !== undefined && found.market !== named)) continue;
    if (isUser && !areCancelsTaken(found.market)) continue;
    if (side !== undefined && sideName(found.market.book.sideOf(found.slot)) !== side) continue;
    removeResting(context, found.market, found.slot, reason);
  }
  return undefined;
}

/** Resting orders of an account, market by market, oldest first. */
function openOrdersOf(
  state: ExchangeState,
  scope: { account: number; instrument?: number | undefined },
): number[] {
  const orders: number[] = [];
  for (const [instrument, position] of positionsInOrder(state.accounts.get(scope.account)!)) {
    if (scope.instrument === undefined || scope.instrument === instrument)
      orders.push(...position.openOrders);
  }
  return orders;
}

/** Cancels every resting order of an account, in one market or in all of them, in every trading state. */
export function cancelAll(
  context: Context,
  scope: { account: number; instrument?: number },
  reason: ClosureReason,
): void {
  for (const order of openOrdersOf(context.state, scope)) {
    const { market, slot } = findResting(context.state, { account: scope.account, order })!;
    removeResting(context, market, slot, reason);
  }
}

/** Cancels every resting order of a market, bids first, in priority order. */
export function cancelMarket(context: Context, market: Market, reason: ClosureReason): void {
  for (const slot of [...market.book.slots(BUY), ...market.book.slots(SELL)]) {
    removeResting(context, market, slot, reason);
  }
}

/** Ends a resting order. */
export function removeResting(context: Context, market: Market, slot: number, reason: ClosureReason): void {
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
  if (timeOf(orders.flags[slot]!) !== 'gtc') market.expiries.delete(order);
  emitState(context, market, slot, { status: statusOf(reason), reason });
  book.freeSlot(slot);
}

function statusOf(reason: ClosureReason): OrderStatus {
  return reason === 'filled' || reason === 'expired' ? reason : 'cancelled';
}

/** Gives back everything that a resting order holds. */
export function releaseAll(context: Context, market: Market, slot: number): void {
  const { ledger } = context.state;
  const { orders } = market.book;
  if (market.book.sideOf(slot) === BUY) {
    releaseHeld(ledger, orders, slot, orders.heldMicros(slot));
  } else {
    releaseUnits(context, market, slot, orders.remaining[slot]!);
  }
}

/** Gives back what a resting sell order holds for some of its units. */
export function releaseUnits(context: Context, market: Market, slot: number, units: number): void {
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
