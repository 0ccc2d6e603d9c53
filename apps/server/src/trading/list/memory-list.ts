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
const MAX_PAGE_SIZE = 200;
const MAX_PAGE = 1_000_000;

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
  const query = queryOf(search, spec, MAX_LIMIT);
  const bound = [spec.name, query.filters, query.orderBy, query.direction];
  const sorted = chosen(rows, spec, query);
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

/**
 * One page of the same list as the Platform surface has them: by the number of the page, with all counts.
 *
 * @throws GridFailure `validation_failed`.
 */
export function memoryNumberedPage(
  rows: readonly PlacedRow[],
  spec: MemoryListSpec,
  search: URLSearchParams,
): Row {
  const query = queryOf(search, spec, MAX_PAGE_SIZE);
  if (query.cursor !== undefined) throw invalidField('page', 'goes without cursors here');
  const page = numberOf(search);
  const sorted = chosen(rows, spec, query);
  const offset = (page - 1) * query.limit;
  const totalPages = Math.ceil(sorted.length / query.limit);
  return {
    data: sorted.slice(offset, offset + query.limit).map(({ row }) => row),
    meta: {
      current_offset: offset,
      current_page: page,
      page_size: query.limit,
      total_count: sorted.length,
      total_pages: totalPages,
      has_next_page: page < totalPages,
      has_previous_page: page > 1,
    },
  };
}

function numberOf(search: URLSearchParams): number {
  const text = search.get('page') ?? '1';
  const page = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (page >= 1 && page <= MAX_PAGE) return page;
  throw invalidField('page', `takes a whole number from 1 to ${MAX_PAGE}`);
}

function queryOf(search: URLSearchParams, spec: MemoryListSpec, maxLimit: number): ListQuery {
  const { fields, orderBy } = spec;
  return parseListQuery(search, { fields: new Set(fields), orderBy, direction: 'asc', maxLimit });
}

/** The rows that are asked for, in the order that is asked for. */
function chosen(rows: readonly PlacedRow[], spec: MemoryListSpec, query: ListQuery): PlacedRow[] {
  const sign = query.direction === 'asc' ? 1 : -1;
  const matching = rows.filter(({ row }) => query.filters.every((filter) => matches(row, filter, spec)));
  return matching.sort((a, b) => sign * compare(keyOf(a, query), keyOf(b, query)));
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
