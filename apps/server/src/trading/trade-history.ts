import { SlidingExtreme, SlidingQueue } from './sliding.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEK_MINUTES = 7 * 24 * 60;

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

/** Quantity and quantity x price of some trades; `counted` leaves out what volume-weighted prices leave out. */
interface Sums {
  trades: number;
  units: number;
  valueTicks: number;
  countedUnits: number;
  countedTicks: number;
}

/** Trades of one millisecond: they enter and leave a window together. */
interface Moment extends Sums {
  readonly atMs: number;
  readonly openTicks: number;
}

/** Counted trades of one minute. */
interface Minute {
  readonly minute: number;
  units: number;
  valueTicks: number;
}

const MICROS_PER_TICK = 100;

function average(valueTicks: number, units: number): number | undefined {
  return units === 0 ? undefined : Math.floor((2 * valueTicks + units) / (2 * units));
}

function add(sums: Sums, change: Sums, sign: 1 | -1): void {
  sums.trades += sign * change.trades;
  sums.units += sign * change.units;
  sums.valueTicks += sign * change.valueTicks;
  sums.countedUnits += sign * change.countedUnits;
  sums.countedTicks += sign * change.countedTicks;
}

function sumsOf({ priceTicks, quantityUnits, excludedUnits }: HistoryTrade): Sums {
  const countedUnits = quantityUnits - excludedUnits;
  return {
    trades: 1,
    units: quantityUnits,
    valueTicks: quantityUnits * priceTicks,
    countedUnits,
    countedTicks: countedUnits * priceTicks,
  };
}

/**
 * Figures of the last 24 hours and seven days of one market, kept up trade by trade: no figure is computed from the
 * trades when it is asked for. A trade leaves the 24 hours exactly 24 hours after it was made; the seven days, which only
 * the long average reads, are exact to the minute. Trades come in the order of their times.
 */
export class TradeHistory {
  private readonly moments = new SlidingQueue<Moment>();
  private readonly highs = new SlidingExtreme('highest');
  private readonly lows = new SlidingExtreme('lowest');
  private readonly day: Sums = { trades: 0, units: 0, valueTicks: 0, countedUnits: 0, countedTicks: 0 };
  private readonly minutes = new SlidingQueue<Minute>();
  private weekUnits = 0;
  private weekTicks = 0;
  last: HistoryTrade | undefined;

  add(trade: HistoryTrade): void {
    this.last = trade;
    const sums = sumsOf(trade);
    add(this.day, sums, 1);
    const moment = this.moments.last;
    if (moment?.atMs === trade.atMs) add(moment, sums, 1);
    else this.moments.push({ atMs: trade.atMs, openTicks: trade.priceTicks, ...sums });
    this.highs.push(trade.atMs, trade.priceTicks);
    this.lows.push(trade.atMs, trade.priceTicks);
    this.addToWeek(Math.floor(trade.atMs / MINUTE_MS), sums);
  }

  vwap24hTicks(nowMs: number): number | undefined {
    this.leaveDay(nowMs);
    return average(this.day.countedTicks, this.day.countedUnits);
  }

  /** Volume-weighted over the trailing seven days, to the minute. */
  vwap7dTicks(nowMs: number): number | undefined {
    const oldest = Math.floor(nowMs / MINUTE_MS) - WEEK_MINUTES;
    for (let first = this.minutes.first; first !== undefined; first = this.minutes.first) {
      if (first.minute >= oldest) break;
      this.minutes.shift();
      this.weekUnits -= first.units;
      this.weekTicks -= first.valueTicks;
    }
    return average(this.weekTicks, this.weekUnits);
  }

  dayStatistics(nowMs: number): DayStatistics {
    this.leaveDay(nowMs);
    const { trades, units, valueTicks } = this.day;
    return {
      openTicks: this.moments.first?.openTicks,
      highTicks: this.highs.best,
      lowTicks: this.lows.best,
      closeTicks: trades === 0 ? undefined : this.last?.priceTicks,
      volumeUnits: units,
      valueMicros: valueTicks * MICROS_PER_TICK,
      tradeCount: trades,
    };
  }

  private addToWeek(minute: number, { countedUnits, countedTicks }: Sums): void {
    this.weekUnits += countedUnits;
    this.weekTicks += countedTicks;
    const last = this.minutes.last;
    if (last?.minute === minute) {
      last.units += countedUnits;
      last.valueTicks += countedTicks;
    } else this.minutes.push({ minute, units: countedUnits, valueTicks: countedTicks });
  }

  private leaveDay(nowMs: number): void {
    const edgeMs = nowMs - DAY_MS;
    for (let first = this.moments.first; first !== undefined; first = this.moments.first) {
      if (first.atMs > edgeMs) break;
      this.moments.shift();
      add(this.day, first, -1);
    }
    this.highs.leave(edgeMs);
    this.lows.leave(edgeMs);
  }
}
