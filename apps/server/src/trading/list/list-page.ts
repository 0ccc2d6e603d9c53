import { decodeCursor, encodeCursor } from '../../http/cursor.ts';
import type { Queryable } from '../../store/database.ts';
import { fail, invalidField, type TradingAnswer } from '../http/route.ts';
import { type Filter, type ListQuery, parseListQuery } from './list-query.ts';

type SqlValue = string | number;

/** How a filter becomes a condition. */
export interface FieldSpec {
  /** Expression over the rows of the list. */
  readonly sql: string;
  readonly type: 'text' | 'bigint' | 'integer';
  /** What `==` means for this field, where it is the edge of a range. */
  readonly edge?: '>=' | '<';
  /** The values that one text stands for; undefined when it cannot be one. */
  read(text: string): readonly SqlValue[] | undefined;
}

/** A list that is read page by page. */
export interface ListSpec {
  /** Name in cursors. */
  readonly name: string;
  /** A query whose first value is the account number. */
  readonly source: string;
  readonly fields: Readonly<Record<string, FieldSpec>>;
  /** Sort keys by the name clients know; the first is the default. None may be null. */
  readonly sorts: Readonly<Record<string, string>>;
  readonly direction: 'asc' | 'desc';
  /** Unique number that breaks ties. */
  readonly tie: string;
  readonly maxLimit: number;
}

interface Keys {
  readonly sortKey: number;
  readonly tieKey: number;
}

export const TEXT_FIELD = (sql: string): FieldSpec => ({ sql, type: 'text', read: (text) => [text] });

/**
 * One page of a list: rows after or before a cursor, by sort key and tie, so that rows inserted meanwhile are neither
 * skipped nor repeated.
 *
 * @throws GridFailure `validation_failed`, `invalid_cursor`.
 */
export async function listPage<Row>(
  store: Queryable,
  spec: ListSpec,
  request: { accountNumber: number; query: URLSearchParams; shape: (row: Row) => Record<string, unknown> },
): Promise<TradingAnswer> {
  const [first, ...rest] = Object.keys(spec.sorts) as [string, ...string[]];
  const { maxLimit, direction } = spec;
  const fields = new Set(Object.keys(spec.fields));
  const query = parseListQuery(request.query, { fields, orderBy: [first, ...rest], direction, maxLimit });
  const bound = [spec.name, request.accountNumber, query.filters, query.orderBy, query.direction];
  const position = positionOf(query, bound);
  const statement = new PageStatement(spec, query, request.accountNumber);
  const { rows } = await store.query<Row & Keys>(statement.build(position));
  return pageAnswer(rows, { query, bound, shape: request.shape });
}

function positionOf(query: ListQuery, bound: unknown): readonly (string | number)[] | undefined {
  const { cursor } = query;
  if (cursor === undefined) return undefined;
  const position = decodeCursor(cursor.text, bound);
  const isSound = position?.direction === cursor.direction && position.key.length === 2;
  if (!isSound || position.key.some((part) => typeof part !== 'number')) throw fail('invalid_cursor');
  return position.key;
}

class PageStatement {
  private readonly values: unknown[];
  private readonly spec: ListSpec;
  private readonly query: ListQuery;

  constructor(spec: ListSpec, query: ListQuery, accountNumber: number) {
    this.spec = spec;
    this.query = query;
    this.values = [accountNumber];
  }

  build(position: readonly (string | number)[] | undefined): { text: string; values: unknown[] } {
    const { spec, query } = this;
    const sort = spec.sorts[query.orderBy]!;
    const isBackwards = query.cursor?.direction === 'prev';
    const isDescending = (query.direction === 'desc') !== isBackwards;
    const conditions = query.filters.map((filter) => this.condition(filter));
    if (position !== undefined) {
      const [key, tie] = position.map((part) => `${this.bind(part)}::bigint`);
      conditions.push(`(${sort}, ${spec.tie}) ${isDescending ? '<' : '>'} (${key}, ${tie})`);
    }
    const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
    const order = isDescending ? 'desc' : 'asc';
    const text = `select r.*, ${sort} as "sortKey", ${spec.tie} as "tieKey" from (${spec.source}) r ${where}
      order by ${sort} ${order}, ${spec.tie} ${order} limit ${this.bind(query.limit + 1)}`;
    return { text, values: this.values };
  }

  private bind(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  private condition({ field, operator, values }: Filter): string {
    const spec = this.spec.fields[field]!;
    const read = values.flatMap((text) => {
      const found = spec.read(text);
      if (found === undefined) throw invalidField(field, 'has a value that cannot be one');
      return [...found];
    });
    const isSet = operator === '==' || operator === 'in' || operator === '!=';
    if (isSet && spec.edge === undefined) {
      const any = `${spec.sql} = any(${this.bind(read)}::${spec.type}[])`;
      return operator === '!=' ? `(${any}) is not true` : any;
    }
    if (read.length !== 1 || operator === '!=') throw invalidField(field, 'takes one value');
    const comparison = isSet ? spec.edge! : operator;
    return `${spec.sql} ${comparison} ${this.bind(read[0])}::${spec.type}`;
  }
}

function pageAnswer<Row>(
  rows: readonly (Row & Keys)[],
  page: { query: ListQuery; bound: unknown; shape: (row: Row) => Record<string, unknown> },
): TradingAnswer {
  const { query, bound, shape } = page;
  const isBackwards = query.cursor?.direction === 'prev';
  const isMore = rows.length > query.limit;
  const shown = rows.slice(0, query.limit);
  if (isBackwards) shown.reverse();
  const hasNext = isBackwards ? shown.length > 0 : isMore;
  const hasPrevious = isBackwards ? isMore : query.cursor !== undefined;
  const cursor = (row: Keys | undefined, direction: 'next' | 'prev'): string | null =>
    row === undefined ? null : encodeCursor({ key: [row.sortKey, row.tieKey], direction }, bound);
  const body = {
    data: shown.map((row) => shape(row)),
    paging: {
      next_cursor: hasNext ? cursor(shown.at(-1), 'next') : null,
      prev_cursor: hasPrevious ? cursor(shown[0], 'prev') : null,
      has_more: hasNext,
    },
  };
  return { status: 200, body };
}

/** A list that fits one page. */
export function wholeList(data: readonly unknown[]): TradingAnswer {
  return { status: 200, body: { data, paging: { next_cursor: null, prev_cursor: null, has_more: false } } };
}
