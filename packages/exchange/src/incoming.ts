import {
  type Book,
  BUY,
  type Incoming,
  PREVENTION,
  type PreventionCode,
  SELL,
  type SideCode,
} from './book/book.ts';
import { NONE } from './book/price-ladder.ts';
import { closeResting, emitResting, fitHold, releaseDecrement } from './cancel-order.ts';
import type { ClosureReason, OrderStatus, Refused } from './events.ts';
import { FillSettlement, feeMicros, type Party, type Taker } from './fills.ts';
import { KIND } from './ledger.ts';
import { isPostOnly, preventionName, preventionOf } from './order-terms.ts';
import { isOutsideLimitCollar } from './prices.ts';
import { type Context, type Market, sideName, TOKENS_PER_UNIT } from './state.ts';
import { valueMicros } from './trade-window.ts';
import { holdUsd } from './usd.ts';

/** How a command left an order. */
export interface End {
  readonly status: OrderStatus;
  readonly reason: ClosureReason | null;
}

export function opposite(side: SideCode): SideCode {
  return side === BUY ? SELL : BUY;
}

/**
 * What a buy order needs: its value and the taker fee at the worst price. Quantity and price may both be in range and their
 * product not: then it is more than any balance can be.
 */
export function requiredMicros(market: Market, quantityUnits: number, limitTicks: number): number {
  const value = valueMicros(quantityUnits, limitTicks);
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  return Math.min(Number.MAX_SAFE_INTEGER, value + feeMicros(value, market.rules.takerBps));
}

/** The refusal of an order that its account cannot pay, in micro-dollars for buys and tokens for sells. */
export function shortOf(side: SideCode, required: number, available: number): Refused | undefined {
  if (available >= required) return undefined;
  const asset = side === BUY ? 'USD' : 'tokens';
  return { ok: false, code: 'insufficient_balance', context: { asset, required, available } };
}

/** Whether the market takes orders that may rest, new ones and amended ones. */
export function takesRestingOrders(market: Market): boolean {
  return market.state === 'open' || market.state === 'post_only' || market.state === 'auction';
}

/** Rules about the price of a limit order that is about to be matched, in their order of precedence. */
export function priceRefusal(
  context: Context,
  market: Market,
  taker: Taker,
): 'post_only_would_cross' | 'price_outside_collar' | undefined {
  if (market.state === 'auction') return undefined;
  const incoming = incomingOf(taker);
  const restsOnly = isPostOnly(taker.flags) || market.state === 'post_only';
  if (restsOnly && wouldCross(market, incoming)) return 'post_only_would_cross';
  const touchedTicks = market.book.available(incoming).worstTicks;
  const isOutside = isOutsideLimitCollar(market, { side: incoming.side, touchedTicks }, context.atMs);
  return isOutside ? 'price_outside_collar' : undefined;
}

function wouldCross(market: Market, incoming: Incoming): boolean {
  const best = market.book.bestTicks(opposite(incoming.side));
  if (best === NONE) return false;
  return incoming.side === BUY ? best <= incoming.limitTicks : best >= incoming.limitTicks;
}

export function incomingOf(taker: Taker): Incoming {
  const { account, side, limitTicks, leftUnits } = taker;
  return { account, side, limitTicks, quantity: leftUnits, prevention: preventionOf(taker.flags) };
}

/** Matches an order that was checked, settles its fills and ends what self-trade prevention ended. */
export function matchTaker(context: Context, market: Market, taker: Taker): void {
  const left = market.book.match(incomingOf(taker));
  settleFills(context, market, taker);
  taker.leftUnits = left;
  if (
    market.book.incomingPrevented ||
    market.book.prevented.length > 0 ||
    market.book.decremented.length > 0
  ) {
    tellPrevented(context, market, taker);
    closePrevented(context, market);
  }
}

/** Names every pair of orders of one account that met, while the book still says who they were. */
function tellPrevented(context: Context, market: Market, taker: Taker): void {
  const { book, instrument } = market;
  const code = preventionOf(taker.flags);
  for (const slot of metSlots(book, taker.side, code)) {
    context.emit({
      type: 'self_trade_prevented',
      instrument,
      account: taker.account,
      incomingOrder: taker.order,
      restingOrder: book.orders.orderSeq[slot]!,
      prevention: preventionName(code),
    });
  }
}

function metSlots(book: Book, side: SideCode, code: PreventionCode): number[] {
  if (code === PREVENTION.decrement) return book.decremented.map(({ slot }) => slot);
  if (code !== PREVENTION.cancelNewest) return book.prevented;
  // The order that ended the incoming one is where matching stopped: at the head of the other side.
  const head = book.slots(opposite(side)).next();
  return head.done === true ? [] : [head.value];
}

function settleFills(context: Context, market: Market, taker: Taker): void {
  const { book, instrument, rules } = market;
  const { fills, orders } = book;
  const { order, account } = taker;
  const incoming: Party = { order, account, slot: NONE, feeBps: rules.takerBps };
  const aggressor = sideName(taker.side);
  for (let index = 0; index < fills.count; index += 1) {
    const slot = fills.slot[index]!;
    const resting = partyOf(market, slot);
    const [buyer, seller] = taker.side === BUY ? [incoming, resting] : [resting, incoming];
    const priceTicks = fills.priceTicks[index]!;
    const quantityUnits = fills.quantity[index]!;
    new FillSettlement(context, market, { priceTicks, quantityUnits, buyer, seller, aggressor, taker }).run();
    context.touchLevel(instrument, opposite(taker.side), priceTicks);
    if (orders.remaining[slot] === 0) {
      closeResting(context, market, slot, 'filled');
    } else {
      fitHold(context, market, slot);
      emitResting(context, market, slot);
    }
  }
}

/** A resting order as a side of a fill: it pays the maker's fee. */
export function partyOf(market: Market, slot: number): Party {
  const { orders } = market.book;
  const [order, account] = [orders.orderSeq[slot]!, orders.account[slot]!];
  return { order, account, slot, feeBps: market.rules.makerBps };
}

function closePrevented(context: Context, market: Market): void {
  const { book } = market;
  for (const { slot, quantity } of book.decremented) {
    releaseDecrement(context, market, slot, quantity);
    context.touchLevel(market.instrument, book.sideOf(slot), book.orders.priceTicks[slot]!);
    if (book.orders.remaining[slot]! > 0) emitResting(context, market, slot);
  }
  for (const slot of book.prevented) closeResting(context, market, slot, 'self_trade_prevented');
}

/** How an order that may rest stands after matching. */
export function restingEnd(market: Market, taker: Taker): End {
  if (market.book.incomingPrevented) return { status: 'cancelled', reason: 'self_trade_prevented' };
  // Self-trade prevention may have made the order smaller, so that nothing is left although not all of it was filled.
  if (taker.leftUnits === 0) return { status: 'filled', reason: 'filled' };
  return { status: taker.filledUnits === 0 ? 'active' : 'partially_filled', reason: null };
}

/** Puts what is left of an order at the end of its price level, with what it needs held. */
export function restTaker(context: Context, market: Market, taker: Taker): void {
  const { account, order, leftUnits } = taker;
  const { instrument, book } = market;
  const slot = book.rest(order, incomingOf(taker), leftUnits);
  book.orders.quantity[slot] = taker.quantityUnits;
  book.orders.filledQuantity[slot] = taker.filledUnits;
  book.orders.filledValueMicros[slot] = taker.filledValueMicros;
  book.orders.feeMicros[slot] = taker.feeMicros;
  book.orders.flags[slot]! |= taker.flags;
  market.arrivals[slot] = context.seq;
  if (taker.expiresAtMs !== null) market.expiries.set(order, taker.expiresAtMs);
  holdFor(context, market, { taker, slot });
  context.state.position(account, instrument).openOrders.add(order);
  context.state.orderMarket.set(order, instrument);
  context.touchLevel(instrument, taker.side, taker.limitTicks);
}

function holdFor(context: Context, market: Market, { taker, slot }: { taker: Taker; slot: number }): void {
  const { ledger } = context.state;
  if (taker.side === BUY) {
    const target = requiredMicros(market, taker.leftUnits, taker.limitTicks);
    holdUsd(ledger, market.book.orders, slot, Math.min(target, taker.budgetMicros));
    return;
  }
  const owner = { account: taker.account, instrument: market.instrument };
  const tokens = taker.leftUnits * TOKENS_PER_UNIT;
  ledger.post(KIND.trading, owner, -tokens);
  ledger.post(KIND.tradingHeld, owner, tokens);
}
