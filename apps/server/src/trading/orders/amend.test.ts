import { afterEach, expect, it } from 'vitest';
import {
  type Answer,
  openFloor,
  secondsBack,
  type Trader,
  type TradingFloor,
} from '../../program/testing.ts';
import { verifyLedger } from '../../sequencer/verify.ts';
import { forEachStore } from '../../store/testing.ts';

const BUY = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 10, price: '2.5' };
const DAY_MS = 86_400_000;

forEachStore('amending orders', (open) => {
  let floor: TradingFloor;
  let trader: Trader;
  afterEach(() => floor.close());
  const nextSecond = secondsBack();

  async function setUp(): Promise<string> {
    floor = await openFloor((await open()).database);
    trader = await floor.trader({ usdMicros: 100_000_000 });
    return (await trader.place(BUY)).body.data.id;
  }

  /** Each with its own second, so that none is a copy of another. */
  function amend(id: string, body: unknown, method = 'PUT'): Promise<Answer> {
    return trader.call(method, `/v1/orders/${id}`, { body, timestamp: nextSecond() });
  }

  function available(): number {
    return floor.sequencer.exchange.availableUsdMicros(trader.account.accountNumber);
  }

  it('changes quantity, price and life in one step, and holds what the order needs now', async () => {
    const id = await setUp();
    floor.clock.nowMs += 5;
    const smaller = await amend(id, { quantity: '4' });
    expect(smaller.status).toBe(200);
    expect(smaller.body.data).toMatchObject({ id, quantity: 4, remaining_quantity: 4, status: 'active' });
    expect(available()).toBe(100_000_000 - 10_050_000);
    const expire = new Date(floor.clock.nowMs + DAY_MS).toISOString();
    const both = await amend(id, { price: 3, time_in_force: 'gtd', expire_at: expire }, 'PATCH');
    expect(both.body.data).toMatchObject({ price: '3.0000', time_in_force: 'gtd', expire_at: expire });
    const later = new Date(floor.clock.nowMs + 2 * DAY_MS).toISOString();
    const moved = await amend(id, { expire_at: later });
    expect(moved.body.data).toMatchObject({ price: '3.0000', time_in_force: 'gtd', expire_at: later });
    const read = await trader.get(`/v1/orders/${id}`);
    expect(read.body).toEqual(moved.body);
    expect(available()).toBe(100_000_000 - 12_060_000);
    expect((await verifyLedger(floor.database)).ok).toBe(true);
  });

  it('leaves the client order id with the order that was placed', async () => {
    await setUp();
    const sent = { ...BUY, quantity: 3, price: '1', client_order_id: 'mine' };
    const { id } = (await trader.place(sent)).body.data;
    await amend(id, { quantity: 2, price: '1.1' });
    await amend(id, { quantity: 1 });
    const repeat = (body: unknown): Promise<Answer> =>
      trader.call('POST', '/v1/orders', { body, timestamp: nextSecond() });
    const again = await repeat({ ...sent, unknown_member: 1 });
    expect([again.status, again.body.data.id, again.body.data.quantity]).toEqual([200, id, 1]);
    const other = await repeat({ ...sent, quantity: 1, price: '1.1' });
    expect(other.body.errors.code).toBe('duplicate_client_order_id');
  });

  it('may trade at once, and then shows what was filled', async () => {
    const id = await setUp();
    const seller = await floor.trader({ units: 5 });
    await seller.place({ ...BUY, side: 'sell', price: '2.6', quantity: 3 });
    const amended = await amend(id, { price: '2.6', quantity: 3 });
    expect(amended.body.data).toMatchObject({
      status: 'filled',
      filled_quantity: 3,
      remaining_quantity: 0,
      average_price: '2.6000',
      closure_reason: 'filled',
    });
    const after = await amend(id, { quantity: 5 });
    expect([after.status, after.body.errors.code, after.body.errors.context]).toEqual([
      409,
      'order_not_amendable',
      { status: 'filled' },
    ]);
  });

  it('is refused by name, and then changes nothing', async () => {
    const id = await setUp();
    const before = (await trader.get(`/v1/orders/${id}`)).body;
    const seller = await floor.trader({ units: 50 });
    const resting = (await seller.place({ ...BUY, side: 'sell', price: '4', quantity: 1 })).body.data.id;
    const postOnly = await trader.place({ ...BUY, price: '1', quantity: 1, post_only: true });
    const cases: [string, unknown, number, string][] = [
      [id, {}, 400, 'validation_failed'],
      [id, { quantity: 0 }, 400, 'validation_failed'],
      [id, { quantity: 10_001 }, 400, 'validation_failed'],
      [id, { price: '0' }, 400, 'validation_failed'],
      [id, { price: '2.50001' }, 400, 'validation_failed'],
      [id, { stop_price: '2' }, 400, 'validation_failed'],
      [id, { time_in_force: 'ioc' }, 400, 'validation_failed'],
      [id, { time_in_force: 'gtd' }, 400, 'validation_failed'],
      [id, { expire_at: floor.clock.nowMs + DAY_MS }, 400, 'validation_failed'],
      [id, { time_in_force: 'gtd', expire_at: '2020-01-01' }, 400, 'validation_failed'],
      [id, { quantity: 1_000 }, 400, 'insufficient_balance'],
      [postOnly.body.data.id, { price: '4' }, 422, 'post_only_would_cross'],
      [resting, { quantity: 2 }, 404, 'order_not_found'],
      ['order_01jz3v8m2k7f9q0x4w6t5s1r8a', { quantity: 2 }, 404, 'order_not_found'],
    ];
    for (const [order, body, status, code] of cases) {
      const answer = await amend(order, body);
      expect([body, answer.status, answer.body.errors?.code]).toEqual([body, status, code]);
    }
    expect((await trader.get(`/v1/orders/${id}`)).body).toEqual(before);
    const easy = await floor.trader({ mode: 'easy' });
    const refused = await easy.call('PUT', `/v1/orders/${id}`, { body: { quantity: 1 } });
    expect([refused.status, refused.body.errors.detail]).toEqual([403, 'auto_mode_trading_restricted']);
  });

  it('is counted against the limit of its market', async () => {
    floor = await openFloor((await open()).database, { settings: { orderRate: 1, orderBurst: 3 } });
    trader = await floor.trader({ usdMicros: 100_000_000 });
    const { id } = (await trader.place(BUY)).body.data;
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) {
      const answer = await amend(id, { quantity: 9 - index });
      statuses.push(answer.status);
      if (answer.status === 429) expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(3);
    expect(statuses).toContain(429);
    const cancel = await trader.call('DELETE', `/v1/orders/${id}`);
    expect(cancel.status).toBe(204);
  });

  it('sent again within two seconds is carried out again, and later answered from the state', async () => {
    let opened: TradingFloor | undefined;
    const replayClock = (): number => opened?.clock.nowMs ?? Date.now();
    floor = await openFloor((await open()).database, { replayClock });
    opened = floor;
    trader = await floor.trader({ usdMicros: 100_000_000 });
    const { id } = (await trader.place(BUY)).body.data;
    const timestamp = Math.floor(Date.now() / 1000);
    const again = (): Promise<Answer> =>
      trader.call('PUT', `/v1/orders/${id}`, { body: { quantity: 5 }, timestamp });
    const first = await again();
    expect(first.headers.get('x-grid-idempotent-replay')).toBeNull();
    await amend(id, { quantity: 7 });
    expect((await again()).body.data.quantity).toBe(5);
    await amend(id, { quantity: 7 });
    floor.clock.nowMs += 3_000;
    const late = await again();
    expect([late.status, late.body.data.quantity]).toEqual([200, 7]);
    expect(late.headers.get('x-grid-idempotent-replay')).toBe('true');
  });
});
