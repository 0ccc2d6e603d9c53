import { z } from 'zod';
import {
  answerOf,
  BASIS_POINTS,
  COUNT,
  DECIMAL,
  DIGITS,
  INSTRUMENT_ID,
  INSTRUMENT_MEMBERS,
  id,
  MARKET_ID,
  MONEY,
  named,
  PRICE,
  pageOf,
  SIDE,
  SUPPLIER_ID,
  TEXT,
  TIME,
  TOKENS,
  UNITS,
} from './parts.ts';

/** What callers are shown of their own orders, trades, accounts and transfers. */

const CLIENT_ORDER_ID = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/);

const ORDER = named(
  'Order',
  z.strictObject({
    order_id: id('order'),
    id: id('order'),
    market_id: MARKET_ID,
    market_name: TEXT,
    ...INSTRUMENT_MEMBERS,
    trader_id: id('user').optional().meta({ description: 'Left out for consumption keys.' }),
    side: SIDE,
    type: z.enum(['limit', 'market']),
    status: z.enum(['active', 'partially_filled', 'filled', 'cancelled', 'expired', 'rejected']),
    quantity: UNITS,
    size: UNITS,
    filled_quantity: UNITS,
    remaining_quantity: UNITS,
    price: PRICE.nullable(),
    average_price: PRICE.nullable().meta({ description: 'Volume-weighted; null before the first fill.' }),
    stop_price: z.null(),
    fee: MONEY,
    time_in_force: z.enum(['gtc', 'ioc', 'fok', 'gtd', 'day']),
    expire_at: TIME.nullable(),
    post_only: z.boolean(),
    self_trade_prevention: z.enum(['cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement']),
    should_autotransfer: z.boolean(),
    client_order_id: CLIENT_ORDER_ID.nullable(),
    origin: z.enum(['user', 'auto_buy', 'system']),
    closure_reason: z.string().nullable().meta({ description: 'Why it ended. More may be added.' }),
    closed_at: TIME.nullable(),
    submitted_at: TIME,
    created_at: TIME,
    updated_at: TIME,
  }),
);
export const ORDER_ANSWER = answerOf('Order', ORDER);
export const ORDER_PAGE = pageOf('Order', ORDER);

export const CANCELLED_BEFORE = named(
  'AlreadyCancelledAnswer',
  z.strictObject({ data: ORDER, already_cancelled: z.literal(true) }),
);

export const BULK_CANCEL_ANSWER = answerOf(
  'BulkCancel',
  z.strictObject({
    cancelled: COUNT,
    order_ids: z.array(id('order')).max(500).optional().meta({ description: 'Left out above 500.' }),
  }),
);

export const CANCEL_TIMER_ANSWER = answerOf(
  'CancelTimer',
  z.strictObject({
    armed: z.boolean(),
    timeout_ms: COUNT,
    trigger_at: TIME.nullable(),
    server_time: TIME,
  }),
);

export const ORDER_COUNT_ANSWER = answerOf(
  'OrderCount',
  z.strictObject({
    count: COUNT,
    by_market: z.array(z.strictObject({ market_id: MARKET_ID, count: COUNT })),
  }),
);

const TRADE = named(
  'Trade',
  z.strictObject({
    trade_id: id('trade'),
    id: id('trade'),
    market_id: MARKET_ID,
    market_name: TEXT,
    ...INSTRUMENT_MEMBERS,
    price: PRICE,
    quantity: UNITS,
    total_value: MONEY,
    fee: MONEY,
    fee_bps: BASIS_POINTS,
    fee_currency: z.literal('USD'),
    liquidity: z.enum(['maker', 'taker']),
    status: z.enum(['settled', 'reversed']),
    side: SIDE.meta({ description: "The caller's own side." }),
    execution_timestamp: TIME,
    settlement_timestamp: TIME,
    order_id: id('order'),
    trading_account_id: id('trading_account'),
    units: z
      .array(z.strictObject({ from: UNITS, to: UNITS }))
      .meta({ description: 'Serial numbers of the units, inclusive.' }),
    sequence: COUNT,
  }),
);
export const TRADE_ANSWER = answerOf('Trade', TRADE);
export const TRADE_PAGE = pageOf('Trade', TRADE);

export const PROFILE_ANSWER = answerOf(
  'Profile',
  z.strictObject({
    user_id: id('user'),
    id: id('user'),
    email: z.string().optional().meta({ description: 'Left out for consumption keys.' }),
    name: z.string().optional(),
    email_verified: z.boolean(),
    accepted_terms: z.boolean(),
    account_mode: z.enum(['easy', 'advanced']),
    capabilities: z.array(z.enum(['consume', 'trade', 'supply', 'admin'])),
    onboarding_complete: z.boolean(),
    supplier_id: SUPPLIER_ID.optional(),
    created_at: TIME,
    updated_at: TIME,
  }),
);

export const LIMITS_ANSWER = answerOf(
  'AccountLimits',
  z.strictObject({
    market_id: MARKET_ID,
    order_rate_limits: z.strictObject({
      scope: z.literal('user_market'),
      max_orders_per_second: z.number(),
      max_orders_per_minute: z.number(),
      burst_capacity: z.number(),
      window_seconds: z.literal(1),
    }),
    response_headers: z.strictObject({ limit: TEXT, remaining: TEXT, retry_after: TEXT }),
    open_orders: z.strictObject({ max: COUNT, current: COUNT }),
    fees: z.strictObject({ maker_bps: BASIS_POINTS, taker_bps: BASIS_POINTS }),
  }),
);

const TIMES = { created_at: TIME, updated_at: TIME } as const;

const USD_TRADING_ACCOUNT = z.strictObject({
  account_id: id('currency_trading_account'),
  id: id('currency_trading_account'),
  user_id: id('user'),
  ...INSTRUMENT_MEMBERS,
  currency: z.literal('USD'),
  total_balance: MONEY,
  available_balance: MONEY,
  locked_balance: MONEY,
  escrowed_balance: MONEY.optional().meta({ description: 'Suppliers: proceeds that wait for delivery.' }),
  status: z.literal('active'),
  last_trade_price: z.null(),
  last_trading_activity_at: TIME.nullable(),
  last_deposit_at: TIME.nullable(),
  last_withdrawal_at: TIME.nullable(),
  ...TIMES,
});

const UNIT_TRADING_ACCOUNT = z.strictObject({
  account_id: id('trading_account'),
  id: id('trading_account'),
  user_id: id('user'),
  ...INSTRUMENT_MEMBERS,
  market_id: MARKET_ID,
  market_name: TEXT,
  total_balance: DIGITS,
  available_balance: DIGITS,
  locked_balance: DIGITS,
  status: z.literal('active'),
  last_trade_price: PRICE.nullable(),
  last_trading_activity_at: TIME.nullable(),
  last_deposit_at: TIME.nullable(),
  last_withdrawal_at: TIME.nullable(),
  ...TIMES,
});

const TRADING_ACCOUNT = named('TradingAccount', z.union([USD_TRADING_ACCOUNT, UNIT_TRADING_ACCOUNT]));
export const TRADING_ACCOUNT_ANSWER = answerOf('TradingAccount', TRADING_ACCOUNT);
export const TRADING_ACCOUNT_PAGE = pageOf('TradingAccount', TRADING_ACCOUNT);

const CURRENCY_ACCOUNT = named(
  'CurrencyTradingAccount',
  z.strictObject({
    account_id: id('currency_trading_account'),
    id: id('currency_trading_account'),
    user_id: id('user'),
    currency: z.literal('usd'),
    total_balance: MONEY,
    available_balance: MONEY,
    locked_balance: MONEY,
    credit_balance: MONEY.meta({ description: 'Promotional: spent first, not refundable.' }),
    proceeds_balance: MONEY,
    card_balance: MONEY,
    owed_usd: MONEY.optional(),
    status: z.literal('active'),
    last_trading_activity_at: TIME.nullable(),
    last_deposit_at: TIME.nullable(),
    last_withdrawal_at: TIME.nullable(),
    ...TIMES,
  }),
);
export const CURRENCY_ACCOUNT_ANSWER = answerOf('CurrencyTradingAccount', CURRENCY_ACCOUNT);
export const CURRENCY_ACCOUNT_PAGE = pageOf('CurrencyTradingAccount', CURRENCY_ACCOUNT);

/** Units with up to six decimals, as a JSON number. */
const UNIT_NUMBER = z.number().meta({ description: 'Units, as a number with up to six decimals.' });

const CONSUMPTION_ACCOUNT = named(
  'ConsumptionAccount',
  z.strictObject({
    account_id: id('consumption_account'),
    id: id('consumption_account'),
    user_id: id('user'),
    instrument_id: INSTRUMENT_ID,
    instrument_symbol: TEXT,
    status: z.enum(['active', 'closed']),
    uncommitted_balance: UNIT_NUMBER,
    available_balance: UNIT_NUMBER,
    committed_balance: UNIT_NUMBER,
    total_balance: UNIT_NUMBER,
    total_deposits: UNIT_NUMBER,
    total_withdrawals: UNIT_NUMBER,
    total_commitments: UNIT_NUMBER,
    total_transfers_in: UNIT_NUMBER,
    total_transfers_out: UNIT_NUMBER,
    total_tokens: TOKENS,
    free_tokens: TOKENS,
    held_tokens: TOKENS,
    last_deposit_at: TIME.nullable(),
    last_withdrawal_at: TIME.nullable(),
    last_commitment_at: TIME.nullable(),
    last_transfer_at: TIME.nullable(),
    ...TIMES,
  }),
);
export const CONSUMPTION_ACCOUNT_ANSWER = answerOf('ConsumptionAccount', CONSUMPTION_ACCOUNT);
export const CONSUMPTION_ACCOUNT_PAGE = pageOf('ConsumptionAccount', CONSUMPTION_ACCOUNT);

export const LOT_PAGE = pageOf(
  'Lot',
  named(
    'Lot',
    z.strictObject({
      lot_id: id('lot'),
      id: id('lot'),
      instrument_id: INSTRUMENT_ID,
      trade_id: id('trade').nullable(),
      supplier_id: SUPPLIER_ID.nullable(),
      supplier: z.string().nullable(),
      unit_from: UNITS,
      unit_to: UNITS,
      acquisition_price_per_unit: PRICE.nullable(),
      tokens_total: TOKENS,
      tokens_remaining: TOKENS,
      acquired_at: TIME,
      deposited_at: TIME,
      opened: z.boolean(),
      expires_at: TIME.nullable(),
      status: z.enum(['open', 'exhausted', 'expired', 'moved', 'bought_back']),
    }),
  ),
);

export const POSITION_PAGE = pageOf(
  'Position',
  named(
    'Position',
    z.strictObject({
      id: id('position'),
      user_account_id: id('user'),
      ...INSTRUMENT_MEMBERS,
      status: z.enum(['open', 'closed']),
      quantity: UNITS,
      average_cost: DECIMAL.nullable(),
      total_cost: MONEY,
      current_market_value: MONEY.nullable(),
      last_trade_price: PRICE.nullable(),
      opened_at: TIME.nullable(),
      closed_at: TIME.nullable(),
      inserted_at: TIME,
      updated_at: TIME,
    }),
  ),
);

export const TRANSFER_ANSWER = named(
  'TransferAnswer',
  z.strictObject({
    status: z.literal('success'),
    transfer_id: id('transfer'),
    data: z.strictObject({
      status: z.literal('success'),
      transfer_id: id('transfer'),
      instrument_id: INSTRUMENT_ID,
      quantity: UNITS,
      lots: z.array(id('lot')),
    }),
  }),
);

const HOLDING = z.enum(['issuance', 'trading', 'consumption']);

export const TRANSFER_PAGE = pageOf(
  'Transfer',
  named(
    'Transfer',
    z.strictObject({
      id: id('transfer'),
      transfer_id: id('transfer'),
      market_id: MARKET_ID,
      ...INSTRUMENT_MEMBERS,
      sender_account_id: TEXT,
      account_id: TEXT,
      from_account_type: HOLDING,
      to_account_type: HOLDING,
      direction: z.enum(['issuance_to_trading', 'trading_to_consumption', 'consumption_to_trading']),
      quantity: UNITS,
      status: z.literal('completed'),
      origin: z.enum(['user', 'auto_transfer', 'auto_buy', 'expiry']),
      transferred_at: TIME,
      completed_at: TIME,
      inserted_at: TIME,
      updated_at: TIME,
    }),
  ),
);
