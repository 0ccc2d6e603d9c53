import { formatIso, formatMoneyMicros, formatPriceTicks, type GridError, gridError } from '@opengrid/wire';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { Instrument } from '../ports/catalogue.ts';
import type { Database } from '../store/database.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

interface PublicTradeRow {
  readonly trade_id: string;
  readonly market_trade: number;
  readonly price_ticks: number;
  readonly quantity_units: number;
  readonly aggressor: string;
  readonly executed_at_ms: number;
}

export interface TradePage {
  readonly data: readonly Record<string, unknown>[];
  readonly paging: { next_cursor: string | null; prev_cursor: string | null; has_more: boolean };
}

export type PageQuery = Readonly<Record<string, unknown>>;

export type PageResult =
  | { readonly ok: true; readonly page: TradePage }
  | { readonly ok: false; readonly error: GridError };

function invalid(field: string): { ok: false; error: GridError } {
  return {
    ok: false,
    error: gridError('validation_failed', { param: field, message: `${field} is not valid.` }),
  };
}

/** `limit` or its alias `page_size`: above the maximum is clamped, below 1 or not a whole number is refused. */
function limitOf(query: PageQuery): number | undefined {
  const text = query.limit ?? query.page_size;
  if (text === undefined) return DEFAULT_LIMIT;
  if (typeof text !== 'string' || !/^\d{1,9}$/.test(text) || Number(text) < 1) return undefined;
  return Math.min(MAX_LIMIT, Number(text));
}

/** Public trades of a market, newest first, by cursor. */
export async function listTrades(
  database: Database,
  instrument: Instrument,
  query: PageQuery,
): Promise<PageResult> {
  const limit = limitOf(query);
  if (limit === undefined) return invalid('limit');
  if (query.next !== undefined && query.prev !== undefined) return invalid('next');
  const cursor = query.next ?? query.prev;
  const filters = ['trades', instrument.instrumentNo];
  const position = typeof cursor === 'string' ? decodeCursor(cursor, filters) : undefined;
  const wanted = query.prev === undefined ? 'next' : 'prev';
  if (cursor !== undefined && (position === undefined || position.direction !== wanted)) {
    return { ok: false, error: gridError('invalid_cursor') };
  }
  const isBackwards = wanted === 'prev';
  const from = position === undefined ? Number.MAX_SAFE_INTEGER : Number(position.key[0]);
  const { rows } = await database.query<PublicTradeRow>({
    name: isBackwards ? 'public_trades_newer' : 'public_trades_older',
    text: `select trade_id, market_trade, price_ticks, quantity_units, aggressor, executed_at_ms from trades
           where instrument_no = $1 and market_trade ${isBackwards ? '>' : '<'} $2
           order by market_trade ${isBackwards ? 'asc' : 'desc'} limit $3`,
    values: [instrument.instrumentNo, from, limit + 1],
  });
  const hasMore = rows.length > limit;
  const shown = rows.slice(0, limit);
  if (isBackwards) shown.reverse();
  return {
    ok: true,
    page: toPage(instrument, shown, { filters, hasMore, isBackwards, isFirst: cursor === undefined }),
  };
}

function toPage(
  instrument: Instrument,
  rows: readonly PublicTradeRow[],
  page: { filters: unknown; hasMore: boolean; isBackwards: boolean; isFirst: boolean },
): TradePage {
  const first = rows[0];
  const last = rows[rows.length - 1];
  const hasOlder = page.isBackwards ? rows.length > 0 : page.hasMore;
  const hasNewer = page.isBackwards ? page.hasMore : !page.isFirst;
  const cursor = (row: PublicTradeRow, direction: 'next' | 'prev'): string =>
    encodeCursor({ key: [row.market_trade], direction }, page.filters);
  return {
    data: rows.map((row) => publicTradeShape(instrument, row)),
    paging: {
      next_cursor: hasOlder && last !== undefined ? cursor(last, 'next') : null,
      prev_cursor: hasNewer && first !== undefined ? cursor(first, 'prev') : null,
      has_more: hasOlder,
    },
  };
}

function publicTradeShape(instrument: Instrument, row: PublicTradeRow): Record<string, unknown> {
  const at = formatIso(row.executed_at_ms);
  return {
    trade_id: row.trade_id,
    id: row.trade_id,
    sequence: row.market_trade,
    market_id: instrument.marketId,
    market_name: `${instrument.symbol}/USD`,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    price: formatPriceTicks(row.price_ticks),
    quantity: row.quantity_units,
    total_value: formatMoneyMicros(row.price_ticks * row.quantity_units * 100),
    side: row.aggressor,
    status: 'settled',
    execution_timestamp: at,
    timestamp: at,
    settlement_timestamp: at,
  };
}
