import { parseRequestTime } from '@opengrid/wire';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { FieldSpec } from './list-page.ts';

/** A market or an instrument in any spelling. One that does not exist matches nothing. */
export function instrumentField(instruments: InstrumentCatalogue, sql: string): FieldSpec {
  return { sql, type: 'integer', read: (text) => [instruments.find(text)?.instrumentNo ?? 0] };
}

/** The edge of a time range: inclusive start, exclusive end. */
export function timeField(sql: string, edge: '>=' | '<'): FieldSpec {
  return {
    sql,
    type: 'bigint',
    edge,
    read: (text) => {
      const atMs = parseRequestTime(text);
      return atMs === undefined ? undefined : [atMs];
    },
  };
}

/** One of a few words; a word may stand for several values. */
export function wordField(sql: string, words: ReadonlyMap<string, readonly string[]>): FieldSpec {
  return { sql, type: 'text', read: (text) => words.get(text) };
}

export function words(...list: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(list.map((word) => [word, [word]]));
}
