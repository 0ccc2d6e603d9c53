import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFloor, send, type Trader, type TradingFloor } from '../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';

/** What clients that exist already send, and what they read. Each of these rules has broken one of them before. */

const LIMIT = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: '3', price: '1.95' };
/** What a client that filters by `status=active` keeps of the answer. */
const OPEN_TO_CLIENTS = new Set(['active', 'pending', 'partially_filled', 'open', 'cancellation_pending']);
const EMITTED = new Set(['active', 'partially_filled', 'filled', 'cancelled', 'expired', 'rejected']);

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
let seller: Trader;
beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
  trader = await floor.trader({ usdMicros: 900_000_000 });
  seller = await floor.trader({ units: 100 });
  await seller.place({ ...LIMIT, side: 'sell', quantity: 50, price: '2' });
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

it('a create needs data.order_id and data.status, with any 2xx', async () => {
  const created = await trader.place(LIMIT);
  expect(created.status).toBe(201);
  expect(created.body.data).toMatchObject({ order_id: created.body.data.id, status: 'active' });
});

it('a create has no client order id, a price on a market order, and numbers as strings', async () => {
  const body = {
    market_id: floor.instrument.marketId,
    side: 'buy',
    type: 'market',
    quantity: '2.0',
    price: '2.10',
  };
  const market = await trader.call('POST', '/v1/orders', { body });
  expect(market.body.data).toMatchObject({
    status: 'filled',
    price: '2.1000',
    quantity: 2,
    time_in_force: 'ioc',
    client_order_id: null,
  });
  const tooCheap = await trader.call('POST', '/v1/orders', {
    body: { ...body, price: 1.9, time_in_force: 'gtc' },
  });
  expect(tooCheap.body.data).toMatchObject({ status: 'cancelled', closure_reason: 'price_protection' });
});

it('an amend answers 200 with the whole order', async () => {
  const { data } = (await trader.place(LIMIT)).body;
  const amended = await trader.call('PUT', `/v1/orders/${data.id}`, { body: { price: '1.9' } });
  expect(amended.status).toBe(200);
  expect(Object.keys(amended.body.data).sort()).toEqual(Object.keys(data).sort());
  expect(amended.body.data).toMatchObject({ order_id: data.id, price: '1.9000' });
});

it('a cancel is 204 without a body, and 200 with data when it was cancelled before, never 202 or 409', async () => {
  const { id } = (await trader.place(LIMIT)).body.data;
  const path = `/v1/orders/${id}`;
  const first = await trader.call('DELETE', path);
  expect([first.status, first.body]).toEqual([204, undefined]);
  const timestamp = Math.floor(Date.now() / 1000) - 7;
  const again = await trader.call('DELETE', path, { timestamp });
  expect([again.status, again.body.data.id, again.body.already_cancelled]).toEqual([200, id, true]);
});

it('a bulk cancel is exactly 200 with a numeric count', async () => {
  await trader.place(LIMIT);
  for (const path of ['/v1/orders', '/v1/markets/text-standard/orders']) {
    const answer = await trader.call('DELETE', path);
    expect([answer.status, typeof answer.body.data.cancelled]).toEqual([200, 'number']);
  }
});

it('a list takes its filters flat and nested, and its limit as a nested filter', async () => {
  for (let index = 0; index < 3; index += 1) await trader.place(LIMIT);
  const nested = (field: string, value: string, index: number): string =>
    `filters%5B${index}%5D%5Bfield%5D=${field}&filters%5B${index}%5D%5Bop%5D=%3D%3D&filters%5B${index}%5D%5Bvalue%5D=${value}`;
  const wanted = (await trader.get('/v1/orders?status=active&limit=2')).body;
  expect(wanted.data).toHaveLength(2);
  for (const query of [
    `${nested('status', 'active', 0)}&${nested('limit', '2', 1)}`,
    'flop[filters][0][field]=status&flop[filters][0][value]=active&flop[page_size]=2',
    'status=active&page=1&page_size=2',
  ]) {
    const answer = await trader.get(`/v1/orders?${query}`);
    expect([query, answer.body.data]).toEqual([query, wanted.data]);
  }
});

it('every status that is sent is one that clients know', async () => {
  const statuses = new Set<unknown>();
  for (const { status } of (await trader.get('/v1/orders?limit=500')).rows) statuses.add(status);
  expect(statuses.size).toBeGreaterThan(2);
  expect([...statuses].filter((status) => !EMITTED.has(String(status)))).toEqual([]);
  const active = (await trader.get('/v1/orders?status=active')).rows;
  expect(active.length).toBeGreaterThan(0);
  expect(active.filter(({ status }) => !OPEN_TO_CLIENTS.has(String(status)))).toEqual([]);
});

it('too little money is 400 with the code of old at the top, and the lower-case word', async () => {
  const answer = await trader.place({ ...LIMIT, quantity: 10_000, price: '2' });
  expect([answer.status, answer.body]).toMatchObject([
    400,
    { code: 'INSUFFICIENT_BALANCE', errors: { detail: 'insufficient_balance' } },
  ]);
  expect(answer.body.errors.message).toContain('insufficient');
  const other = await trader.place({ ...LIMIT, quantity: 0 });
  expect([other.status, 'code' in other.body]).toEqual([400, false]);
});

it('easy mode is told by errors.detail on every way to change an order', async () => {
  const easy = await floor.trader({ mode: 'easy' });
  const ways: [string, string, unknown?][] = [
    ['POST', '/v1/orders', LIMIT],
    ['PUT', '/v1/orders/order_01jz3v8m2k7f9q0x4w6t5s1r8a', { quantity: 1 }],
    ['DELETE', '/v1/orders/order_01jz3v8m2k7f9q0x4w6t5s1r8a'],
    ['DELETE', '/v1/orders'],
    ['DELETE', '/v1/markets/text-standard/orders'],
    ['POST', '/v1/orders/cancel-all-after', { timeout_ms: 5_000 }],
  ];
  for (const [method, path, body] of ways) {
    const answer = await easy.call(method, path, { body });
    expect([method, path, answer.status, answer.body.errors.detail]).toEqual([
      method,
      path,
      403,
      'auto_mode_trading_restricted',
    ]);
  }
  expect((await easy.get('/v1/orders')).status).toBe(200);
});

it('the connectivity check passes: health, me, the USD account, markets', async () => {
  const health = await send(floor.origin, { method: 'GET', path: '/v1/health' });
  expect(health.body.data.status).toBe('ok');
  const me = (await trader.get('/v1/me')).body.data;
  expect([typeof me.account_mode, Array.isArray(me.capabilities)]).toEqual(['string', true]);
  const accounts = (await trader.get('/v1/trading-accounts')).rows;
  expect(accounts.some(({ currency }) => String(currency).toUpperCase() === 'USD')).toBe(true);
  const markets = (await trader.get('/v1/markets')).rows;
  expect(markets.some(({ status }) => status === 'active')).toBe(true);
  for (const market of markets) {
    const { name, status, created_at, updated_at, order_controls } = market;
    expect([name, status, created_at, updated_at].every((member) => typeof member === 'string')).toBe(true);
    expect(typeof order_controls).toBe('object');
  }
});

it('every path that clients sign is there below the versioned prefix, and health needs no signature', async () => {
  const lists = [
    '/orders',
    '/markets',
    '/trades',
    '/positions',
    '/transfer-histories',
    '/price-histories?market_id=text-standard&resolution=1d',
    '/trading-accounts',
    '/currency-trading-accounts',
    '/consumption-accounts',
    '/instruments',
    '/me',
    '/account/limits?market_id=text-standard',
    '/diagnostics',
  ];
  for (const prefix of ['/v1', '/v1/trading', '/api/v1/trading']) {
    for (const path of lists)
      expect([path, (await trader.get(`${prefix}${path}`)).status]).toEqual([path, 200]);
    for (const path of ['/issuance-accounts', '/supply-issuances', '/supplier-liability'])
      expect([path, (await trader.get(`${prefix}${path}`)).body.errors.code]).toEqual([
        path,
        'supplier_not_approved',
      ]);
    expect((await send(floor.origin, { method: 'GET', path: `${prefix}/health` })).status).toBe(200);
  }
  const transfer = await trader.call('POST', '/v1/transfers/trading-to-consumption', {
    body: { instrument_id: 'text-standard', quantity: 1 },
  });
  expect([transfer.status, transfer.body.transfer_id]).toEqual([200, expect.stringMatching(/^transfer_/)]);
});

it('no trading mutation answers 502 or 504, which clients repeat, and 401 says why in detail', async () => {
  const answer = await trader.call('POST', '/v1/orders', { body: LIMIT, signedPath: '/v1/trades' });
  expect([answer.status, answer.body.errors.code]).toEqual([401, 'invalid_signature']);
  expect(answer.body.errors.detail).toBe(answer.body.errors.message);
  expect(answer.headers.get('x-should-retry')).toBe('false');
});
