import type { TradingState } from '@opengrid/exchange';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFloor, secondsBack, send, type Trader, type TradingFloor } from '../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';

const LIMIT = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price: '2' };

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
const nextSecond = secondsBack();
beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
  trader = await floor.trader({ usdMicros: 900_000_000 });
  const seller = await floor.trader({ units: 20 });
  await seller.place({ ...LIMIT, side: 'sell', quantity: 10, price: '2.1' });
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

function set(state: TradingState): Promise<void> {
  return floor.command({ kind: 'set_trading_state', instrument: floor.instrument.instrumentNo, state });
}

async function outcome(order: object): Promise<string> {
  const { status, body } = await trader.place({ ...LIMIT, ...order });
  return `${status} ${status === 201 ? body.data.status : body.errors.code}`;
}

/** A resting order that tries to change, and then to go, in this state. */
async function changes(id: string): Promise<string[]> {
  const path = `/v1/orders/${id}`;
  const body = { quantity: 2 };
  const amended = await trader.call('PUT', path, { body, timestamp: nextSecond() });
  const cancelled = await trader.call('DELETE', path, { timestamp: nextSecond() });
  const bulk = await trader.call('DELETE', '/v1/markets/text-standard/orders', { timestamp: nextSecond() });
  return [amended, cancelled, bulk].map(({ status, body: answer }) =>
    status >= 400 ? `${status} ${answer.errors.code}` : String(status),
  );
}

async function resting(): Promise<string> {
  return (await trader.place({ ...LIMIT, price: '1' })).body.data.id;
}

it('orders, amends and cancels are taken as the state of the market says', async () => {
  const before = { price: '1.5' };
  const crossing = { price: '2.1' };
  const market = { type: 'market', price: undefined };
  const cases: [TradingState, object, string][] = [
    ['post_only', before, '201 active'],
    ['post_only', crossing, '422 post_only_would_cross'],
    ['post_only', { ...before, time_in_force: 'ioc' }, '422 market_not_open'],
    ['post_only', market, '422 market_not_open'],
    ['auction', crossing, '201 active'],
    ['auction', { ...before, time_in_force: 'day' }, '201 active'],
    ['auction', { ...before, time_in_force: 'fok' }, '422 market_not_open'],
    ['auction', market, '422 market_not_open'],
    ['cancel_only', before, '422 market_not_open'],
  ];
  for (const [state, order, expected] of cases) {
    await set('open');
    await set(state);
    expect([state, order, await outcome(order)]).toEqual([state, order, expected]);
    // What an auction left crossed trades when the market opens; the rest goes.
    await set('open');
    await trader.call('DELETE', '/v1/orders', { timestamp: nextSecond() });
    floor.clock.nowMs = Date.now();
  }
});

it('an auction trades once, at one price, and both sides make', async () => {
  await set('open');
  await set('auction');
  const seller = await floor.trader({ units: 5 });
  await trader.place({ ...LIMIT, quantity: 3, price: '2.04' });
  await seller.place({ ...LIMIT, side: 'sell', quantity: 2, price: '2' });
  await set('open');
  const [sold] = (await seller.get('/v1/trades')).rows;
  const [bought] = (await trader.get('/v1/trades?limit=1')).rows;
  expect(bought).toMatchObject({
    id: sold?.id,
    quantity: 2,
    liquidity: 'maker',
    fee: '0.000000',
    fee_bps: 0,
  });
  expect(sold).toMatchObject({ liquidity: 'maker', fee: '0.000000', fee_bps: 0, side: 'sell' });
  const shown = (await send(floor.origin, { method: 'GET', path: '/v1/markets/text-standard/trades' }))
    .rows[0];
  expect(shown).toMatchObject({ id: sold?.id, side: 'sell' });
  expect((await seller.get(`/v1/trades?triggering_order_id=${sold?.order_id}`)).rows).toEqual([]);
  await trader.call('DELETE', '/v1/orders', { timestamp: nextSecond() });
});

it('a refused order is recorded, and the market says what state it is in', async () => {
  await set('cancel_only');
  const refused = await trader.place(LIMIT);
  const order = await trader.get(`/v1/orders/${refused.body.errors.context.order_id}`);
  expect(order.body.data).toMatchObject({ status: 'rejected', filled_quantity: 0 });
  const { data } = (await send(floor.origin, { method: 'GET', path: '/v1/markets/text-standard' })).body;
  expect([data.trading_state, data.status]).toEqual(['cancel_only', 'suspended']);
});

it('only a halt keeps what rests from being cancelled', async () => {
  await set('open');
  await set('post_only');
  expect(await changes(await resting())).toEqual(['200', '204', '200']);
  await set('auction');
  expect(await changes(await resting())).toEqual(['200', '204', '200']);
  await set('open');
  const first = await resting();
  await set('cancel_only');
  expect(await changes(first)).toEqual(['422 market_not_open', '204', '200']);
  await set('open');
  const second = await resting();
  await set('halted');
  const [amended, cancelled] = await changes(second);
  expect([amended, cancelled]).toEqual(['422 market_not_open', '422 market_not_open']);
  expect(await outcome({ price: '1.5' })).toBe('422 market_not_open');
  expect((await trader.get(`/v1/orders/${second}`)).body.data.status).toBe('active');
});
