import type { TradeEvent } from '@opengrid/exchange';
import { TableRows } from './table-rows.ts';
import { CANDLES } from './tables.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How time is cut into periods. */
export interface Resolution {
  readonly periodMs: number;
  /** Start of one period: weeks start on Mondays, and 1970 started on a Thursday. */
  readonly originMs: number;
}

const MINUTE: Resolution = { periodMs: MINUTE_MS, originMs: 0 };

/** Every resolution that candles are kept in, by its name. */
export const RESOLUTIONS: ReadonlyMap<string, Resolution> = new Map([
  ['1m', MINUTE],
  ['5m', { periodMs: 5 * MINUTE_MS, originMs: 0 }],
  ['15m', { periodMs: 15 * MINUTE_MS, originMs: 0 }],
  ['30m', { periodMs: 30 * MINUTE_MS, originMs: 0 }],
  ['1h', { periodMs: HOUR_MS, originMs: 0 }],
  ['4h', { periodMs: 4 * HOUR_MS, originMs: 0 }],
  ['1d', { periodMs: DAY_MS, originMs: 0 }],
  ['1w', { periodMs: 7 * DAY_MS, originMs: 4 * DAY_MS }],
]);

/** Start of the period that a time is in, Unix milliseconds. */
export function periodStart(atMs: number, { periodMs, originMs }: Resolution): number {
  return Math.floor((atMs - originMs) / periodMs) * periodMs + originMs;
}

interface Candle {
  readonly instrument_no: number;
  readonly resolution: string;
  readonly period_start_ms: number;
  readonly open_ticks: number;
  high_ticks: number;
  low_ticks: number;
  close_ticks: number;
  units: number;
  value_ticks: number;
  counted_units: number;
  counted_ticks: number;
  trade_count: number;
}

type TradedQuantity = Pick<TradeEvent, 'instrument' | 'priceTicks' | 'quantityUnits' | 'excludedUnits'>;

/**
 * What the trades of one batch add to the candles. The store merges it with what it has, so that no earlier trade is ever
 * read again. A trade is added to its minute alone; longer periods are whole minutes, and are made of those at the end.
 */
export class CandleChanges {
  private readonly minutes: Candle[] = [];

  /** Trades come in the order of their times. */
  add(trade: TradedQuantity, atMs: number): void {
    const startMs = periodStart(atMs, MINUTE);
    const minute = this.minuteOf(trade, startMs);
    const { priceTicks, quantityUnits, excludedUnits } = trade;
    const countedUnits = quantityUnits - excludedUnits;
    minute.high_ticks = Math.max(minute.high_ticks, priceTicks);
    minute.low_ticks = Math.min(minute.low_ticks, priceTicks);
    minute.close_ticks = priceTicks;
    minute.units += quantityUnits;
    minute.value_ticks += quantityUnits * priceTicks;
    minute.counted_units += countedUnits;
    minute.counted_ticks += countedUnits * priceTicks;
    minute.trade_count += 1;
  }

  rows(): TableRows {
    const candles = new Map<string, Candle>();
    for (const [resolution, period] of RESOLUTIONS) {
      for (const minute of this.minutes) {
        const startMs = periodStart(minute.period_start_ms, period);
        const key = `${minute.instrument_no}:${resolution}:${startMs}`;
        const candle = candles.get(key);
        if (candle !== undefined) merge(candle, minute);
        else candles.set(key, { ...minute, resolution, period_start_ms: startMs });
      }
    }
    const rows = new TableRows(CANDLES);
    for (const candle of candles.values()) rows.add({ ...candle });
    return rows;
  }

  /** A batch has few minutes and markets, and most trades belong to the one before them. */
  private minuteOf({ instrument, priceTicks }: TradedQuantity, startMs: number): Candle {
    const known = this.minutes.findLast(
      (candle) => candle.instrument_no === instrument && candle.period_start_ms === startMs,
    );
    if (known !== undefined) return known;
    const minute = {
      instrument_no: instrument,
      resolution: '1m',
      period_start_ms: startMs,
      open_ticks: priceTicks,
      high_ticks: priceTicks,
      low_ticks: priceTicks,
      close_ticks: priceTicks,
      units: 0,
      value_ticks: 0,
      counted_units: 0,
      counted_ticks: 0,
      trade_count: 0,
    };
    this.minutes.push(minute);
    return minute;
  }
}

function merge(candle: Candle, later: Candle): void {
  candle.high_ticks = Math.max(candle.high_ticks, later.high_ticks);
  candle.low_ticks = Math.min(candle.low_ticks, later.low_ticks);
  candle.close_ticks = later.close_ticks;
  candle.units += later.units;
  candle.value_ticks += later.value_ticks;
  candle.counted_units += later.counted_units;
  candle.counted_ticks += later.counted_ticks;
  candle.trade_count += later.trade_count;
}
