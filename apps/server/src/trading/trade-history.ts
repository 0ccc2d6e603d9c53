const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_HOURS = 168;

export interface HistoryTrade {
  readonly atMs: number;
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly excludedUnits: number;
}

export interface DayStatistics {
  readonly openTicks: number | undefined;
  readonly highTicks: number | undefined;
  readonly lowTicks: number | undefined;
  readonly closeTicks: number | undefined;
  readonly volumeUnits: number;
  /** Sum of quantity x price, in micro-dollars. */
  readonly valueMicros: number;
  readonly tradeCount: number;
}

function average(valueTicks: number, units: number): number | undefined {
  return units === 0 ? undefined : Math.floor((2 * valueTicks + units) / (2 * units));
}

/**
 * Trades of one market as its readers need them: the last 24 hours trade by trade, the last seven days by the hour. It
 * follows committed trades only.
 */
export class TradeHistory {
  private trades: HistoryTrade[] = [];
  private head = 0;
  private readonly hours = new Map<number, { valueTicks: number; units: number }>();
  last: HistoryTrade | undefined;

  add(trade: HistoryTrade): void {
    this.trades.push(trade);
    this.last = trade;
    const hour = Math.floor(trade.atMs / HOUR_MS);
    const counted = trade.quantityUnits - trade.excludedUnits;
    const bucket = this.hours.get(hour) ?? { valueTicks: 0, units: 0 };
    this.hours.set(hour, bucket);
    bucket.valueTicks += counted * trade.priceTicks;
    bucket.units += counted;
  }

  vwap24hTicks(nowMs: number): number | undefined {
    let valueTicks = 0;
    let units = 0;
    for (const trade of this.day(nowMs)) {
      const counted = trade.quantityUnits - trade.excludedUnits;
      valueTicks += counted * trade.priceTicks;
      units += counted;
    }
    return average(valueTicks, units);
  }

  /** Volume-weighted over the trailing seven days, to the hour. */
  vwap7dTicks(nowMs: number): number | undefined {
    const oldest = Math.floor(nowMs / HOUR_MS) - WEEK_HOURS;
    let valueTicks = 0;
    let units = 0;
    for (const [hour, bucket] of this.hours) {
      if (hour <= oldest) {
        this.hours.delete(hour);
        continue;
      }
      valueTicks += bucket.valueTicks;
      units += bucket.units;
    }
    return average(valueTicks, units);
  }

  dayStatistics(nowMs: number): DayStatistics {
    const trades = this.day(nowMs);
    let highTicks: number | undefined;
    let lowTicks: number | undefined;
    let volumeUnits = 0;
    let valueMicros = 0;
    for (const trade of trades) {
      highTicks = Math.max(highTicks ?? 0, trade.priceTicks);
      lowTicks = Math.min(lowTicks ?? Number.MAX_SAFE_INTEGER, trade.priceTicks);
      volumeUnits += trade.quantityUnits;
      valueMicros += trade.quantityUnits * trade.priceTicks * 100;
    }
    return {
      openTicks: trades[0]?.priceTicks,
      highTicks,
      lowTicks,
      closeTicks: trades[trades.length - 1]?.priceTicks,
      volumeUnits,
      valueMicros,
      tradeCount: trades.length,
    };
  }

  private day(nowMs: number): HistoryTrade[] {
    while (this.head < this.trades.length && this.trades[this.head]!.atMs <= nowMs - DAY_MS) this.head += 1;
    if (this.head > 4096) {
      this.trades = this.trades.slice(this.head);
      this.head = 0;
    }
    return this.head === 0 ? this.trades : this.trades.slice(this.head);
  }
}
