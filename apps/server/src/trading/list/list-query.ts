import { invalidField } from '../http/route.ts';

export type FilterOperator = '==' | '!=' | '>=' | '<=' | '>' | '<' | 'in';

/** One condition of a list. The values are those that were sent, at least one. */
export interface Filter {
  readonly field: string;
  readonly operator: FilterOperator;
  readonly values: readonly string[];
}

export interface ListQuery {
  readonly filters: readonly Filter[];
  readonly limit: number;
  readonly cursor: { readonly text: string; readonly direction: 'next' | 'prev' } | undefined;
  readonly orderBy: string;
  readonly direction: 'asc' | 'desc';
}

export interface ListRules {
  readonly fields: ReadonlySet<string>;
  /** What may be ordered by; the first is the default. */
  readonly orderBy: readonly [string, ...string[]];
  readonly direction: 'asc' | 'desc';
  readonly maxLimit: number;
}

const OPERATORS: ReadonlySet<string> = new Set(['==', '!=', '>=', '<=', '>', '<', 'in']);
const DEFAULT_LIMIT = 50;
const MAX_VALUES = 100;
const MAX_VALUE_LENGTH = 128;
/** Names that are parameters, also when they are sent as a nested filter. `page` is ignored. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'limit',
  'page_size',
  'page',
  'next',
  'prev',
  'order_by',
  'order_direction',
]);
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['order_directions', 'order_direction'],
  ['from_date', 'start_datetime'],
  ['to_date', 'end_datetime'],
]);
const NESTED = /^filters\[(\d{1,3})\]\[(field|op|value)\](?:\[\])?$/;

interface Collected {
  readonly parameters: Map<string, string>;
  readonly filters: Map<string, Filter>;
}

/**
 * Reads the query of a list in any of its spellings: flat, `filters[n][field]`, `flop[filters][n][field]`.
 *
 * @throws GridFailure `validation_failed` for unknown fields and values that cannot be.
 */
export function parseListQuery(query: URLSearchParams, rules: ListRules): ListQuery {
  const { parameters, filters } = collect(query);
  for (const { field } of filters.values()) {
    if (!rules.fields.has(field)) throw invalidField('filters', 'names a field that is not known here');
  }
  const [next, prev] = [parameters.get('next'), parameters.get('prev')];
  if (next !== undefined && prev !== undefined) throw invalidField('next', 'excludes prev');
  const text = next ?? prev;
  return {
    filters: [...filters.values()],
    limit: limitOf(parameters, rules.maxLimit),
    cursor: text === undefined ? undefined : { text, direction: next === undefined ? 'prev' : 'next' },
    orderBy: wordOf(parameters.get('order_by'), rules.orderBy, 'order_by') ?? rules.orderBy[0],
    direction:
      wordOf(parameters.get('order_direction'), ['asc', 'desc'] as const, 'order_direction') ??
      rules.direction,
  };
}

function collect(query: URLSearchParams): Collected {
  const collected: Collected = { parameters: new Map(), filters: new Map() };
  const nested = new Map<string, { field?: string; operator: string; values: string[] }>();
  for (const [rawName, value] of query) {
    const name = rawName.startsWith('flop[') ? rawName.replace(/^flop\[(\w+)\]/, '$1') : rawName;
    const [, index, member] = NESTED.exec(name) ?? [];
    if (index === undefined) {
      add(collected, { field: name.replace(/\[\d*\]$/, ''), operator: '==', values: value.split(',') });
      continue;
    }
    const entry = nested.get(index) ?? { operator: '==', values: [] };
    nested.set(index, entry);
    if (member === 'field') entry.field = value;
    else if (member === 'op') entry.operator = value;
    else entry.values.push(...value.split(','));
  }
  for (const { field, operator, values } of nested.values()) {
    if (field === undefined || !OPERATORS.has(operator) || values.length === 0)
      throw invalidField('filters', 'takes a field, an operator and a value');
    add(collected, { field, operator: operator as FilterOperator, values });
  }
  return collected;
}

function add({ parameters, filters }: Collected, filter: Filter): void {
  const field = ALIASES.get(filter.field) ?? filter.field;
  const isSound = filter.values.every(
    (value) => PARAMETERS.has(field) || (value.length <= MAX_VALUE_LENGTH && !hasControl(value)),
  );
  if (!isSound) throw invalidField('filters', 'has a value that cannot be one');
  if (PARAMETERS.has(field)) {
    parameters.set(field, filter.values.join(','));
    return;
  }
  const key = `${field} ${filter.operator}`;
  const values = [...(filters.get(key)?.values ?? []), ...filter.values];
  if (values.length > MAX_VALUES) throw invalidField('filters', `takes at most ${MAX_VALUES} values`);
  filters.set(key, { field, operator: filter.operator, values });
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function limitOf(parameters: Map<string, string>, max: number): number {
  const text = parameters.get('limit') ?? parameters.get('page_size');
  if (text === undefined) return Math.min(max, DEFAULT_LIMIT);
  if (/^\d{1,15}$/.test(text) && Number(text) >= 1) return Math.min(max, Number(text));
  throw invalidField('limit', 'takes a whole number from 1');
}

function wordOf<T extends string>(
  text: string | undefined,
  words: readonly T[],
  name: string,
): T | undefined {
  if (text === undefined) return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw invalidField(name, `takes ${words.join(', ')}`);
  return word;
}
