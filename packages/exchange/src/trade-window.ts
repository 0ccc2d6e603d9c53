import { mulDivHalfUp } from './integers.ts';

const DAY_MS = 86_400_000;
const FIVE_MINUTES_MS = 300_000;
/** Below this many distinct traders nobody is suspected of trading with a friend. */
const WASH_CHECK_ACCOUNTS = 10;
/** Share of the volume, in percent, that two accounts may trade with each other. */
const WASH_SHARE_PERCENT = 20;
const MICROS_PER_TICK = 100;

export interface WindowTrade {
  readonly atMs: number;
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly buyer: number;
  readonly seller: number;
  readonly excludedUnits: number;
}

/** Volume-weighted average price in ticks, rounded half up; undefined without volume. */
function averageTicks(valueTicks: number, quantity: number): number | undefined {
  return quantity === 0 ? undefined : mulDivHalfUp(valueTicks, 1, quantity);
}

function pairKey(a: number, b: number): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`;
}

/**
 * Trades of the last 24 hours of one market with running sums, so that both averages are exact and cost nothing to read.
 * Volume that two accounts trade with each other beyond a fifth of the whole does not count towards averages.
 */
export class TradeWindow {
  private trades: WindowTrade[] = [];
  private dayHead = 0;
  private recentHead = 0;
  private dayUnits = 0;
  private dayValueTicks = 0;
  private recentUnits = 0;
  private recentValueTicks = 0;
  private volumeUnits = 0;
  private readonly tradesOf = new Map<number, number>();
  private readonly pairUnits = new Map<string, number>();
  lastTrade: WindowTrade | undefined;

  /** Adds a trade and returns how many of its units are excluded from averages. */
  add(trade: Omit<WindowTrade, 'excludedUnits'>): number {
    this.advance(trade.atMs);
    this.count(trade.buyer, 1);
    this.count(trade.seller, 1);
    const excludedUnits = this.excess(trade);
    this.append({ ...trade, excludedUnits });
    return excludedUnits;
  }

  vwap24hTicks(nowMs: number): number | undefined {
    this.advance(nowMs);
    return averageTicks(this.dayValueTicks, this.dayUnits);
  }

  vwap5mTicks(nowMs: number): number | undefined {
    this.advance(nowMs);
    return averageTicks(this.recentValueTicks, this.recentUnits);
  }

  /** The last price, if it was traded in the last 24 hours. */
  lastTicks(nowMs: number): number | undefined {
    const last = this.lastTrade;
    return last !== undefined && last.atMs > nowMs - DAY_MS ? last.priceTicks : undefined;
  }

  export(): readonly WindowTrade[] {
    const live = this.trades.slice(this.dayHead);
    return live.length === 0 && this.lastTrade !== undefined ? [this.lastTrade] : live;
  }

  /** Rebuilds the window from {@link export}, keeping what was decided about exclusion. */
  restore(trades: readonly WindowTrade[], nowMs: number): void {
    for (const trade of trades) {
      this.count(trade.buyer, 1);
      this.count(trade.seller, 1);
      this.append(trade);
    }
    this.advance(nowMs);
  }

  private append(trade: WindowTrade): void {
    const counted = trade.quantityUnits - trade.excludedUnits;
    this.trades.push(trade);
    this.lastTrade = trade;
    this.volumeUnits += trade.quantityUnits;
    this.dayUnits += counted;
    this.dayValueTicks += counted * trade.priceTicks;
    this.recentUnits += counted;
    this.recentValueTicks += counted * trade.priceTicks;
    const pair = pairKey(trade.buyer, trade.seller);
    this.pairUnits.set(pair, (this.pairUnits.get(pair) ?? 0) + trade.quantityUnits);
  }

  private excess(trade: Omit<WindowTrade, 'excludedUnits'>): number {
    if (this.tradesOf.size < WASH_CHECK_ACCOUNTS) return 0;
    const before = this.pairUnits.get(pairKey(trade.buyer, trade.seller)) ?? 0;
    const volume = this.volumeUnits + trade.quantityUnits;
    const allowed = Math.floor((volume * WASH_SHARE_PERCENT) / 100);
    return Math.max(0, Math.min(trade.quantityUnits, before + trade.quantityUnits - allowed));
  }

  private count(account: number, change: number): void {
    const count = (this.tradesOf.get(account) ?? 0) + change;
    if (count === 0) this.tradesOf.delete(account);
    else this.tradesOf.set(account, count);
  }

  private advance(nowMs: number): void {
    while (
      this.recentHead < this.trades.length &&
      this.trades[this.recentHead]!.atMs <= nowMs - FIVE_MINUTES_MS
    ) {
      const trade = this.trades[this.recentHead]!;
      const counted = trade.quantityUnits - trade.excludedUnits;
      this.recentUnits -= counted;
      this.recentValueTicks -= counted * trade.priceTicks;
      this.recentHead += 1;
    }
    while (this.dayHead < this.trades.length && this.trades[this.dayHead]!.atMs <= nowMs - DAY_MS)
      this.dropOldest();
    if (this.dayHead > 1024 && this.dayHead * 2 > this.trades.length) this.compact();
  }

  private dropOldest(): void {
    const trade = this.trades[this.dayHead]!;
    const counted = trade.quantityUnits - trade.excludedUnits;
    this.volumeUnits -= trade.quantityUnits;
    this.dayUnits -= counted;
    this.dayValueTicks -= counted * trade.priceTicks;
    this.count(trade.buyer, -1);
    this.count(trade.seller, -1);
    const pair = pairKey(trade.buyer, trade.seller);
    const left = this.pairUnits.get(pair)! - trade.quantityUnits;
    if (left === 0) this.pairUnits.delete(pair);
    else this.pairUnits.set(pair, left);
    this.dayHead += 1;
  }

  private compact(): void {
    this.trades = this.trades.slice(this.dayHead);
    this.recentHead -= this.dayHead;
    this.dayHead = 0;
  }
}

/** Value of a quantity at a price, in micro-dollars. */
export function valueMicros(quantityUnits: number, priceTicks: number): number {
  return quantityUnits * priceTicks * MICROS_PER_TICK;
}
