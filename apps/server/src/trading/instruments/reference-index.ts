import { formatIso, formatPriceTicks, parseRequestTime } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import { periodStart, RESOLUTIONS } from '../../sequencer/candles.ts';
import type { Queryable } from '../../store/database.ts';
import { fail, invalidField } from '../http/route.ts';
import type { OpenInterest } from './open-interest.ts';

const OFFERED = ['1h', '4h', '1d', '1w'];
const NAMES = new Set(['resolution', 'from', 'to']);
const MAX_PERIODS = 5_000;
const DEFAULT_PERIODS = 30;
const WEEK_MS = 7 * 86_400_000;

interface Window {
  readonly resolution: string;
  readonly periodMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Sums {
  readonly start: number;
  readonly units: number;
  readonly countedUnits: number;
  readonly countedTicks: number;
  readonly trades: number;
}

const NOTHING = { units: 0, countedUnits: 0, countedTicks: 0, trades: 0 };

/**
 * The reference index of an instrument: what was paid on average in each period, and what is open at its end. It begins
 * with the first trade.
 *
 * @throws GridFailure `validation_failed`, `window_too_large`.
 */
export async function referenceIndex(
  deps: { database: Queryable; openInterest: OpenInterest; nowMs: number },
  instrument: Instrument,
  query: URLSearchParams,
): Promise<Record<string, unknown>[]> {
  const window = windowOf(query, deps.nowMs);
  const first = await firstPeriod(deps.database, instrument, window);
  if (first === undefined) return [];
  const sums = await readSums(deps.database, instrument, window);
  const starts: number[] = [];
  const fromMs = Math.max(window.fromMs, first);
  for (let at = fromMs; at < window.toMs; at += window.periodMs) starts.push(at);
  const ends = starts.map((start) => start + window.periodMs);
  const openAt = await deps.openInterest.unitsAt(instrument.instrumentNo, ends);
  const current = deps.openInterest.currentUnits(instrument.instrumentNo);
  const trailing = trailingOf(sums, window);
  const byStart = new Map(sums.map((row) => [row.start, row]));
  return starts.map((start) => {
    const row = byStart.get(start) ?? { ...NOTHING, start };
    const endMs = start + window.periodMs;
    return {
      period_start: formatIso(start),
      vwap: averageOf(row.countedTicks, row.countedUnits),
      vwap_7d: trailing(start),
      volume: row.units,
      num_trades: row.trades,
      open_interest_units: endMs > deps.nowMs ? current : (openAt(endMs) ?? null),
    };
  });
}

function windowOf(query: URLSearchParams, nowMs: number): Window {
  for (const name of query.keys()) {
    if (!NAMES.has(name) || query.getAll(name).length > 1)
      throw invalidField('query', 'takes resolution, from, to, once each');
  }
  const resolution = query.get('resolution') ?? '1d';
  const period = RESOLUTIONS.get(resolution);
  if (period === undefined || !OFFERED.includes(resolution))
    throw invalidField('resolution', `takes ${OFFERED.join(', ')}`);
  const endMs = periodStart(nowMs, period) + period.periodMs;
  const toMs = Math.min(timeOf('to', query.get('to')) ?? endMs, endMs);
  const askedMs = timeOf('from', query.get('from')) ?? toMs - DEFAULT_PERIODS * period.periodMs;
  if (askedMs > toMs) throw invalidField('from', 'must not be after to');
  const fromMs = periodStart(askedMs, period);
  if ((toMs - fromMs) / period.periodMs > MAX_PERIODS)
    throw fail('window_too_large', { context: { limit: MAX_PERIODS } });
  return { resolution, periodMs: period.periodMs, fromMs, toMs };
}

function timeOf(field: string, text: string | null): number | undefined {
  if (text === null) return undefined;
  const atMs = parseRequestTime(text);
  if (atMs === undefined || atMs < 0) throw invalidField(field, 'is not a time');
  return atMs;
}

async function firstPeriod(
  store: Queryable,
  { instrumentNo }: Instrument,
  { resolution }: Window,
): Promise<number | undefined> {
  const { rows } = await store.query<{ start: number | null }>({
    name: 'index_start',
    text: 'select min(period_start_ms) as start from candles where instrument_no = $1 and resolution = $2',
    values: [instrumentNo, resolution],
  });
  return rows[0]?.start ?? undefined;
}

/** Candles of the window and of the week before it, which its trailing averages need. */
async function readSums(store: Queryable, instrument: Instrument, window: Window): Promise<Sums[]> {
  const { rows } = await store.query<Sums>({
    name: 'index_sums',
    text: `select period_start_ms as start, units, counted_units as "countedUnits", counted_ticks as "countedTicks",
             trade_count as trades from candles
           where instrument_no = $1 and resolution = $2 and period_start_ms < $4 and period_start_ms >= $3
           order by period_start_ms`,
    values: [instrument.instrumentNo, window.resolution, window.fromMs - WEEK_MS, window.toMs],
  });
  return rows;
}

/** Volume-weighted over the seven days that end with a period. The rows are in order, and so are the calls. */
function trailingOf(sums: readonly Sums[], { periodMs }: Window): (startMs: number) => string | null {
  let [oldest, next, ticks, units] = [0, 0, 0, 0];
  return (startMs) => {
    const endMs = startMs + periodMs;
    for (let row = sums[next]; row !== undefined && row.start < endMs; next += 1, row = sums[next]) {
      ticks += row.countedTicks;
      units += row.countedUnits;
    }
    for (
      let row = sums[oldest];
      row !== undefined && row.start < endMs - WEEK_MS;
      oldest += 1, row = sums[oldest]
    ) {
      ticks -= row.countedTicks;
      units -= row.countedUnits;
    }
    return averageOf(ticks, units);
  };
}

/** Rounded half up to the tick; null where nothing was traded. */
function averageOf(ticks: number, units: number): string | null {
  return units === 0 ? null : formatPriceTicks(Math.floor((2 * ticks + units) / (2 * units)));
}
