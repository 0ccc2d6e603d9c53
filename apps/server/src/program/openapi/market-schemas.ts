import { z } from 'zod';
import {
  answerOf,
  BASIS_POINTS,
  COUNT,
  DECIMAL,
  DIGITS,
  INSTRUMENT_ID,
  INSTRUMENT_MEMBERS,
  INTEGER,
  id,
  MARKET_ID,
  MONEY,
  named,
  PERCENT,
  PRICE,
  pageOf,
  QUALIFICATION,
  SIDE,
  SIGNED_PRICE,
  TEXT,
  TIME,
  TOKENS,
  UNITS,
} from './parts.ts';

/** What the public is shown of markets, instruments and their prices. */

const USD = z.strictObject({
  instrument_id: INSTRUMENT_ID,
  id: INSTRUMENT_ID,
  symbol: z.literal('USD'),
  name: TEXT,
  description: TEXT,
  instrument_type: z.literal('currency'),
  precision: z.literal(6),
  is_active: z.boolean(),
  status: z.literal('active'),
  basic_info: z.strictObject({ currency_code: z.literal('USD'), precision: z.literal(6) }),
  last_trade_price: z.null(),
  last_trade_at: z.null(),
  last_quote_at: z.null(),
  price_range_24h_high: z.null(),
  price_range_24h_low: z.null(),
  volume_24h: z.null(),
  total_volume: z.null(),
  total_trades: z.null(),
  total_quotes: z.null(),
  created_at: TIME,
  updated_at: TIME,
});

const AI_SPECS = z.strictObject({
  context_window: TOKENS,
  max_input_tokens: TOKENS,
  max_output_tokens: TOKENS,
  token_throughput: z.number(),
  tokens_per_unit: z.literal(1_000_000),
  unit_definition: TEXT,
  input_modalities: z.array(z.enum(['text', 'image'])),
  output_modalities: z.array(z.enum(['text', 'image'])),
  reasoning_efforts: z.array(TEXT),
  reasoning_toggle: z.boolean(),
  temperature: z.boolean(),
  qualifying_models: z.array(TEXT),
});

const AI_INSTRUMENT = z.strictObject({
  instrument_id: INSTRUMENT_ID,
  id: INSTRUMENT_ID,
  symbol: TEXT.meta({ examples: ['text-standard'] }),
  name: TEXT,
  description: TEXT,
  instrument_type: z.literal('ai_commodity'),
  precision: z.literal(0),
  is_active: z.boolean(),
  status: z.enum(['active', 'inactive', 'deprecated']),
  market_id: MARKET_ID,
  family: TEXT,
  tier: TEXT,
  stage: TEXT,
  spec_version: INTEGER,
  basic_info: z.strictObject({ service_type: z.literal('inference'), precision: z.literal(0) }),
  ai_specs: AI_SPECS,
  sla_requirements: z.strictObject({
    availability_target: z.number(),
    max_latency_ms: z.number(),
    quality_index: TEXT.nullable(),
    quality_score_min: z.number().nullable(),
    tokens_per_second_min: z.number(),
    error_rate_max: z.number(),
  }),
  trading_params: z.strictObject({
    min_quantity: UNITS,
    max_quantity: UNITS,
    quantity_increment: z.literal(1),
    tick_size: DECIMAL,
  }),
  lot_ttl_seconds: z.int().nullable(),
  last_trade_price: PRICE.nullable(),
  last_trade_at: TIME.nullable(),
  last_quote_at: TIME.nullable(),
  price_range_24h_high: PRICE.nullable(),
  price_range_24h_low: PRICE.nullable(),
  volume_24h: UNITS,
  total_volume: UNITS,
  total_trades: COUNT,
  total_quotes: COUNT,
  created_at: TIME,
  updated_at: TIME,
});

const INSTRUMENT = named('Instrument', z.union([AI_INSTRUMENT, USD]));
export const INSTRUMENT_ANSWER = answerOf('Instrument', INSTRUMENT);
export const INSTRUMENT_PAGE = pageOf('Instrument', INSTRUMENT);

const TRADING_STATE = z.enum(['open', 'post_only', 'auction', 'cancel_only', 'halted', 'closed']);

const MARKET = named(
  'Market',
  z.strictObject({
    market_id: MARKET_ID,
    id: MARKET_ID,
    name: TEXT.meta({ examples: ['text-standard/USD'] }),
    symbol: TEXT,
    description: TEXT,
    market_type: z.literal('spot'),
    status: z.enum(['active', 'suspended', 'inactive']),
    trading_state: TRADING_STATE,
    associated_instruments: z.array(INSTRUMENT_ID),
    instruments: z.array(
      z.strictObject({
        instrument_id: INSTRUMENT_ID,
        instrument_type: z.literal('ai_commodity'),
        symbol: TEXT,
        name: TEXT,
      }),
    ),
    order_controls: z.strictObject({
      tick_size: DECIMAL,
      lot_size: z.literal(1),
      min_order_size: UNITS,
      max_order_size: UNITS,
      market_collar_bps: BASIS_POINTS,
      limit_collar_bps: BASIS_POINTS,
      auto_buy_collar_bps: BASIS_POINTS,
      reference_price: PRICE.nullable(),
      max_open_orders: COUNT,
    }),
    qualification: QUALIFICATION,
    fees: z.strictObject({ maker_bps: BASIS_POINTS, taker_bps: BASIS_POINTS }),
    created_at: TIME,
    updated_at: TIME,
  }),
);
export const MARKET_ANSWER = answerOf('Market', MARKET);
export const MARKET_PAGE = pageOf('Market', MARKET);

export const TICKER_ANSWER = answerOf(
  'Ticker',
  named(
    'Ticker',
    z.strictObject({
      market_id: MARKET_ID,
      symbol: TEXT,
      last_price: PRICE.nullable(),
      last_trade_quantity: UNITS.nullable(),
      last_trade_timestamp: TIME.nullable(),
      highest_bid: PRICE.nullable(),
      lowest_ask: PRICE.nullable(),
      bid: PRICE.nullable(),
      ask: PRICE.nullable(),
      volume_24h: UNITS,
      high_24h: PRICE.optional(),
      low_24h: PRICE.optional(),
      quote_volume_24h: MONEY.optional(),
      price_change_24h: SIGNED_PRICE.optional(),
      price_change_percent_24h: PERCENT.optional(),
      timestamp: TIME,
      sequence: COUNT,
    }),
  ),
);

const LEVEL = named(
  'BookLevel',
  z.strictObject({
    price: PRICE,
    quantity: UNITS,
    size: UNITS,
    order_count: COUNT,
    total: UNITS.meta({ description: 'Units up to and including this level.' }),
  }),
);

export const ORDER_BOOK_ANSWER = answerOf(
  'OrderBook',
  named(
    'OrderBook',
    z.strictObject({
      market_id: MARKET_ID,
      symbol: TEXT,
      sequence: COUNT,
      timestamp: TIME,
      buy: z.array(LEVEL),
      sell: z.array(LEVEL),
      bids: z.array(LEVEL),
      asks: z.array(LEVEL),
      checksum: z.int().min(0).max(0xffffffff).meta({
        description:
          'CRC-32 of `asks;bids`: up to ten levels a side, each `price:quantity`, joined by commas, best first.',
      }),
    }),
  ),
);

export const PUBLIC_TRADE_PAGE = pageOf(
  'PublicTrade',
  named(
    'PublicTrade',
    z.strictObject({
      trade_id: id('trade'),
      id: id('trade'),
      sequence: COUNT,
      market_id: MARKET_ID,
      market_name: TEXT,
      ...INSTRUMENT_MEMBERS,
      price: PRICE,
      quantity: UNITS,
      total_value: MONEY,
      side: SIDE.meta({ description: 'The side of the order that took.' }),
      status: z.enum(['settled', 'reversed']),
      execution_timestamp: TIME,
      timestamp: TIME,
      settlement_timestamp: TIME,
    }),
  ),
);

export const STATS_ANSWER = answerOf(
  'MarketStats',
  named(
    'MarketStats',
    z.strictObject({
      market_id: MARKET_ID,
      symbol: TEXT,
      open: PRICE.nullable(),
      high: PRICE.nullable(),
      low: PRICE.nullable(),
      close: PRICE.nullable(),
      current_price: PRICE.nullable(),
      volume: DIGITS,
      volume_24h: UNITS,
      volume_24h_tokens: DIGITS,
      volume_24h_value: MONEY,
      quote_volume: MONEY,
      num_trades: COUNT,
      price_change_24h: SIGNED_PRICE.nullable(),
      price_change_24h_percent: PERCENT.nullable(),
      high_24h: PRICE.nullable(),
      low_24h: PRICE.nullable(),
      vwap_24h: PRICE.nullable(),
      vwap_7d: PRICE.nullable(),
      period_start: TIME,
      period_end: TIME,
    }),
  ),
);

export const CANDLE_PAGE = pageOf(
  'Candle',
  named(
    'Candle',
    z.strictObject({
      market_id: MARKET_ID,
      resolution: z.enum(['1m', '5m', '15m', '30m', '1h', '4h', '1d', '1w']),
      period_start: TIME,
      period_end: TIME,
      open: PRICE,
      high: PRICE,
      low: PRICE,
      close: PRICE,
      volume: DIGITS,
      quote_volume: MONEY,
      num_trades: COUNT,
      vwap: PRICE,
    }),
  ),
);

export const HEALTH_ANSWER = answerOf(
  'Health',
  named(
    'Health',
    z.strictObject({
      status: z.enum(['ok', 'fail']),
      service: z.literal('trading'),
      version: TEXT,
      time: TIME,
    }),
  ),
);

export const SPECIFICATION_PAGE = pageOf(
  'Specification',
  named(
    'Specification',
    z.strictObject({
      spec_version: COUNT,
      effective_from: TIME,
      announced_at: TIME,
      thresholds: z.strictObject({
        context_window: TOKENS,
        max_input_tokens: TOKENS,
        max_output_tokens: TOKENS,
        ttft_ms_max: z.number(),
        tokens_per_second_min: z.number(),
        uptime_min: z.number(),
        error_rate_max: z.number(),
        quality_index: TEXT.nullable(),
        quality_score_min: z.number().nullable(),
        reasoning_efforts: z.array(TEXT),
        reasoning_toggle: z.boolean(),
        input_modalities: z.array(z.enum(['text', 'image'])),
        temperature: z.boolean(),
      }),
      changes: z.array(TEXT).meta({ description: 'What differs from the version before.' }),
    }),
  ),
);

export const REFERENCE_INDEX_PAGE = pageOf(
  'ReferenceIndex',
  named(
    'ReferenceIndex',
    z.strictObject({
      period_start: TIME,
      vwap: PRICE.nullable().meta({ description: 'Null where nothing was traded.' }),
      vwap_7d: PRICE.nullable().meta({ description: 'Over the seven days that end with the period.' }),
      volume: UNITS,
      num_trades: COUNT,
      open_interest_units: UNITS.nullable().meta({
        description: 'Bought and not consumed at the end of the period; null where that is not known.',
      }),
    }),
  ),
);
