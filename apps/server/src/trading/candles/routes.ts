import { formatIso, formatMoneyMicros, formatPriceTicks, parseRequestTime } from '@opengrid/wire';
import { decodeCursor, encodeCursor } from '../../http/cursor.ts';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import { periodStart, RESOLUTIONS } from '../../sequencer/candles.ts';
import type { Database, Queryable } from '../../store/database.ts';
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

const MAX_CANDLES = 5_000;
const DEFAULT_CANDLES = 500;
const RULES = {
  fields: new Set(['market_id', 'resolution', 'from', 'to', 'fill']),
  orderBy: ['period_start'],
  direction: 'asc',
  maxLimit: MAX_CANDLES,
} as const;

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

interface Window {
  readonly periodMs: number;
  readonly instrument: Instrument;
  readonly resolution: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** End of the period that runs: what has not begun is not filled. */
  readonly endMs: number;
  readonly isFilled: boolean;
}

const COLUMNS = `period_start_ms as start, open_ticks as open, high_ticks as high, low_ticks as low,
  close_ticks as close, units, value_ticks as "valueTicks", counted_units as "countedUnits",
  counted_ticks as "countedTicks", trade_count as trades`;

/** Candles. They are kept up with every commit, so a request reads as many rows as it shows. */
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
  const query = parseListQuery(call.query, RULES);
  const window = windowOf(deps, query, call.nowMs);
  // A cursor stays good while time goes on: what is bound is the request, not the window it means at the moment.
  const bound = ['candles', call.caller.accountNumber, query.filters, query.direction];
  const position = positionOf(query, bound);
  const candles = window.isFilled
    ? nextOf(await readFilled(deps.database, window), query, position)
    : await readPage(deps.database, window, { query, position });
  return pageOf(candles, { query, window, bound });
}

/** The candles of one page and one more, in the direction of the cursor. */
async function readPage(
  store: Queryable,
  window: Window,
  { query, position }: { query: ListQuery; position: number | undefined },
): Promise<Candle[]> {
  const isAscending = runsAscending(query);
  const fromMs =
    isAscending && position !== undefined ? Math.max(window.fromMs, position + 1) : window.fromMs;
  const toMs = !isAscending && position !== undefined ? Math.min(window.toMs, position) : window.toMs;
  const { rows } = await store.query<Candle>({
    name: isAscending ? 'candles_up' : 'candles_down',
    text: `select ${COLUMNS} from candles
           where instrument_no = $1 and resolution = $2 and period_start_ms >= $3 and period_start_ms < $4
           order by period_start_ms ${isAscending ? 'asc' : 'desc'} limit $5`,
    values: [window.instrument.instrumentNo, window.resolution, fromMs, toMs, query.limit + 1],
  });
  return rows;
}

/** Every period of the window from the first trade on, those without a trade included. */
async function readFilled(store: Queryable, window: Window): Promise<Candle[]> {
  const { rows } = await store.query<Candle>({
    name: 'candles_filled',
    text: `select ${COLUMNS} from candles
           where instrument_no = $1 and resolution = $2 and period_start_ms < $4 and period_start_ms >= (
             select coalesce(max(period_start_ms), $3) from candles
             where instrument_no = $1 and resolution = $2 and period_start_ms <= $3)
           order by period_start_ms`,
    values: [window.instrument.instrumentNo, window.resolution, window.fromMs, window.toMs],
  });
  return filled(rows, window).filter(({ start }) => start >= window.fromMs);
}

/** What comes after the cursor, in its direction, of candles that are all there. */
function nextOf(candles: readonly Candle[], query: ListQuery, position: number | undefined): Candle[] {
  const isAscending = runsAscending(query);
  const ordered = isAscending ? candles : [...candles].reverse();
  const isNext = ({ start }: Candle): boolean =>
    position === undefined || (isAscending ? start > position : start < position);
  return ordered.filter(isNext).slice(0, query.limit + 1);
}

/** A cursor backwards runs against the order of the list. */
function runsAscending(query: ListQuery): boolean {
  return (query.direction === 'asc') !== (query.cursor?.direction === 'prev');
}

function windowOf({ instruments }: CandleDeps, query: ListQuery, nowMs: number): Window {
  const reference = oneValue(query, 'market_id');
  if (reference === undefined) throw invalidField('market_id', 'is required');
  const instrument = instruments.find(reference);
  if (instrument === undefined) throw fail('market_not_found');
  const resolution = oneValue(query, 'resolution') ?? '';
  const period = RESOLUTIONS.get(resolution);
  if (period === undefined) throw invalidField('resolution', `takes ${[...RESOLUTIONS.keys()].join(', ')}`);
  const { periodMs } = period;
  const endMs = periodStart(nowMs, period) + periodMs;
  const toMs = timeOf('to', oneValue(query, 'to', '<')) ?? endMs;
  const askedMs = timeOf('from', oneValue(query, 'from', '>=')) ?? toMs - DEFAULT_CANDLES * periodMs;
  if (askedMs > toMs) throw invalidField('from', 'must not be after to');
  const fromMs = periodStart(askedMs, period);
  const isTooLarge = Math.ceil((toMs - fromMs) / periodMs) > MAX_CANDLES;
  if (isTooLarge) throw fail('window_too_large', { context: { limit: MAX_CANDLES } });
  const fill = oneValue(query, 'fill') ?? 'false';
  if (fill !== 'true' && fill !== 'false') throw invalidField('fill', 'takes true or false');
  return { instrument, resolution, periodMs, fromMs, toMs, endMs, isFilled: fill === 'true' };
}

/** The one value of a filter, which may also be written with this operator. */
function oneValue(query: ListQuery, field: string, operator?: '>=' | '<'): string | undefined {
  const filters = query.filters.filter((filter) => filter.field === field);
  const [filter] = filters;
  if (filter === undefined) return undefined;
  const isUsual = filter.operator === '==' || filter.operator === 'in' || filter.operator === operator;
  if (filters.length > 1 || !isUsual || filter.values.length !== 1)
    throw invalidField(field, 'takes one value');
  return filter.values[0];
}

function timeOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const atMs = parseRequestTime(text);
  if (atMs === undefined || atMs < 0) throw invalidField(field, 'is not a time');
  return atMs;
}

/** Repeats the last close with no volume where nothing was traded. Before the first trade there is nothing to repeat. */
function filled(candles: readonly Candle[], { fromMs, toMs, endMs, periodMs }: Window): Candle[] {
  const result: Candle[] = [];
  for (const [index, candle] of candles.entries()) {
    result.push(candle);
    const nextMs = candles[index + 1]?.start ?? Math.min(toMs, endMs);
    const { close } = candle;
    const empty = { units: 0, valueTicks: 0, countedUnits: 0, countedTicks: 0, trades: 0 };
    // The one before the window may be years older; only its close is wanted.
    for (let start = Math.max(candle.start + periodMs, fromMs); start < nextMs; start += periodMs)
      result.push({ start, open: close, high: close, low: close, close, ...empty });
  }
  return result;
}

function positionOf({ cursor }: ListQuery, bound: unknown): number | undefined {
  if (cursor === undefined) return undefined;
  const position = decodeCursor(cursor.text, bound);
  const start = position?.key[0];
  if (position?.direction !== cursor.direction || typeof start !== 'number') throw fail('invalid_cursor');
  return start;
}

function pageOf(
  candles: readonly Candle[],
  { query, window, bound }: { query: ListQuery; window: Window; bound: unknown },
): TradingAnswer {
  const shown = candles.slice(0, query.limit);
  const hasBeyond = candles.length > query.limit;
  const isBackwards = query.cursor?.direction === 'prev';
  if (isBackwards) shown.reverse();
  const cursor = (candle: Candle | undefined, direction: 'next' | 'prev'): string | null =>
    candle === undefined ? null : encodeCursor({ key: [candle.start], direction }, bound);
  // A page that was reached backwards has the one it was reached from behind it.
  const hasNext = (isBackwards || hasBeyond) && shown.length > 0;
  const hasPrevious = isBackwards ? hasBeyond : query.cursor !== undefined;
  const body = {
    data: shown.map((candle) => shapeOf(candle, window)),
    paging: {
      next_cursor: hasNext ? cursor(shown.at(-1), 'next') : null,
      prev_cursor: hasPrevious ? cursor(shown[0], 'prev') : null,
      has_more: hasNext,
    },
  };
  return { status: 200, body };
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
