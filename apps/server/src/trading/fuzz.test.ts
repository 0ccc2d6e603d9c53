import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFloor, send, type Trader, type TradingFloor } from '../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
  trader = await floor.trader({ usdMicros: 900_000_000, units: 1_000 });
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

const ORDER = mostly({
  market_id: fc.constantFrom('text-standard', 'TEXT-PRIME'),
  side: fc.constantFrom('buy', 'sell'),
  type: fc.constantFrom('limit', 'market'),
  quantity: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom('3', '3.0', 12_000, -1)),
  price: fc.constantFrom('2.5', 2.5, '0.0001', 3, '1.0', '99999999999'),
  time_in_force: fc.constantFrom('gtc', 'ioc', 'fok'),
  post_only: fc.constantFrom(false, false, true),
  self_trade_prevention: fc.constantFrom('cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement'),
  should_autotransfer: fc.boolean(),
  client_order_id: fc.stringMatching(/^[a-c]{1,2}$/),
});

const TRANSFER = mostly({ instrument_id: fc.constantFrom('text-standard', 'x'), quantity: fc.integer() });

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

it('answers every body with a name, never with a fault', { timeout: 120_000 }, async () => {
  const request = fc.oneof(
    fc.record({ path: fc.constant('/v1/orders'), body: ORDER }),
    fc.record({ path: fc.constant('/v1/transfers/trading-to-consumption'), body: TRANSFER }),
    fc.record({ path: fc.constant('/v1/orders'), body: GARBAGE }),
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(request, async ({ path, body }) => {
      const answer = await trader.call('POST', path, { body });
      statuses.add(answer.status);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.body.errors.message).toMatch(/\.$|available$/);
    }),
    { numRuns: 400 },
  );
  // The garbage must not be all there is: some requests have to go through.
  expect([...statuses]).toEqual(expect.arrayContaining([201, 400]));
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
    { numRuns: 400 },
  );
});
