import { decodeCursor, encodeCursor } from '../../http/cursor.ts';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory, AccountProfile } from '../../ports/identity.ts';
import { fail, invalidField, type TradingAnswer, type TradingCall } from '../http/route.ts';
import { type Filter, type ListQuery, parseListQuery } from '../list/list-query.ts';

/** @throws GridFailure `account_not_found`. */
export function ownerOf({ accounts }: { accounts: AccountDirectory }, call: TradingCall): AccountProfile {
  const profile = accounts.byNumber(call.caller.accountNumber);
  if (profile === undefined) throw fail('account_not_found');
  return profile;
}

export function known(
  { instruments }: { instruments: InstrumentCatalogue },
  instrumentNo: number,
): Instrument {
  const instrument = instruments.byNumber(instrumentNo);
  if (instrument === undefined) throw new Error('a balance names an instrument of the catalogue');
  return instrument;
}

type Row = Readonly<Record<string, unknown>>;

/** A list that is read as a whole, since it has a row per instrument at most. */
export interface InstrumentRows {
  /** Name in cursors, so that one of another list is refused. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** Members that may be filtered by. */
  readonly fields: ReadonlySet<string>;
}

/**
 * One page of such a list, with the filters and cursors of every other.
 *
 * @throws GridFailure `validation_failed`, `invalid_cursor`.
 */
export function filterRows(
  instruments: InstrumentCatalogue,
  asked: URLSearchParams,
  { name, rows, fields }: InstrumentRows,
): TradingAnswer {
  const rules = { fields, orderBy: ['created_at'], direction: 'desc', maxLimit: 100 } as const;
  const query = parseListQuery(asked, rules);
  const wanted = rows.filter((row) => isWanted(instruments, row, query.filters));
  const bound = [name, query.filters];
  const from = firstIndex(wanted, query, bound);
  const shown = wanted.slice(from, from + query.limit);
  const hasMore = from + query.limit < wanted.length;
  const cursor = (row: Row | undefined, direction: 'next' | 'prev'): string | null =>
    row === undefined ? null : encodeCursor({ key: [assetOf(row)], direction }, bound);
  const paging = {
    next_cursor: hasMore ? cursor(shown.at(-1), 'next') : null,
    prev_cursor: from > 0 ? cursor(shown[0], 'prev') : null,
    has_more: hasMore,
  };
  return { status: 200, body: { data: shown, paging } };
}

/** What the row is about: no two rows of a list are about the same. */
function assetOf(row: Row): string {
  return String(row.instrument_id ?? row.currency);
}

/** Rows are added, but none ever goes or moves, so the last one of a page is found again. */
function firstIndex(rows: readonly Row[], { cursor, limit }: ListQuery, bound: unknown): number {
  if (cursor === undefined) return 0;
  const position = decodeCursor(cursor.text, bound);
  const place = rows.findIndex((row) => assetOf(row) === position?.key[0]);
  if (position?.direction !== cursor.direction || place === -1) throw fail('invalid_cursor');
  return cursor.direction === 'next' ? place + 1 : Math.max(0, place - limit);
}

function isWanted(instruments: InstrumentCatalogue, row: Row, filters: readonly Filter[]): boolean {
  return filters.every(({ field, operator, values }) => {
    if (operator !== '==' && operator !== 'in' && operator !== '!=')
      throw invalidField(field, 'is not ordered');
    const own = field.endsWith('_id') ? String(row[field]) : String(row[field]).toLowerCase();
    const isAny = values.some((value) => canonical(instruments, field, value) === own);
    return operator === '!=' ? !isAny : isAny;
  });
}

function canonical(instruments: InstrumentCatalogue, field: string, text: string): string {
  if (field === 'instrument_id') return instruments.find(text)?.instrumentId ?? text;
  if (field === 'market_id') return instruments.find(text)?.marketId ?? text;
  return field.endsWith('_id') ? text : text.toLowerCase();
}
