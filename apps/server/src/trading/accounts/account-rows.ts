import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory, AccountProfile } from '../../ports/identity.ts';
import { fail, invalidField, type TradingAnswer, type TradingCall } from '../http/route.ts';
import { wholeList } from '../list/list-page.ts';
import { parseListQuery } from '../list/list-query.ts';

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

/**
 * A list with a row per instrument at most, so that it is one page.
 *
 * @throws GridFailure `validation_failed`, `invalid_cursor`.
 */
export function filterRows(
  instruments: InstrumentCatalogue,
  asked: URLSearchParams,
  { rows, fields }: { rows: readonly Record<string, unknown>[]; fields: ReadonlySet<string> },
): TradingAnswer {
  const rules = { fields, orderBy: ['created_at'], direction: 'desc', maxLimit: 100 } as const;
  const query = parseListQuery(asked, rules);
  if (query.cursor !== undefined) throw fail('invalid_cursor');
  const canonical = (field: string, text: string): string => {
    if (field === 'instrument_id') return instruments.find(text)?.instrumentId ?? text;
    if (field === 'market_id') return instruments.find(text)?.marketId ?? text;
    return text.toLowerCase();
  };
  const isWanted = (row: Record<string, unknown>): boolean =>
    query.filters.every(({ field, operator, values }) => {
      if (operator !== '==' && operator !== 'in' && operator !== '!=')
        throw invalidField(field, 'is not ordered');
      const own = field.endsWith('_id') ? String(row[field]) : String(row[field]).toLowerCase();
      const isAny = values.some((value) => canonical(field, value) === own);
      return operator === '!=' ? !isAny : isAny;
    });
  return wholeList(rows.filter(isWanted));
}
