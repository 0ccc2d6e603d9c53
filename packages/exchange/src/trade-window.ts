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

/** Adds to a sum and forgets it at zero. */
function addTo<K>(sums: Map<K, number>, key: K, amount: number): void {
  const sum = (sums.get(key) ?? 0) + amount;
  if (sum === 0) sums.delete(key);
  else sums.set(key, sum);
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
  private lastTrade: WindowTrade | undefined;

  /** Adds a trade and returns how many of its units are excluded from averages. */
  add(trade: Omit<WindowTrade, 'excludedUnits'>): number {
    this.advance(trade.atMs);
    this.compact();
    const excludedUnits = this.excess(trade);
    const { atMs, priceTicks, quantityUnits, buyer, seller } = trade;
    this.append({ atMs, priceTicks, quantityUnits, buyer, seller, excludedUnits });
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

  /** The trades of the 24 hours before `nowMs`, oldest first. */
  export(nowMs: number): WindowTrade[] {
    this.advance(nowMs);
    return this.trades.slice(this.dayHead);
  }

  /** Rebuilds the window from {@link export}, keeping what was decided about exclusion. */
  restore(trades: readonly WindowTrade[], nowMs: number): void {
    for (const trade of trades) this.append(trade);
    this.advance(nowMs);
  }

  private append(trade: WindowTrade): void {
    this.trades.push(trade);
    this.lastTrade = trade;
    this.weighRecent(trade, 1);
    this.weighDay(trade, 1);
  }

  private excess(trade: Omit<WindowTrade, 'excludedUnits'>): number {
    const newcomers = Number(!this.tradesOf.has(trade.buyer)) + Number(!this.tradesOf.has(trade.seller));
    if (this.tradesOf.size + newcomers < WASH_CHECK_ACCOUNTS) return 0;
    const before = this.pairUnits.get(pairKey(trade.buyer, trade.seller)) ?? 0;
    const volume = this.volumeUnits + trade.quantityUnits;
    const allowed = Math.floor((volume * WASH_SHARE_PERCENT) / 100);
    return Math.max(0, Math.min(trade.quantityUnits, before + trade.quantityUnits - allowed));
  }

  /**
   * Moves both windows to `nowMs`, forwards or back. Back, because a command that was refused has looked at a time that no
   * journal knows of, and must not be seen in what comes after it.
   */
  private advance(nowMs: number): void {
    const { trades } = this;
    for (; (trades[this.recentHead]?.atMs ?? Infinity) <= nowMs - FIVE_MINUTES_MS; this.recentHead += 1) {
      this.weighRecent(trades[this.recentHead]!, -1);
    }
    for (; (trades[this.recentHead - 1]?.atMs ?? -Infinity) > nowMs - FIVE_MINUTES_MS; this.recentHead -= 1) {
      this.weighRecent(trades[this.recentHead - 1]!, 1);
    }
    for (; (trades[this.dayHead]?.atMs ?? Infinity) <= nowMs - DAY_MS; this.dayHead += 1) {
      this.weighDay(trades[this.dayHead]!, -1);
    }
    for (; (trades[this.dayHead - 1]?.atMs ?? -Infinity) > nowMs - DAY_MS; this.dayHead -= 1) {
      this.weighDay(trades[this.dayHead - 1]!, 1);
    }
  }

  private weighRecent(trade: WindowTrade, sign: 1 | -1): void {
    const counted = sign * (trade.quantityUnits - trade.excludedUnits);
    this.recentUnits += counted;
    this.recentValueTicks += counted * trade.priceTicks;
  }

  private weighDay(trade: WindowTrade, sign: 1 | -1): void {
    const counted = sign * (trade.quantityUnits - trade.excludedUnits);
    this.dayUnits += counted;
    this.dayValueTicks += counted * trade.priceTicks;
    this.volumeUnits += sign * trade.quantityUnits;
    addTo(this.tradesOf, trade.buyer, sign);
    addTo(this.tradesOf, trade.seller, sign);
    addTo(this.pairUnits, pairKey(trade.buyer, trade.seller), sign * trade.quantityUnits);
  }

  /** Forgets trades that left the day. Only where time cannot go back any more: when a trade is added. */
  private compact(): void {
    if (this.dayHead <= 1024 || this.dayHead * 2 <= this.trades.length) return;
    this.trades = this.trades.slice(this.dayHead);
    this.recentHead -= this.dayHead;
    this.dayHead = 0;
  }
}

/** Value of a quantity at a price, in micro-dollars. */
export function valueMicros(quantityUnits: number, priceTicks: number): number {
  return quantityUnits * priceTicks * MICROS_PER_TICK;
}
