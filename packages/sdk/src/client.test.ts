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
];

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
  ])('list %s', async (_name, call, url) => {
    const server = await serve({ body: list });
    expect((await call(new OpenGrid({ baseUrl: server.origin }))).data).toEqual(list.data);
    expect(server.requests.map((request) => request.url)).toEqual([url]);
  });
});
