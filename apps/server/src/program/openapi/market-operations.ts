import { z } from 'zod';
import {
  CANDLE_PAGE,
  HEALTH_ANSWER,
  INSTRUMENT_ANSWER,
  INSTRUMENT_PAGE,
  MARKET_ANSWER,
  MARKET_PAGE,
  ORDER_BOOK_ANSWER,
  PUBLIC_TRADE_PAGE,
  REFERENCE_INDEX_PAGE,
  SPECIFICATION_PAGE,
  STATS_ANSWER,
  TICKER_ANSWER,
} from './market-schemas.ts';
import type { Operation } from './operation.ts';
import { FILTERS, paging, texts } from './queries.ts';

const MARKET = { method: 'GET', tag: 'Market data', access: 'public', errors: 'trading' } as const;
const BAD_LIST = ['validation_failed', 'invalid_cursor'] as const;

function found(description: string, schema: z.ZodType): Operation['answers'] {
  return { 200: { description, schema } };
}

const BIDS = [
  { price: '2.5000', quantity: 7, size: 7, order_count: 2, total: 7 },
  { price: '2.4900', quantity: 3, size: 3, order_count: 1, total: 10 },
];
const ASKS = [
  { price: '2.5100', quantity: 4, size: 4, order_count: 1, total: 4 },
  { price: '2.5200', quantity: 10, size: 10, order_count: 3, total: 14 },
];
const BOOK_EXAMPLE = {
  data: {
    market_id: 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514',
    symbol: 'text-standard',
    sequence: 48_211,
    timestamp: '2026-01-01T00:00:00.000Z',
    buy: BIDS,
    sell: ASKS,
    bids: BIDS,
    asks: ASKS,
    checksum: 863_458_579,
  },
};

/** Routes that need no credential. */
export const MARKET_OPERATIONS: readonly Operation[] = [
  {
    ...MARKET,
    id: 'listInstruments',
    path: '/v1/instruments',
    summary: 'Instruments with their specification',
    query: z.object({
      ...texts(
        'instrument_id',
        'market_id',
        'symbol',
        'instrument_type',
        'status',
        'family',
        'tier',
        'stage',
      ),
      ...paging({ orderBy: ['created_at', 'symbol'] }),
    }),
    answers: found('The instruments, and the currency.', INSTRUMENT_PAGE),
    codes: BAD_LIST,
  },
  {
    ...MARKET,
    id: 'getInstrument',
    path: '/v1/instruments/{reference}',
    summary: 'One instrument',
    answers: found('The instrument.', INSTRUMENT_ANSWER),
    codes: ['instrument_not_found'],
  },
  {
    ...MARKET,
    id: 'getInstrumentBySymbol',
    path: '/v1/instruments/by-symbol/{reference}',
    summary: 'One instrument by its symbol',
    answers: found('The instrument.', INSTRUMENT_ANSWER),
    codes: ['instrument_not_found'],
  },
  {
    ...MARKET,
    id: 'listSpecifications',
    path: '/v1/instruments/{reference}/specs',
    summary: 'Versions of the specification, newest first',
    answers: found('The versions.', SPECIFICATION_PAGE),
    codes: ['instrument_not_found'],
  },
  {
    ...MARKET,
    id: 'getReferenceIndex',
    path: '/v1/instruments/{reference}/index',
    summary: 'Average prices and open units by period, from the first trade on',
    query: z.object({
      resolution: z.enum(['1h', '4h', '1d', '1w']).optional().meta({ description: '`1d` when left out.' }),
      from: FILTERS.from,
      to: FILTERS.to,
    }),
    answers: found('The periods, oldest first; at most 5,000.', REFERENCE_INDEX_PAGE),
    codes: ['instrument_not_found', 'validation_failed', 'window_too_large'],
  },
  {
    ...MARKET,
    id: 'listMarkets',
    path: '/v1/markets',
    summary: 'Markets with their rules',
    query: z.object({
      ...texts('market_id', 'symbol', 'name', 'market_type', 'status', 'trading_state'),
      ...paging({ orderBy: ['created_at', 'symbol'] }),
    }),
    answers: found('The markets.', MARKET_PAGE),
    codes: BAD_LIST,
  },
  {
    ...MARKET,
    id: 'getMarket',
    path: '/v1/markets/{reference}',
    summary: 'One market',
    answers: found('The market.', MARKET_ANSWER),
    codes: ['market_not_found'],
  },
  {
    ...MARKET,
    id: 'getTicker',
    path: '/v1/markets/{reference}/ticker',
    summary: 'Last trade, best prices and the last 24 hours',
    description: 'Figures of the last 24 hours that need a trade are left out when there was none.',
    answers: found('The ticker.', TICKER_ANSWER),
    codes: ['market_not_found'],
  },
  {
    ...MARKET,
    id: 'getOrderBook',
    path: '/v1/markets/{reference}/orderbook',
    summary: 'Price levels, best first',
    query: z.object({ depth: z.int().min(1).max(100).default(20) }),
    answers: {
      200: {
        description: 'The book. `bids` repeats `buy`, `asks` repeats `sell`.',
        schema: ORDER_BOOK_ANSWER,
        example: BOOK_EXAMPLE,
      },
    },
    codes: ['market_not_found', 'validation_failed'],
  },
  {
    ...MARKET,
    id: 'listPublicTrades',
    path: '/v1/markets/{reference}/trades',
    summary: 'Public trades, newest first',
    query: z
      .object({
        ...FILTERS,
        ...texts('trade_id'),
        ...paging({ orderBy: ['execution_timestamp'] }),
      })
      .omit({ status: true, from: true, to: true }),
    answers: found('Trades, without their parties.', PUBLIC_TRADE_PAGE),
    codes: ['market_not_found', ...BAD_LIST],
  },
  {
    ...MARKET,
    id: 'getMarketStats',
    path: '/v1/markets/{reference}/stats',
    summary: 'Figures of the last 24 hours',
    answers: found('The figures.', STATS_ANSWER),
    codes: ['market_not_found'],
  },
  {
    ...MARKET,
    id: 'listCandles',
    path: '/v1/price-histories',
    summary: 'Candles',
    description:
      'Periods without a trade are left out, or repeat the last close with `fill=true`. Weeks start on Monday, UTC. The period that runs is included and still changes. `vwap` leaves out what two accounts trade too much with each other.',
    access: 'trading read',
    query: z.object({
      market_id: z.string().meta({ description: 'An id in any spelling, or a symbol.' }),
      resolution: z.enum(['1m', '5m', '15m', '30m', '1h', '4h', '1d', '1w']),
      from: FILTERS.from,
      to: FILTERS.to,
      fill: z.boolean().optional(),
      ...paging({ orderBy: ['period_start'], maxLimit: 5_000 }),
    }),
    answers: found('Candles, oldest first; at most 5,000 periods.', CANDLE_PAGE),
    codes: ['market_not_found', 'window_too_large', ...BAD_LIST],
  },
  ...['/health', '/v1/health'].map(
    (path, index): Operation => ({
      ...MARKET,
      id: index === 0 ? 'getHealth' : 'getTradingHealth',
      path,
      tag: 'System',
      summary: 'Whether the exchange takes commands',
      answers: {
        200: { description: 'It does.', schema: HEALTH_ANSWER },
        503: { description: 'It has no leader.', schema: HEALTH_ANSWER },
      },
    }),
  ),
];
