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

/** Every resolution that candles are kept in, by its name. */
export const RESOLUTIONS: ReadonlyMap<string, Resolution> = new Map([
  ['1m', { periodMs: MINUTE_MS, originMs: 0 }],
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
 * read again.
 */
export class CandleChanges {
  private readonly candles = new Map<string, Candle>();

  add(trade: TradedQuantity, atMs: number): void {
    for (const [resolution, period] of RESOLUTIONS) {
      const startMs = periodStart(atMs, period);
      const key = `${trade.instrument}:${resolution}:${startMs}`;
      const candle = this.candles.get(key);
      if (candle === undefined) this.candles.set(key, newCandle(trade, resolution, startMs));
      else follow(candle, trade);
    }
  }

  rows(): TableRows {
    const rows = new TableRows(CANDLES);
    for (const candle of this.candles.values()) rows.add({ ...candle });
    return rows;
  }
}

function newCandle(trade: TradedQuantity, resolution: string, startMs: number): Candle {
  const { instrument, priceTicks } = trade;
  const candle = {
    instrument_no: instrument,
    resolution,
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
  follow(candle, trade);
  return candle;
}

function follow(candle: Candle, { priceTicks, quantityUnits, excludedUnits }: TradedQuantity): void {
  const countedUnits = quantityUnits - excludedUnits;
  candle.high_ticks = Math.max(candle.high_ticks, priceTicks);
  candle.low_ticks = Math.min(candle.low_ticks, priceTicks);
  candle.close_ticks = priceTicks;
  candle.units += quantityUnits;
  candle.value_ticks += quantityUnits * priceTicks;
  candle.counted_units += countedUnits;
  candle.counted_ticks += countedUnits * priceTicks;
  candle.trade_count += 1;
}
