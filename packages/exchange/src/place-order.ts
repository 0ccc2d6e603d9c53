import { BUY, type Incoming, PREVENTION, SELL, type SideCode } from './book/book.ts';
import { NONE, PRICE_LIMIT_TICKS } from './book/price-ladder.ts';
import { closeResting, emitResting, fitHold, releaseDecrement } from './cancel-order.ts';
import type { PlaceOrder } from './commands.ts';
import type { ClosureReason, OrderStatus, Refused } from './events.ts';
import { AUTOTRANSFER_FLAG, FillSettlement, feeMicros, type Taker } from './fills.ts';
import { isPositiveInteger } from './integers.ts';
import { KIND } from './ledger.ts';
import { isOutsideLimitCollar, worstTicks } from './prices.ts';
import { type Context, type Market, TOKENS_PER_UNIT } from './state.ts';
import { valueMicros } from './trade-window.ts';
import { availableUsd, holdUsd } from './usd.ts';

const PREVENTION_CODES = {
  cancel_newest: PREVENTION.cancelNewest,
  cancel_oldest: PREVENTION.cancelOldest,
  cancel_both: PREVENTION.cancelBoth,
  decrement: PREVENTION.decrement,
} as const;

interface End {
  readonly status: OrderStatus;
  readonly reason: ClosureReason | null;
}

/**
 * Places an order: checks, holds, matches and settles in one step, so that nothing can happen between check and trade.
 * Refusals for lack of balance leave no trace; refusals by the rules of the market are recorded as rejected orders.
 */
export function placeOrder(context: Context, command: PlaceOrder): Refused | { order: number } {
  const market = context.state.market(command.instrument);
  const invalid = validate(market, command);
  if (invalid !== undefined) return invalid;
  const rejection = rejectionOf(context, market, command);
  if (rejection !== undefined) return reject(context, command, rejection);
  const limitTicks = worstTicks(market, command, context.atMs)!;
  const short = shortfall(context, market, command, limitTicks);
  if (short !== undefined) return short;
  return { order: execute(context, market, command, limitTicks) };
}

function validate(market: Market, command: PlaceOrder): Refused | undefined {
  const { rules } = market;
  const { quantityUnits, priceTicks } = command;
  const isSizeValid =
    isPositiveInteger(quantityUnits) &&
    quantityUnits >= rules.minOrderUnits &&
    quantityUnits <= rules.maxOrderUnits;
  const isPriceValid = isPositiveInteger(priceTicks) && priceTicks < PRICE_LIMIT_TICKS;
  const isPriceRight = command.type === 'limit' ? isPriceValid : priceTicks === null || isPriceValid;
  const isTimeRight = command.type === 'limit' || command.timeInForce !== 'gtc';
  const isPostOnlyRight = command.postOnly !== true || command.timeInForce === 'gtc';
  if (isSizeValid && isPriceRight && isTimeRight && isPostOnlyRight) return undefined;
  return { ok: false, code: 'validation_failed' };
}

function incomingOf(command: PlaceOrder, limitTicks: number): Incoming {
  return {
    account: command.account,
    side: command.side === 'buy' ? BUY : SELL,
    limitTicks,
    quantity: command.quantityUnits,
    prevention: PREVENTION_CODES[command.selfTradePrevention ?? 'cancel_newest'],
  };
}

/** Rules of the market, in their fixed order of precedence. */
function rejectionOf(context: Context, market: Market, command: PlaceOrder): ClosureReason | undefined {
  if (market.state === 'closed') return 'market_closed';
  if (market.state !== 'open') return 'market_halted';
  const position = context.state.position(command.account, command.instrument);
  if (command.timeInForce === 'gtc' && position.openOrders.size >= market.rules.maxOpenOrders) {
    return 'open_order_limit';
  }
  const limitTicks = worstTicks(market, command, context.atMs);
  if (limitTicks === undefined) return 'no_reference_price';
  const incoming = incomingOf(command, limitTicks);
  if (command.postOnly === true && wouldCross(market, incoming)) return 'post_only_would_cross';
  if (command.type !== 'limit') return undefined;
  const touchedTicks = market.book.available(incoming).worstTicks;
  const isOutside = isOutsideLimitCollar(market, { side: incoming.side, touchedTicks }, context.atMs);
  return isOutside ? 'price_outside_collar' : undefined;
}

function wouldCross(market: Market, incoming: Incoming): boolean {
  const best = market.book.bestTicks(opposite(incoming.side));
  if (best === NONE) return false;
  return incoming.side === BUY ? best <= incoming.limitTicks : best >= incoming.limitTicks;
}

function opposite(side: SideCode): SideCode {
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

function shortfall(
  context: Context,
  market: Market,
  command: PlaceOrder,
  limitTicks: number,
): Refused | undefined {
  const { ledger } = context.state;
  const { account, instrument, quantityUnits } = command;
  const isBuy = command.side === 'buy';
  const required = isBuy
    ? requiredMicros(market, quantityUnits, limitTicks)
    : quantityUnits * TOKENS_PER_UNIT;
  const available = isBuy ? availableUsd(ledger, account) : ledger.balance(KIND.trading, account, instrument);
  if (available >= required) return undefined;
  const asset = isBuy ? 'USD' : 'tokens';
  return { ok: false, code: 'insufficient_balance', context: { asset, required, available } };
}

function nextOrder(context: Context): number {
  context.state.orderCounter += 1;
  return context.state.orderCounter;
}

function newTaker(context: Context, market: Market, command: PlaceOrder, limitTicks: number): Taker {
  const isBuy = command.side === 'buy';
  return {
    order: nextOrder(context),
    account: command.account,
    side: isBuy ? BUY : SELL,
    limitTicks,
    autotransfer: isBuy && (command.autotransfer ?? false),
    budgetMicros: isBuy ? requiredMicros(market, command.quantityUnits, limitTicks) : 0,
    leftUnits: command.quantityUnits,
    filledUnits: 0,
    filledValueMicros: 0,
    feeMicros: 0,
  };
}

function execute(context: Context, market: Market, command: PlaceOrder, limitTicks: number): number {
  const incoming = incomingOf(command, limitTicks);
  const taker = newTaker(context, market, command, limitTicks);
  const isUnfillable =
    command.timeInForce === 'fok' && market.book.available(incoming).quantity < command.quantityUnits;
  if (isUnfillable) {
    emitTaker(context, command, taker, { status: 'cancelled', reason: 'fok_unfillable' });
    return taker.order;
  }
  const left = market.book.match(incoming);
  settleFills(context, market, taker);
  taker.leftUnits = left;
  closePrevented(context, market);
  const end = endOf(market, command, taker);
  emitTaker(context, command, taker, end);
  if (end.status === 'active' || end.status === 'partially_filled') rest(context, market, taker, incoming);
  return taker.order;
}

function settleFills(context: Context, market: Market, taker: Taker): void {
  const { book, instrument } = market;
  for (let index = 0; index < book.fills.count; index += 1) {
    new FillSettlement(context, market, { taker, index }).run();
    const slot = book.fills.slot[index]!;
    context.touchLevel(instrument, opposite(taker.side), book.fills.priceTicks[index]!);
    if (book.orders.remaining[slot] === 0) {
      closeResting(context, market, slot, 'filled');
    } else {
      fitHold(context, market, slot);
      emitResting(context, market, slot);
    }
  }
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

function endOf(market: Market, command: PlaceOrder, taker: Taker): End {
  if (market.book.incomingPrevented) return { status: 'cancelled', reason: 'self_trade_prevented' };
  // Self-trade prevention may have made the order smaller, so that nothing is left although not all of it was filled.
  if (taker.leftUnits === 0) return { status: 'filled', reason: 'filled' };
  if (command.timeInForce === 'gtc') {
    return { status: taker.filledUnits === 0 ? 'active' : 'partially_filled', reason: null };
  }
  const isMoreOffered = market.book.bestTicks(opposite(taker.side)) !== NONE;
  const isProtected = command.type === 'market' && isMoreOffered;
  return { status: 'cancelled', reason: isProtected ? 'price_protection' : 'ioc_unfilled' };
}

function rest(context: Context, market: Market, taker: Taker, incoming: Incoming): void {
  const { ledger } = context.state;
  const { account, order, leftUnits } = taker;
  const { instrument, book } = market;
  const slot = book.rest(order, incoming, leftUnits);
  book.orders.quantity[slot] = taker.filledUnits + leftUnits;
  book.orders.filledQuantity[slot] = taker.filledUnits;
  book.orders.filledValueMicros[slot] = taker.filledValueMicros;
  book.orders.feeMicros[slot] = taker.feeMicros;
  if (taker.autotransfer) book.orders.flags[slot]! |= AUTOTRANSFER_FLAG;
  if (taker.side === BUY) {
    const target = requiredMicros(market, leftUnits, taker.limitTicks);
    holdUsd(ledger, book.orders, slot, Math.min(target, taker.budgetMicros));
  } else {
    const tokens = leftUnits * TOKENS_PER_UNIT;
    ledger.post(KIND.trading, { account, instrument }, -tokens);
    ledger.post(KIND.tradingHeld, { account, instrument }, tokens);
  }
  context.state.position(account, instrument).openOrders.add(order);
  context.state.orderMarket.set(order, instrument);
  context.touchLevel(instrument, taker.side, taker.limitTicks);
}

function reject(context: Context, command: PlaceOrder, reason: ClosureReason): { order: number } {
  const order = nextOrder(context);
  const taker = {
    order,
    leftUnits: command.quantityUnits,
    filledUnits: 0,
    filledValueMicros: 0,
    feeMicros: 0,
  };
  emitTaker(context, command, taker, { status: 'rejected', reason });
  return { order };
}

function emitTaker(
  context: Context,
  command: PlaceOrder,
  taker: Pick<Taker, 'order' | 'leftUnits' | 'filledUnits' | 'filledValueMicros' | 'feeMicros'>,
  end: End,
): void {
  context.emit({
    type: 'order',
    order: taker.order,
    account: command.account,
    instrument: command.instrument,
    side: command.side,
    status: end.status,
    reason: end.reason,
    filledUnits: taker.filledUnits,
    remainingUnits: taker.leftUnits,
    filledValueMicros: taker.filledValueMicros,
    feeMicros: taker.feeMicros,
    placed: {
      type: command.type,
      quantityUnits: command.quantityUnits,
      priceTicks: command.priceTicks,
      timeInForce: command.timeInForce,
      postOnly: command.postOnly ?? false,
      selfTradePrevention: command.selfTradePrevention ?? 'cancel_newest',
      autotransfer: command.autotransfer ?? false,
      origin: command.origin ?? 'user',
    },
  });
}
