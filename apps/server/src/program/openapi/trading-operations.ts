import { z } from 'zod';
import type { Operation } from './operation.ts';
import { FILTERS, paging, texts } from './queries.ts';
import { DIAGNOSTICS_ANSWER } from './supply-schemas.ts';
import * as schemas from './trading-schemas.ts';

const READ = { method: 'GET', access: 'trading read', errors: 'trading' } as const;
const CHANGE = { access: 'signed change', errors: 'trading' } as const;
const BAD_LIST = ['validation_failed', 'invalid_cursor'] as const;
const PLACING = [
  'insufficient_balance',
  'auto_mode_trading_restricted',
  'market_not_found',
  'market_not_open',
  'price_outside_collar',
  'no_reference_price',
  'post_only_would_cross',
  'open_order_limit',
] as const;

function found(description: string, schema: z.ZodType): Operation['answers'] {
  return { 200: { description, schema } };
}

const ORDERS: readonly Operation[] = [
  {
    ...CHANGE,
    id: 'placeOrder',
    method: 'POST',
    path: '/v1/orders',
    tag: 'Orders',
    summary: 'Places an order',
    description:
      'Checked, held, matched and settled in one step; acknowledged after the commit. The order may already be filled. With a `client_order_id` the same order again answers 200 with the order as it is.',
    example: {
      market_id: 'text-standard',
      side: 'buy',
      type: 'limit',
      quantity: 10,
      price: '2.5000',
      client_order_id: 'buy-1',
    },
    answers: {
      201: { description: 'The order after matching.', schema: schemas.ORDER_ANSWER },
      200: {
        description: 'The order that was placed under this `client_order_id` before.',
        schema: schemas.ORDER_ANSWER,
      },
    },
    codes: [...PLACING, 'duplicate_client_order_id'],
  },
  ...(['PUT', 'PATCH'] as const).map(
    (method): Operation => ({
      ...CHANGE,
      id: method === 'PUT' ? 'amendOrder' : 'patchOrder',
      method,
      path: '/v1/orders/{order_id}',
      tag: 'Orders',
      summary: 'Changes a resting order',
      description: 'A smaller quantity keeps the place in the queue; a larger one or another price loses it.',
      example: { price: '2.4900' },
      answers: found('The order after the change.', schemas.ORDER_ANSWER),
      codes: [...PLACING, 'order_not_found', 'order_not_amendable'],
    }),
  ),
  {
    ...CHANGE,
    id: 'cancelOrder',
    method: 'DELETE',
    path: '/v1/orders/{order_id}',
    tag: 'Orders',
    summary: 'Cancels an order',
    query: z.object({
      strict: z
        .boolean()
        .optional()
        .meta({ description: 'An order that is cancelled already is then an error.' }),
    }),
    answers: {
      204: { description: 'It is cancelled.' },
      200: { description: 'It was cancelled before.', schema: schemas.CANCELLED_BEFORE },
    },
    codes: [
      'auto_mode_trading_restricted',
      'order_not_found',
      'order_not_cancellable',
      'order_already_cancelled',
      'market_not_open',
    ],
  },
  {
    ...CHANGE,
    id: 'cancelAllOrders',
    method: 'DELETE',
    path: '/v1/orders',
    tag: 'Orders',
    summary: 'Cancels every resting order of the account',
    query: z.object({ side: FILTERS.side }),
    answers: found('What was cancelled; none is fine.', schemas.BULK_CANCEL_ANSWER),
    codes: ['auto_mode_trading_restricted', 'market_not_open'],
  },
  {
    ...CHANGE,
    id: 'cancelMarketOrders',
    method: 'DELETE',
    path: '/v1/markets/{market_id}/orders',
    tag: 'Orders',
    summary: 'Cancels every resting order of the account in one market',
    query: z.object({ side: FILTERS.side }),
    answers: found('What was cancelled; none is fine.', schemas.BULK_CANCEL_ANSWER),
    codes: ['auto_mode_trading_restricted', 'market_not_found', 'market_not_open'],
  },
  {
    ...CHANGE,
    id: 'cancelAllAfter',
    method: 'POST',
    path: '/v1/orders/cancel-all-after',
    tag: 'Orders',
    summary: 'Arms a timer that cancels all orders unless it is armed again',
    example: { timeout_ms: 60_000 },
    answers: found('The timer.', schemas.CANCEL_TIMER_ANSWER),
    codes: ['auto_mode_trading_restricted', 'market_not_found'],
  },
  {
    ...READ,
    id: 'listOrders',
    path: '/v1/orders',
    tag: 'Orders',
    summary: 'Own orders',
    query: z
      .object({
        ...FILTERS,
        ...texts('type', 'client_order_id', 'trader_id'),
        ...paging({ orderBy: ['submitted_at', 'updated_at', 'price'], maxLimit: 500 }),
      })
      .omit({ from: true, to: true }),
    answers: found('Orders, newest first.', schemas.ORDER_PAGE),
    codes: BAD_LIST,
  },
  {
    ...READ,
    id: 'countOrders',
    path: '/v1/orders/count',
    tag: 'Orders',
    summary: 'How many own orders rest',
    answers: found('The counts.', schemas.ORDER_COUNT_ANSWER),
  },
  {
    ...READ,
    id: 'getOrder',
    path: '/v1/orders/{order_id}',
    tag: 'Orders',
    summary: 'One own order',
    answers: found('The order.', schemas.ORDER_ANSWER),
    codes: ['order_not_found'],
  },
  {
    ...READ,
    id: 'getOrderByClientId',
    path: '/v1/orders/by-client-id/{client_order_id}',
    tag: 'Orders',
    summary: 'One own order by its client order id',
    answers: found('The order.', schemas.ORDER_ANSWER),
    codes: ['order_not_found'],
  },
];

const TRADES: readonly Operation[] = [
  {
    ...READ,
    id: 'listTrades',
    path: '/v1/trades',
    tag: 'Trades',
    summary: 'Own trades',
    query: z
      .object({
        ...FILTERS,
        ...texts('trade_id', 'order_id', 'buyer_order_id', 'seller_order_id', 'triggering_order_id'),
        ...paging({ orderBy: ['execution_timestamp'], maxLimit: 500 }),
      })
      .omit({ from: true, to: true, side: true }),
    answers: found('Trades, newest first.', schemas.TRADE_PAGE),
    codes: BAD_LIST,
  },
  {
    ...READ,
    id: 'getTrade',
    path: '/v1/trades/{trade_id}',
    tag: 'Trades',
    summary: 'One own trade',
    answers: found('The trade.', schemas.TRADE_ANSWER),
    codes: ['trade_not_found'],
  },
];

/** The list and one row of it, of accounts of one kind. */
function accounts(options: {
  path: string;
  name: string;
  summary: string;
  page: z.ZodType;
  one: z.ZodType;
}): readonly Operation[] {
  const { path, name, summary, page, one } = options;
  const query = z.object({
    ...texts('account_id', 'instrument_id', 'market_id', 'status', 'currency'),
    ...paging({ orderBy: ['created_at'] }),
  });
  const shared = { ...READ, tag: 'Accounts', summary } as const;
  return [
    { ...shared, id: `list${name}s`, path, query, answers: found('All of them.', page), codes: BAD_LIST },
    {
      ...shared,
      id: `get${name}`,
      path: `${path}/{account_id}`,
      summary: `${summary}: one`,
      answers: found('The account.', one),
      codes: ['account_not_found'],
    },
  ];
}

const ACCOUNTS: readonly Operation[] = [
  {
    ...READ,
    id: 'getMe',
    path: '/v1/me',
    tag: 'Accounts',
    summary: 'Who is asking',
    answers: found('The profile.', schemas.PROFILE_ANSWER),
  },
  {
    ...READ,
    id: 'getAccountLimits',
    path: '/v1/account/limits',
    tag: 'Accounts',
    summary: 'Limits and fees in force',
    query: z.object({ market_id: z.string() }),
    answers: found('The limits.', schemas.LIMITS_ANSWER),
    codes: ['validation_failed', 'market_not_found'],
  },
  ...accounts({
    path: '/v1/trading-accounts',
    name: 'TradingAccount',
    summary: 'Units and USD for trading',
    page: schemas.TRADING_ACCOUNT_PAGE,
    one: schemas.TRADING_ACCOUNT_ANSWER,
  }),
  ...accounts({
    path: '/v1/currency-trading-accounts',
    name: 'CurrencyTradingAccount',
    summary: 'USD by its origin',
    page: schemas.CURRENCY_ACCOUNT_PAGE,
    one: schemas.CURRENCY_ACCOUNT_ANSWER,
  }),
  ...accounts({
    path: '/v1/consumption-accounts',
    name: 'ConsumptionAccount',
    summary: 'Tokens for inference',
    page: schemas.CONSUMPTION_ACCOUNT_PAGE,
    one: schemas.CONSUMPTION_ACCOUNT_ANSWER,
  }),
  {
    ...READ,
    id: 'listLots',
    path: '/v1/consumption-accounts/{account_id}/lots',
    tag: 'Accounts',
    summary: 'Lots of a consumption account, in the order in which they are drawn',
    query: z.object({ status: FILTERS.status, ...paging({ orderBy: ['drawing_order'] }) }),
    answers: found('Lots.', schemas.LOT_PAGE),
    codes: ['account_not_found', ...BAD_LIST],
  },
  {
    ...READ,
    id: 'listPositions',
    path: '/v1/positions',
    tag: 'Accounts',
    summary: 'What is held of each instrument, and what it cost',
    query: z
      .object({
        ...texts('instrument_id', 'status', 'instrument_name'),
        ...paging({ orderBy: ['instrument_id'] }),
      })
      .omit({ order_by: true }),
    answers: found('Positions.', schemas.POSITION_PAGE),
    codes: BAD_LIST,
  },
  {
    ...READ,
    id: 'getDiagnostics',
    path: '/v1/diagnostics',
    tag: 'System',
    summary: 'A self-test of the credential and its account',
    access: 'key or signature',
    answers: found('The checks.', DIAGNOSTICS_ANSWER),
  },
];

const TRANSFERS: readonly Operation[] = [
  ...(['trading-to-consumption', 'consumption-to-trading'] as const).map(
    (direction, index): Operation => ({
      ...CHANGE,
      id: index === 0 ? 'transferToConsumption' : 'transferToTrading',
      method: 'POST',
      path: `/v1/transfers/${direction}`,
      tag: 'Transfers',
      summary: index === 0 ? 'Moves units to consumption' : 'Moves whole, unopened units back to trading',
      example: { instrument_id: 'text-standard', quantity: 2 },
      answers: found('What was moved. The first members repeat at the top.', schemas.TRANSFER_ANSWER),
      codes: [
        'instrument_not_found',
        'insufficient_balance',
        'transfer_not_allowed',
        'auto_mode_trading_restricted',
      ],
    }),
  ),
  {
    ...READ,
    id: 'listTransfers',
    path: '/v1/transfer-histories',
    tag: 'Transfers',
    summary: 'What was moved',
    query: z.object({
      ...texts('market_id', 'instrument_id', 'direction'),
      ...paging({ orderBy: ['transferred_at'] }),
    }),
    answers: found('Transfers, newest first.', schemas.TRANSFER_PAGE),
    codes: BAD_LIST,
  },
];

/** Routes of a caller's own orders, trades, accounts and transfers. */
export const TRADING_OPERATIONS: readonly Operation[] = [...ORDERS, ...TRADES, ...ACCOUNTS, ...TRANSFERS];
