import { decodeCursor, encodeCursor } from '../../http/cursor.ts';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import { fail, invalidField, type TradingAnswer } from '../http/route.ts';
import { type Filter, type ListQuery, parseListQuery } from './list-query.ts';

type Row = Readonly<Record<string, unknown>>;

/** A row and its number in the list, which never changes and breaks ties. */
export interface PlacedRow {
  readonly place: number;
  readonly row: Row;
}

/** A list that is in memory as a whole and seldom changes, such as that of the markets. */
export interface MemoryListSpec {
  /** Name in cursors. */
  readonly name: string;
  /** Members that may be filtered by, each the text of one value. */
  readonly fields: readonly string[];
  /** Members that may be ordered by; the first is the default. */
  readonly orderBy: readonly [string, ...string[]];
  readonly instruments: InstrumentCatalogue;
}

const MAX_LIMIT = 100;

/**
 * One page of a list in memory, with the filters, orders and cursors of every other list.
 *
 * @throws GridFailure `validation_failed`, `invalid_cursor`.
 */
export function memoryPage(
  rows: readonly PlacedRow[],
  spec: MemoryListSpec,
  search: URLSearchParams,
): TradingAnswer {
  const { orderBy } = spec;
  const rules = { fields: new Set(spec.fields), orderBy, direction: 'asc', maxLimit: MAX_LIMIT } as const;
  const query = parseListQuery(search, rules);
  const bound = [spec.name, query.filters, query.orderBy, query.direction];
  const sign = query.direction === 'asc' ? 1 : -1;
  const matching = rows.filter(({ row }) => query.filters.every((filter) => matches(row, filter, spec)));
  const sorted = matching.sort((a, b) => sign * compare(keyOf(a, query), keyOf(b, query)));
  const from = firstIndex(sorted, query, bound);
  const shown = sorted.slice(from, from + query.limit);
  const hasMore = from + query.limit < sorted.length;
  const cursor = (row: PlacedRow | undefined, direction: 'next' | 'prev'): string | null =>
    row === undefined ? null : encodeCursor({ key: keyOf(row, query), direction }, bound);
  const paging = {
    next_cursor: hasMore ? cursor(shown.at(-1), 'next') : null,
    prev_cursor: from > 0 ? cursor(shown[0], 'prev') : null,
    has_more: hasMore,
  };
  return { status: 200, body: { data: shown.map(({ row }) => row), paging } };
}

type Key = readonly [string, number];

function keyOf({ place, row }: PlacedRow, { orderBy }: ListQuery): Key {
  return [String(row[orderBy]), place];
}

function compare([a, aPlace]: Key, [b, bPlace]: Key): number {
  if (a === b) return aPlace - bPlace;
  return a < b ? -1 : 1;
}

function firstIndex(sorted: readonly PlacedRow[], query: ListQuery, bound: unknown): number {
  if (query.cursor === undefined) return 0;
  const position = decodeCursor(query.cursor.text, bound);
  const [text, place] = position?.key ?? [];
  if (position?.direction !== query.cursor.direction || typeof text !== 'string' || typeof place !== 'number')
    throw fail('invalid_cursor');
  const sign = query.direction === 'asc' ? 1 : -1;
  const distance = (row: PlacedRow): number => sign * compare(keyOf(row, query), [text, place]);
  if (query.cursor.direction === 'prev')
    return Math.max(0, sorted.filter((row) => distance(row) < 0).length - query.limit);
  const next = sorted.findIndex((row) => distance(row) > 0);
  return next === -1 ? sorted.length : next;
}

/** Text without regard to case; ids in every spelling that a path takes. */
function matches(row: Row, { field, operator, values }: Filter, { instruments }: MemoryListSpec): boolean {
  if (operator !== '==' && operator !== 'in' && operator !== '!=')
    throw invalidField(field, 'is not ordered');
  const own = String(row[field]).toLowerCase();
  const isAny = values.some((value) => canonical(field, value, instruments).toLowerCase() === own);
  return operator === '!=' ? !isAny : isAny;
}

function canonical(field: string, value: string, instruments: InstrumentCatalogue): string {
  if (field === 'market_id') return instruments.find(value)?.marketId ?? value;
  if (field === 'instrument_id') return instruments.find(value)?.instrumentId ?? value;
  return value;
}
