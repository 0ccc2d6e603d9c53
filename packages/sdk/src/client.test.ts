import { describe, expect, it } from 'vitest';
import { OpenGrid } from './client.ts';
import { serve } from './testing/scripted-server.ts';

const list = { data: [{ id: 'a' }], paging: { next_cursor: null, prev_cursor: null, has_more: false } };

type Case = [
  name: string,
  call: (grid: OpenGrid) => Promise<unknown>,
  url: string,
  body: unknown,
  result: unknown,
];

const cases: Case[] = [
  ['health', (grid) => grid.health(), '/v1/health', { data: { status: 'ok' } }, { status: 'ok' }],
  [
    'one market',
    (grid) => grid.markets.retrieve('Text-Prime'),
    '/v1/markets/Text-Prime',
    { data: { id: 'm' } },
    { id: 'm' },
  ],
  [
    'a ticker',
    (grid) => grid.markets.ticker('text-prime'),
    '/v1/markets/text-prime/ticker',
    { data: { bid: '2.5000' } },
    { bid: '2.5000' },
  ],
  [
    'a book',
    (grid) => grid.markets.orderbook('text-prime', { depth: 5 }),
    '/v1/markets/text-prime/orderbook?depth=5',
    { data: { bids: [] } },
    { bids: [] },
  ],
  [
    'one instrument',
    (grid) => grid.instruments.retrieve('usd'),
    '/v1/instruments/usd',
    { data: { symbol: 'USD' } },
    { symbol: 'USD' },
  ],
  [
    'models',
    (grid) => grid.models.list({ funded: true }),
    '/v1/models?funded=true',
    { data: [{ id: 'x' }] },
    [{ id: 'x' }],
  ],
  ['one model', (grid) => grid.models.retrieve('x/y'), '/v1/models/x%2Fy', { id: 'x/y' }, { id: 'x/y' }],
  [
    'a receipt, bare',
    (grid) => grid.usage.retrieve('req_1'),
    '/v1/usage/req_1',
    { status: 'pending' },
    { status: 'pending' },
  ],
  [
    'a summary, bare',
    (grid) => grid.usage.summary({ from: new Date(0), group_by: 'day' }),
    '/v1/usage/summary?from=1970-01-01T00%3A00%3A00.000Z&group_by=day',
    { totals: {} },
    { totals: {} },
  ],
  ['me', (grid) => grid.account.me(), '/v1/me', { data: { id: 'user_1' } }, { id: 'user_1' }],
  [
    'limits',
    (grid) => grid.account.limits('text-prime'),
    '/v1/account/limits?market_id=text-prime',
    { data: { market_id: 'm' } },
    { market_id: 'm' },
  ],
  ['diagnostics', (grid) => grid.account.diagnostics(), '/v1/diagnostics', { data: {} }, {}],
  [
    'an order by client id',
    (grid) => grid.orders.retrieveByClientId('a:1'),
    '/v1/orders/by-client-id/a%3A1',
    { data: { id: 'order_1' } },
    { id: 'order_1' },
  ],
  [
    'one trade',
    (grid) => grid.trades.retrieve('trade_1'),
    '/v1/trades/trade_1',
    { data: { id: 'trade_1' } },
    { id: 'trade_1' },
  ],
  [
    'one account',
    (grid) => grid.currencyAccounts.retrieve('a_1'),
    '/v1/currency-trading-accounts/a_1',
    { data: { id: 'a_1' } },
    { id: 'a_1' },
  ],
  [
    'a supply summary',
    (grid) => grid.supply.summary(),
    '/v1/supply-issuances/summary',
    { data: [{ quantity: 1 }] },
    [{ quantity: 1 }],
  ],
  [
    'a liability',
    (grid) => grid.supply.liability('text-prime'),
    '/v1/supplier-liability/text-prime',
    { data: { outstanding: '1.000000' } },
    { outstanding: '1.000000' },
  ],
  [
    'figures of a market',
    (grid) => grid.markets.stats('text-prime'),
    '/v1/markets/text-prime/stats',
    { data: { num_trades: 0 } },
    { num_trades: 0 },
  ],
];

type Change = [name: string, call: (grid: OpenGrid) => Promise<unknown>, request: object];

const changes: Change[] = [
  [
    'amend an order',
    (grid) => grid.orders.amend('order_1', { quantity: 3, price: '2.5' }),
    { method: 'PUT', url: '/v1/orders/order_1', body: '{"quantity":3,"price":"2.5"}' },
  ],
  ['cancel all', (grid) => grid.orders.cancelAll(), { method: 'DELETE', url: '/v1/orders', body: '' }],
  [
    'cancel one side of a market',
    (grid) => grid.orders.cancelAll({ market_id: 'text-prime', side: 'sell' }),
    { method: 'DELETE', url: '/v1/markets/text-prime/orders?side=sell', body: '' },
  ],
  [
    'set a cancel timer',
    (grid) => grid.orders.cancelAllAfter({ timeout_ms: 60_000 }),
    { method: 'POST', url: '/v1/orders/cancel-all-after', body: '{"timeout_ms":60000}' },
  ],
  [
    'transfer back',
    (grid) => grid.transfers.toTrading({ instrument_id: 'text-prime', quantity: 1 }),
    {
      method: 'POST',
      url: '/v1/transfers/consumption-to-trading',
      body: expect.stringMatching(/^\{"instrument_id":"text-prime","quantity":1,/),
    },
  ],
  [
    'retire units',
    (grid) => grid.supply.retire({ instrument_id: 'text-prime', quantity: 1 }),
    {
      method: 'POST',
      url: '/v1/supply-issuances/retire',
      body: expect.stringMatching(/^\{"instrument_id":"text-prime","quantity":1,/),
    },
  ],
  [
    'offer issued units',
    (grid) => grid.supply.transferToTrading({ instrument_id: 'text-prime', quantity: 1 }),
    {
      method: 'POST',
      url: '/v1/issuance-accounts/transfer',
      body: expect.stringMatching(/^\{"instrument_id":"text-prime","quantity":1,/),
    },
  ],
];

describe('changes', () => {
  it.each(changes)('%s', async (_name, call, request) => {
    const server = await serve({ body: { data: { id: 'x' } } });
    expect(await call(new OpenGrid({ baseUrl: server.origin }))).toEqual({ id: 'x' });
    expect(server.requests).toMatchObject([request]);
  });
});

describe('resources', () => {
  it.each(cases)('read %s', async (_name, call, url, body, result) => {
    const server = await serve({ body });
    expect(await call(new OpenGrid({ baseUrl: server.origin }))).toEqual(result);
    expect(server.requests.map((request) => request.url)).toEqual([url]);
  });

  it.each([
    ['markets', (grid: OpenGrid) => grid.markets.list(), '/v1/markets'],
    [
      'instruments',
      (grid: OpenGrid) => grid.instruments.list({ status: 'active' }),
      '/v1/instruments?status=active',
    ],
    ['trades', (grid: OpenGrid) => grid.markets.trades('a', { limit: 3 }), '/v1/markets/a/trades?limit=3'],
    [
      'receipts',
      (grid: OpenGrid) => grid.usage.list({ cost_status: 'unpriced' }),
      '/v1/usage?cost_status=unpriced',
    ],
    [
      'orders',
      (grid: OpenGrid) => grid.orders.list({ status: ['filled', 'expired'], limit: 500 }),
      '/v1/orders?status=filled%2Cexpired&limit=500',
    ],
    ['own trades', (grid: OpenGrid) => grid.trades.list({ limit: 3 }), '/v1/trades?limit=3'],
    ['positions', (grid: OpenGrid) => grid.positions.list({ status: 'open' }), '/v1/positions?status=open'],
    ['trading accounts', (grid: OpenGrid) => grid.tradingAccounts.list(), '/v1/trading-accounts'],
    ['lots', (grid: OpenGrid) => grid.consumptionAccounts.lots('a_1'), '/v1/consumption-accounts/a_1/lots'],
    [
      'transfers',
      (grid: OpenGrid) => grid.transfers.list({ direction: 'trading_to_consumption' }),
      '/v1/transfer-histories?direction=trading_to_consumption',
    ],
    [
      'candles',
      (grid: OpenGrid) => grid.priceHistories.list({ market_id: 'text-prime', resolution: '1h', fill: true }),
      '/v1/price-histories?market_id=text-prime&resolution=1h&fill=true',
    ],
    ['issuances', (grid: OpenGrid) => grid.supply.issuances(), '/v1/supply-issuances'],
    ['issuance accounts', (grid: OpenGrid) => grid.supply.accounts(), '/v1/issuance-accounts'],
    ['liabilities', (grid: OpenGrid) => grid.supply.liabilities(), '/v1/supplier-liability'],
    ['specifications', (grid: OpenGrid) => grid.instruments.specs('usd'), '/v1/instruments/usd/specs'],
    [
      'the index',
      (grid: OpenGrid) => grid.instruments.index('text-prime', { resolution: '1d' }),
      '/v1/instruments/text-prime/index?resolution=1d',
    ],
  ])('list %s', async (_name, call, url) => {
    const server = await serve({ body: list });
    expect((await call(new OpenGrid({ baseUrl: server.origin }))).data).toEqual(list.data);
    expect(server.requests.map((request) => request.url)).toEqual([url]);
  });
});
