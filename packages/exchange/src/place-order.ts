import { BUY, SELL } from './book/book.ts';
import { NONE, PRICE_LIMIT_TICKS } from './book/price-ladder.ts';
import type { PlaceOrder } from './commands.ts';
import type { ClosureReason, Refused } from './events.ts';
import type { Taker } from './fills.ts';
import {
  type End,
  incomingOf,
  matchTaker,
  opposite,
  priceRefusal,
  requiredMicros,
  restingEnd,
  restTaker,
  shortOf,
  takesRestingOrders,
} from './incoming.ts';
import { isPositiveInteger } from './integers.ts';
import { KIND } from './ledger.ts';
import { isResting, termsOf } from './order-terms.ts';
import { worstTicks } from './prices.ts';
import { type Context, type Market, TOKENS_PER_UNIT } from './state.ts';
import { availableUsd } from './usd.ts';

interface Placing {
  readonly command: PlaceOrder;
  readonly taker: Taker;
}

/**
 * Places an order: checks, holds, matches and settles in one step, so that nothing can happen between check and trade.
 * Refusals for lack of balance leave no trace; refusals by the rules of the market are recorded as rejected orders.
 */
export function placeOrder(context: Context, command: PlaceOrder): Refused | { order: number } {
  const market = context.state.market(command.instrument);
  if (!isValid(context, market, command)) return { ok: false, code: 'validation_failed' };
  const taker = newTaker(command, worstTicks(market, command, context.atMs) ?? NONE);
  const placing = { command, taker };
  const rejection = rejectionOf(context, market, placing);
  const short = rejection === undefined ? shortfall(context, market, taker) : undefined;
  if (short !== undefined) return short;
  context.state.orderCounter += 1;
  taker.order = context.state.orderCounter;
  if (rejection === undefined) execute(context, market, placing);
  else emitTaker(context, placing, { status: 'rejected', reason: rejection });
  return { order: taker.order };
}

/** Whether a price can be rested at or traded at. */
export function isPrice(priceTicks: unknown): boolean {
  return isPositiveInteger(priceTicks) && priceTicks < PRICE_LIMIT_TICKS;
}

/** Whether a quantity is one that the market takes. */
export function isSize(market: Market, quantityUnits: unknown): boolean {
  const { minOrderUnits, maxOrderUnits } = market.rules;
  return isPositiveInteger(quantityUnits) && quantityUnits >= minOrderUnits && quantityUnits <= maxOrderUnits;
}

/** Whether an order of this life says when it ends exactly if it does, and ends after now. */
export function isLife(
  context: Context,
  timeInForce: string,
  expiresAtMs: number | null | undefined,
): boolean {
  const expires = timeInForce === 'gtd' || timeInForce === 'day';
  if (!expires) return expiresAtMs === undefined || expiresAtMs === null;
  return isPositiveInteger(expiresAtMs) && expiresAtMs > context.atMs;
}

function isValid(context: Context, market: Market, command: PlaceOrder): boolean {
  const { type, timeInForce, priceTicks } = command;
  const isMarket = type === 'market';
  const rests = isResting(timeInForce);
  return (
    isSize(market, command.quantityUnits) &&
    (isPrice(priceTicks) || (isMarket && priceTicks === null)) &&
    !(isMarket && rests) &&
    !(command.postOnly === true && !rests) &&
    isLife(context, timeInForce, command.expiresAtMs)
  );
}

/** Rules of the market, in their fixed order of precedence. */
function rejectionOf(
  context: Context,
  market: Market,
  { command, taker }: Placing,
): ClosureReason | undefined {
  if (market.state === 'closed') return 'market_closed';
  const rests = isResting(command.timeInForce);
  // Where nothing is matched at once, only what rests is taken.
  const isTaken = rests ? takesRestingOrders(market) : market.state === 'open';
  if (!isTaken) return 'market_halted';
  const position = context.state.position(command.account, command.instrument);
  if (rests && position.openOrders.size >= market.rules.maxOpenOrders) return 'open_order_limit';
  if (taker.limitTicks === NONE) return 'no_reference_price';
  if (command.type === 'market') return undefined;
  return priceRefusal(context, market, taker);
}

/** Checks that the account can pay, and gives a buy what it may spend. */
function shortfall(context: Context, market: Market, taker: Taker): Refused | undefined {
  const { ledger } = context.state;
  const { account, side, leftUnits } = taker;
  if (side === SELL) {
    const available = ledger.balance(KIND.trading, account, market.instrument);
    return shortOf(side, leftUnits * TOKENS_PER_UNIT, available);
  }
  taker.budgetMicros = requiredMicros(market, leftUnits, taker.limitTicks);
  return shortOf(side, taker.budgetMicros, availableUsd(ledger, account));
}

function newTaker(command: PlaceOrder, limitTicks: number): Taker {
  return {
    order: 0,
    account: command.account,
    side: command.side === 'buy' ? BUY : SELL,
    limitTicks,
    flags: termsOf(command),
    expiresAtMs: command.expiresAtMs ?? null,
    quantityUnits: command.quantityUnits,
    budgetMicros: 0,
    leftUnits: command.quantityUnits,
    filledUnits: 0,
    filledValueMicros: 0,
    feeMicros: 0,
  };
}

function execute(context: Context, market: Market, placing: Placing): void {
  const { command, taker } = placing;
  const isKilled =
    command.timeInForce === 'fok' && market.book.available(incomingOf(taker)).quantity < taker.leftUnits;
  if (isKilled) {
    emitTaker(context, placing, { status: 'cancelled', reason: 'fok_unfillable' });
    return;
  }
  const isMatched = market.state !== 'auction';
  if (isMatched) matchTaker(context, market, taker);
  const end: End = isMatched ? endOf(market, command, taker) : { status: 'active', reason: null };
  emitTaker(context, placing, end);
  if (end.reason === null) restTaker(context, market, taker);
}

function endOf(market: Market, command: PlaceOrder, taker: Taker): End {
  const end = restingEnd(market, taker);
  if (end.reason !== null || isResting(command.timeInForce)) return end;
  const isMoreOffered = market.book.bestTicks(opposite(taker.side)) !== NONE;
  const isProtected = command.type === 'market' && isMoreOffered;
  return { status: 'cancelled', reason: isProtected ? 'price_protection' : 'ioc_unfilled' };
}

function emitTaker(context: Context, { command, taker }: Placing, end: End): void {
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
      expiresAtMs: taker.expiresAtMs,
      postOnly: command.postOnly ?? false,
      selfTradePrevention: command.selfTradePrevention ?? 'cancel_newest',
      autotransfer: command.autotransfer ?? false,
      origin: command.origin ?? 'user',
    },
  });
}
