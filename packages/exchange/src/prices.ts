import { BUY, SELL, type SideCode } from './book/book.ts';
import { NONE, PRICE_LIMIT_TICKS } from './book/price-ladder.ts';
import type { PlaceOrder } from './commands.ts';
import { mulDiv } from './integers.ts';
import type { Market } from './state.ts';

const BPS = 10_000;

/**
 * The reference price of the collars: 5-minute average, else the last trade of the day, else mid, else the best opposite
 * quote, else the configured price.
 */
export function referenceTicks(market: Market, side: SideCode, nowMs: number): number | undefined {
  const { window, book, rules } = market;
  const traded = window.vwap5mTicks(nowMs) ?? window.lastTicks(nowMs);
  if (traded !== undefined) return traded;
  const bid = book.bestTicks(BUY);
  const ask = book.bestTicks(SELL);
  if (bid !== NONE && ask !== NONE) return Math.floor((bid + ask) / 2);
  const opposite = side === BUY ? ask : bid;
  if (opposite !== NONE) return opposite;
  return rules.referencePriceTicks ?? undefined;
}

/** The worst price a collar allows: a buy's is rounded down to the tick, a sell's up. */
export function collarTicks(reference: number, side: SideCode, bps: number): number {
  if (side === BUY) return Math.min(PRICE_LIMIT_TICKS - 1, mulDiv(reference, BPS + bps, BPS));
  const exact = mulDiv(reference, Math.max(0, BPS - bps), BPS);
  const isExact = exact * BPS === reference * Math.max(0, BPS - bps);
  return Math.max(1, isExact ? exact : exact + 1);
}

/**
 * Ceiling of automatic purchases: the collar around the 24 h average or the configured reference price, never a quote; in
 * easy mode also at most twice the configured reference price. Undefined: nothing may be bought automatically.
 */
export function autoBuyCeilingTicks(
  market: Market,
  nowMs: number,
  { easyMode }: { easyMode: boolean },
): number | undefined {
  const { rules } = market;
  const base = market.window.vwap24hTicks(nowMs) ?? rules.referencePriceTicks ?? undefined;
  if (base === undefined) return undefined;
  const ceiling = collarTicks(base, BUY, rules.autoBuyCollarBps);
  if (!easyMode || rules.referencePriceTicks === null) return ceiling;
  return Math.min(ceiling, 2 * rules.referencePriceTicks);
}

/** Worst acceptable price of an order in ticks, or undefined when a market order has no reference price. */
export function worstTicks(market: Market, command: PlaceOrder, nowMs: number): number | undefined {
  const side = command.side === 'buy' ? BUY : SELL;
  if (command.type === 'limit') return command.priceTicks!;
  const bound =
    command.origin === 'auto_buy'
      ? autoBuyCeilingTicks(market, nowMs, { easyMode: command.easyMode ?? false })
      : marketBound(market, side, nowMs);
  if (bound === undefined || command.priceTicks === null) return bound;
  return side === BUY ? Math.min(bound, command.priceTicks) : Math.max(bound, command.priceTicks);
}

function marketBound(market: Market, side: SideCode, nowMs: number): number | undefined {
  const reference = referenceTicks(market, side, nowMs);
  return reference === undefined ? undefined : collarTicks(reference, side, market.rules.marketCollarBps);
}

/** Whether a limit order would trade beyond the limit collar with the worst price it would touch. */
export function isOutsideLimitCollar(
  market: Market,
  order: { side: SideCode; touchedTicks: number },
  nowMs: number,
): boolean {
  if (order.touchedTicks === NONE) return false;
  const reference = referenceTicks(market, order.side, nowMs);
  if (reference === undefined) return false;
  const bound = collarTicks(reference, order.side, market.rules.limitCollarBps);
  return order.side === BUY ? order.touchedTicks > bound : order.touchedTicks < bound;
}
