import { formatIso, formatMoneyMicros, formatPriceTicks, parseRequestTime } from '@opengrid/wire';
import { decodeCursor, encodeCursor } from '../../http/cursor.ts';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { Database } from '../../store/database.ts';
import {
  fail,
  invalidField,
  type TradingAnswer,
  type TradingCall,
  type TradingRoute,
} from '../http/route.ts';
import { type ListQuery, parseListQuery } from '../list/list-query.ts';

export interface CandleDeps {
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
}

interface Resolution {
  readonly periodMs: number;
  /** Where the first period starts: weeks start on Mondays, and 1970 started on a Thursday. */
  readonly originMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const RESOLUTIONS: ReadonlyMap<string, Resolution> = new Map([
  ['1m', { periodMs: MINUTE_MS, originMs: 0 }],
  ['5m', { periodMs: 5 * MINUTE_MS, originMs: 0 }],
  ['15m', { periodMs: 15 * MINUTE_MS, originMs: 0 }],
  ['30m', { periodMs: 30 * MINUTE_MS, originMs: 0 }],
  ['1h', { periodMs: 60 * MINUTE_MS, originMs: 0 }],
  ['4h', { periodMs: 240 * MINUTE_MS, originMs: 0 }],
  ['1d', { periodMs: DAY_MS, originMs: 0 }],
  ['1w', { periodMs: 7 * DAY_MS, originMs: 4 * DAY_MS }],
]);
const MAX_CANDLES = 5_000;
const DEFAULT_CANDLES = 500;
const FIELDS = new Set(['market_id', 'resolution', 'from', 'to', 'fill']);

/** One period of one market. `countedUnits` leaves out what volume-weighted prices leave out. */
interface Candle {
  readonly start: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly units: number;
  readonly valueTicks: number;
  readonly countedUnits: number;
  readonly countedTicks: number;
  readonly trades: number;
}

interface Window extends Resolution {
  readonly instrument: Instrument;
  readonly resolution: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isFilled: boolean;
}

const SELECT = `
  select (executed_at_ms - $5) / $4 * $4 + $5 as start, (array_agg(price_ticks order by market_trade))[1] as open,
    max(price_ticks) as high, min(price_ticks) as low,
    (array_agg(price_ticks order by market_trade desc))[1] as close, sum(quantity_units) as units,
    sum(quantity_units * price_ticks) as "valueTicks", sum(quantity_units - excluded_units) as "countedUnits",
    sum((quantity_units - excluded_units) * price_ticks) as "countedTicks", count(*) as trades
  from trades where instrument_no = $1 and executed_at_ms >= $2 and executed_at_ms < $3
  group by 1 order by 1`;

/** Candles, from the trades. */
export function candleRoutes(deps: CandleDeps): TradingRoute[] {
  return [
    {
      method: 'GET',
      path: '/price-histories',
      scope: 'trade:read',
      consumptionKeys: 'allowed',
      rate: 'read',
      handle: (call) => listCandles(deps, call),
    },
  ];
}

async function listCandles(deps: CandleDeps, call: TradingCall): Promise<TradingAnswer> {
  const rules = {
    fields: FIELDS,
    orderBy: ['period_start'],
    direction: 'asc',
    maxLimit: MAX_CANDLES,
  } as const;
  const query = parseListQuery(call.query, rules);
  const window = windowOf(deps, query, call.nowMs);
  const { rows } = await deps.database.query<Candle>({
    name: 'candles',
    text: SELECT,
    values: [window.instrument.instrumentNo, window.fromMs, window.toMs, window.periodMs, window.originMs],
  });
  const candles = window.isFilled ? filled(rows, window) : rows;
  const ordered = query.direction === 'asc' ? candles : [...candles].reverse();
  return pageOf(ordered, { query, window, accountNumber: call.caller.accountNumber });
}

function windowOf({ instruments }: CandleDeps, query: ListQuery, nowMs: number): Window {
  const value = (field: string): string | undefined =>
    query.filters.find((filter) => filter.field === field)?.values[0];
  const reference = value('market_id');
  if (reference === undefined) throw invalidField('market_id', 'is required');
  const instrument = instruments.find(reference);
  if (instrument === undefined) throw fail('market_not_found');
  const resolution = value('resolution') ?? '';
  const period = RESOLUTIONS.get(resolution);
  if (period === undefined) throw invalidField('resolution', `takes ${[...RESOLUTIONS.keys()].join(', ')}`);
  const toMs = timeOf('to', value('to')) ?? startOf(nowMs, period) + period.periodMs;
  const fromMs = timeOf('from', value('from')) ?? Math.max(0, toMs - DEFAULT_CANDLES * period.periodMs);
  const count = Math.ceil((toMs - startOf(fromMs, period)) / period.periodMs);
  if (count > MAX_CANDLES) throw fail('window_too_large', { context: { limit: MAX_CANDLES } });
  const isFilled = value('fill') === 'true';
  return { instrument, resolution, ...period, fromMs: startOf(fromMs, period), toMs, isFilled };
}

function timeOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const atMs = parseRequestTime(text);
  if (atMs === undefined || atMs < 0) throw invalidField(field, 'is not a time');
  return atMs;
}

function startOf(atMs: number, { periodMs, originMs }: Resolution): number {
  return Math.floor((atMs - originMs) / periodMs) * periodMs + originMs;
}

/** Repeats the last close with no volume where nothing was traded. Before the first trade there is nothing to repeat. */
function filled(candles: readonly Candle[], { periodMs, toMs }: Window): Candle[] {
  const result: Candle[] = [];
  for (const [index, candle] of candles.entries()) {
    result.push(candle);
    const endMs = candles[index + 1]?.start ?? toMs;
    const { close } = candle;
    const empty = { units: 0, valueTicks: 0, countedUnits: 0, countedTicks: 0, trades: 0 };
    for (let start = candle.start + periodMs; start < endMs; start += periodMs)
      result.push({ start, open: close, high: close, low: close, close, ...empty });
  }
  return result;
}

function pageOf(
  candles: readonly Candle[],
  { query, window, accountNumber }: { query: ListQuery; window: Window; accountNumber: number },
): TradingAnswer {
  // A cursor stays good while time goes on: what is bound is the request, not the window it means at the moment.
  const bound = ['candles', accountNumber, query.filters, query.direction];
  const from = firstIndex(candles, query, bound);
  const shown = candles.slice(from, from + query.limit);
  const cursor = (candle: Candle | undefined, direction: 'next' | 'prev'): string | null =>
    candle === undefined ? null : encodeCursor({ key: [candle.start], direction }, bound);
  const hasMore = from + query.limit < candles.length;
  const body = {
    data: shown.map((candle) => shapeOf(candle, window)),
    paging: {
      next_cursor: hasMore ? cursor(shown.at(-1), 'next') : null,
      prev_cursor: from > 0 ? cursor(shown[0], 'prev') : null,
      has_more: hasMore,
    },
  };
  return { status: 200, body };
}

function firstIndex(candles: readonly Candle[], query: ListQuery, bound: unknown): number {
  if (query.cursor === undefined) return 0;
  const position = decodeCursor(query.cursor.text, bound);
  const start = position?.key[0];
  if (position?.direction !== query.cursor.direction || typeof start !== 'number')
    throw fail('invalid_cursor');
  const isAfter = (candle: Candle): boolean =>
    query.direction === 'asc' ? candle.start > start : candle.start < start;
  const next = candles.findIndex(isAfter);
  const following = next === -1 ? candles.length : next;
  return query.cursor.direction === 'next' ? following : Math.max(0, following - 1 - query.limit);
}

function shapeOf(candle: Candle, window: Window): Record<string, unknown> {
  const { countedUnits, countedTicks } = candle;
  const vwap =
    countedUnits === 0 ? candle.close : Math.floor((2 * countedTicks + countedUnits) / (2 * countedUnits));
  return {
    market_id: window.instrument.marketId,
    resolution: window.resolution,
    period_start: formatIso(candle.start),
    period_end: formatIso(candle.start + window.periodMs),
    open: formatPriceTicks(candle.open),
    high: formatPriceTicks(candle.high),
    low: formatPriceTicks(candle.low),
    close: formatPriceTicks(candle.close),
    volume: String(candle.units),
    quote_volume: formatMoneyMicros(candle.valueTicks * 100),
    num_trades: candle.trades,
    vwap: formatPriceTicks(vwap),
  };
}
