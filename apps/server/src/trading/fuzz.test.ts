import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SupplierDirectory } from '../ports/supply.ts';
import { openFloor, send, type Trader, type TradingFloor } from '../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';

const SUPPLIER = {
  supplierId: 'supplier_01jz3v8m2k7f9q0x4w6t5s1r8v',
  displayName: 'S',
  status: 'approved',
  isManaged: false,
} as const;

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
/** Orders that rest, for what changes them. */
let resting: string[];
beforeAll(async () => {
  store = await openEmbeddedStore();
  const suppliers: SupplierDirectory = {
    endpointsFor: () => [],
    supplier: () => undefined,
    supplierByAccount: (accountNumber) => ({ ...SUPPLIER, accountNumber }),
  };
  floor = await openFloor(store.database, { suppliers });
  trader = await floor.trader({ usdMicros: 900_000_000, units: 1_000 });
  const order = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 5, price: '0.01' };
  const placed = await Promise.all(Array.from({ length: 6 }, () => trader.place(order)));
  resting = placed.map(({ body }) => body.data.id);
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

const GARBAGE = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '1e9',
    '-1',
    'NaN',
    '9'.repeat(40),
    '\u0000',
    '\ud800',
    '٣',
    "' or 1=1 --",
    -0,
    1e21,
    2 ** 53,
  ),
);

/** A body that is sound, or has up to two members that are not, or lacks some. */
function mostly(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const wrong = fc.array(fc.tuple(fc.constantFrom(...Object.keys(members)), GARBAGE), { maxLength: 2 });
  return fc
    .tuple(fc.record(members), wrong, fc.subarray(Object.keys(members), { maxLength: 1 }))
    .map(([sound, overrides, dropped]) => {
      const body = { ...sound, ...Object.fromEntries(overrides) };
      return Object.fromEntries(Object.entries(body).filter(([name]) => !dropped.includes(name)));
    });
}

const TIME = fc.oneof(
  fc.constant('2020-01-01'),
  fc.integer({ min: -10, max: 100_000 }).map((ahead) => Math.floor(Date.now() / 1000) + ahead),
  fc.constantFrom('9'.repeat(13), '2026-13-01', '+012026-01-01T00:00:00Z', null),
);
const ORDER = mostly({
  market_id: fc.constantFrom('text-standard', 'TEXT-PRIME'),
  side: fc.constantFrom('buy', 'sell'),
  type: fc.constantFrom('limit', 'market'),
  quantity: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom('3', '3.0', 12_000, -1)),
  price: fc.constantFrom('2.5', 2.5, '0.0001', 3, '1.0', '99999999999'),
  time_in_force: fc.constantFrom('gtc', 'ioc', 'fok', 'gtd', 'day'),
  expire_at: fc.oneof(fc.constant(null), TIME),
  post_only: fc.constantFrom(false, false, true),
  self_trade_prevention: fc.constantFrom('cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement'),
  should_autotransfer: fc.boolean(),
  client_order_id: fc.stringMatching(/^[a-c]{1,2}$/),
});

const AMEND = mostly({
  quantity: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('4.0', 0, 20_000)),
  price: fc.constantFrom('0.01', 0.02, '0.0001', '5'),
  time_in_force: fc.constantFrom('gtc', 'gtd', 'day', 'ioc'),
  expire_at: TIME,
});
const TIMER = mostly({
  timeout_ms: fc.constantFrom(0, 5_000, 600_000, 4_999, 600_001),
  market_id: fc.constantFrom('text-prime', 'x', null),
});
const TRANSFER = mostly({
  instrument_id: fc.constantFrom('text-standard', 'TEXT-PRIME', 'x'),
  quantity: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer()),
  lot_id: fc.constantFrom(null, 'lot_01jz3v8m2k7f9q0x4w6t5s1r8s'),
});

const PATHS = [
  '/orders',
  '/orders/count',
  '/trades',
  '/trading-accounts',
  '/currency-trading-accounts',
  '/consumption-accounts',
  '/transfer-histories',
  '/price-histories',
  '/account/limits',
  '/supply-issuances',
  '/supply-issuances/summary',
  '/issuance-accounts',
  '/supplier-liability',
  '/positions',
  '/diagnostics',
  '/instruments',
  '/instruments/text-standard/index',
  '/instruments/text-standard/specs',
  '/markets',
  '/markets/text-standard/trades',
  '/markets/text-standard/orderbook',
  '/me',
];
const NAMES = [
  'market_id',
  'status',
  'side',
  'limit',
  'next',
  'prev',
  'order_by',
  'order_direction',
  'start_datetime',
  'resolution',
  'from',
  'to',
  'filters[0][field]',
  'filters[0][op]',
  'filters[0][value]',
  'flop[filters][0][field]',
  '__proto__',
];
const VALUES = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'text-standard',
    '1m',
    'asc',
    '0',
    '-1',
    '1'.repeat(30),
    'limit',
    '>=',
    'open',
    '__proto__',
  ),
);

/** Every route that changes something, with bodies that are mostly what it takes. */
function changes() {
  const post = (path: string, body: fc.Arbitrary<unknown>) =>
    fc.record({ method: fc.constant('POST'), path: fc.constant(path), body });
  const supply = ['/supply-issuances', '/supply-issuances/retire', '/issuance-accounts/transfer'];
  const order = fc.oneof(
    fc.integer({ min: 0, max: 5 }).map((index) => `/orders/${resting[index]}`),
    fc.string({ maxLength: 20 }).map((id) => `/orders/${encodeURIComponent(id)}`),
  );
  return fc.oneof(
    post('/orders', ORDER),
    post('/orders', GARBAGE),
    post('/orders/cancel-all-after', TIMER),
    post('/transfers/trading-to-consumption', TRANSFER),
    post('/transfers/consumption-to-trading', TRANSFER),
    fc.constantFrom(...supply).chain((path) => post(path, TRANSFER)),
    fc.record({ method: fc.constantFrom('PUT', 'PATCH'), path: order, body: AMEND }),
    fc.record({
      method: fc.constant('DELETE'),
      path: fc.oneof(
        order,
        fc.constantFrom('/orders?side=sell', '/markets/text-max/orders', '/markets/x/orders'),
      ),
      body: fc.constant(undefined),
    }),
  );
}

const IDEMPOTENCY_KEY = fc.option(fc.constantFrom('a', 'b', '~', ' ', 'x'.repeat(256)), { freq: 3 });

it('answers every body with a name, never with a fault', { timeout: 240_000 }, async () => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(changes(), IDEMPOTENCY_KEY, async ({ method, path, body }, key) => {
      // Header values are trimmed on their way, so a blank key arrives as an empty one.
      const headers = key === null ? {} : { 'idempotency-key': key };
      const answer = await trader.call(method, `/v1${path}`, { body, headers });
      statuses.add(answer.status);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.body.errors.message).toMatch(/\.$|available$/);
    }),
    { numRuns: 600 },
  );
  // The garbage must not be all there is: some requests have to go through.
  expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 400, 404, 409]));
});

it('answers every query and every id with a name, never with a fault', { timeout: 120_000 }, async () => {
  const query = fc.array(fc.tuple(fc.constantFrom(...NAMES), VALUES), { maxLength: 4 });
  const path = fc.oneof(
    fc.constantFrom(...PATHS),
    fc
      .tuple(
        fc.constantFrom('/orders', '/trades', '/trading-accounts', '/supplier-liability'),
        fc.string({ maxLength: 50 }),
      )
      .map(([list, id]) => `${list}/${encodeURIComponent(id)}`),
  );
  await fc.assert(
    fc.asyncProperty(path, query, async (where, pairs) => {
      const target = `/v1${where}?${new URLSearchParams(pairs as [string, string][])}`;
      const headers = trader.sign('GET', new URL(target, 'http://x').pathname, '');
      const answer = await send(floor.origin, { method: 'GET', path: target, headers });
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 500 },
  );
});
