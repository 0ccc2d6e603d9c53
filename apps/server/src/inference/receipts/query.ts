import { type GridError, gridError, parseRequestTime, type Result } from '@opengrid/wire';

/** A condition on one column: any of these values, or none of them. */
export interface Condition {
  readonly field: string;
  readonly isNegated: boolean;
  readonly values: readonly string[];
}

/** The query of a list, whichever of the three spellings it came in. */
export interface ListQuery {
  readonly conditions: readonly Condition[];
  readonly params: ReadonlyMap<string, string>;
}

export interface ListQueryNames {
  readonly filters: readonly string[];
  readonly params: readonly string[];
}

const NESTED = /^(?:flop\[filters\]|filters)\[(\d{1,3})\]\[(field|op|value)\](?:\[\d*\])?$/;
const MAX_CONDITIONS = 50;

interface Nested {
  field?: string;
  op?: string;
  values: string[];
}

function refuse(param: string, message: string): { ok: false; error: GridError } {
  return { ok: false, error: gridError('invalid_request', { param, message }) };
}

/** Reads a query: flat (`status=a,b`), `filters[0][field]=…` and `flop[filters][0][field]=…`. */
export function parseListQuery(search: URLSearchParams, names: ListQueryNames): Result<ListQuery> {
  const params = new Map<string, string>();
  const flat = new Map<string, string[]>();
  const nested = new Map<number, Nested>();
  for (const [rawName, value] of search) {
    const match = NESTED.exec(rawName);
    if (match !== null) {
      addNested(nested, Number(match[1]), { part: match[2] ?? '', value });
      continue;
    }
    const name = rawName.replace(/\[\]$/, '');
    if (names.params.includes(name)) params.set(name, value);
    else if (names.filters.includes(name)) flat.set(name, [...(flat.get(name) ?? []), ...value.split(',')]);
    else return refuse('query', 'The query has a parameter that this list does not know.');
  }
  const conditions: Condition[] = [];
  for (const [field, values] of flat) conditions.push({ field, isNegated: false, values });
  const error = takeNested(nested, names, { params, conditions });
  if (error !== undefined) return { ok: false, error };
  return { ok: true, value: { conditions, params } };
}

function addNested(
  nested: Map<number, Nested>,
  at: number,
  { part, value }: { part: string; value: string },
): void {
  if (nested.size >= MAX_CONDITIONS && !nested.has(at)) return;
  const entry = nested.get(at) ?? { values: [] };
  if (part === 'field') entry.field = value;
  else if (part === 'op') entry.op = value;
  else entry.values.push(value);
  nested.set(at, entry);
}

function takeNested(
  nested: Map<number, Nested>,
  names: ListQueryNames,
  into: { params: Map<string, string>; conditions: Condition[] },
): GridError | undefined {
  for (const { field = '', op = '==', values } of nested.values()) {
    // An existing client sends its paging this way.
    if (names.params.includes(field)) into.params.set(field, values[0] ?? '');
    else if (!names.filters.includes(field)) return unknownFilter('field');
    else if (op === '==' || op === '!=') into.conditions.push({ field, isNegated: op === '!=', values });
    else if (op === 'in')
      into.conditions.push({ field, isNegated: false, values: values.flatMap((value) => value.split(',')) });
    else return unknownFilter('op');
  }
  return undefined;
}

function unknownFilter(part: 'field' | 'op'): GridError {
  const message = `A filter has a ${part} that this list does not know.`;
  return gridError('invalid_request', { param: 'filters', message });
}

/** A time parameter in milliseconds; undefined when it is not there. */
export function timeParam(params: ReadonlyMap<string, string>, name: string): Result<number | undefined> {
  const text = params.get(name);
  if (text === undefined || text === '') return { ok: true, value: undefined };
  const timeMs = parseRequestTime(text);
  if (timeMs !== undefined) return { ok: true, value: timeMs };
  return refuse(name, `'${name}' must be a time: ISO 8601 with an offset, a date, or Unix seconds.`);
}

/** One of some words, the first of them when it is not there. */
export function wordParam<Word extends string>(
  params: ReadonlyMap<string, string>,
  name: string,
  words: readonly [Word, ...Word[]],
): Result<Word> {
  const text = params.get(name);
  if (text === undefined || text === '') return { ok: true, value: words[0] };
  const word = words.find((known) => known === text);
  if (word !== undefined) return { ok: true, value: word };
  return refuse(name, `'${name}' must be one of ${words.join(', ')}.`);
}

/** The size of a page: 50 unless said otherwise, 100 at most. */
export function limitParam(params: ReadonlyMap<string, string>): Result<number> {
  const text = params.get('limit') ?? params.get('page_size');
  if (text === undefined) return { ok: true, value: 50 };
  if (/^[1-9]\d{0,8}$/.test(text)) return { ok: true, value: Math.min(100, Number(text)) };
  return refuse('limit', "'limit' must be a whole number of at least 1.");
}
