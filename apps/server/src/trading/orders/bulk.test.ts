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

const BUY = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price: '1' };
const SELL = { ...BUY, side: 'sell', price: '9' };

forEachStore('many orders at once', (open) => {
  let floor: TradingFloor;
  let trader: Trader;
  let opened: TradingFloor | undefined;
  afterEach(() => floor.close());
  const nextSecond = secondsBack();
  /** Of the engine, so that no real second counts. */
  const replayNow = (): number => opened?.clock.nowMs ?? Date.now();

  /** Each with its own second, so that none is a copy of another. */
  function call(method: string, path: string, body?: unknown): Promise<Answer> {
    return trader.call(method, path, { body, timestamp: nextSecond() });
  }

  async function setUp(settings = {}): Promise<void> {
    opened = undefined;
    floor = await openFloor((await open()).database, { settings, replayClock: replayNow });
    opened = floor;
    trader = await floor.trader({ usdMicros: 100_000_000, units: 10 });
  }

  async function openCount(): Promise<unknown> {
    return (await trader.get('/v1/orders/count')).body.data.count;
  }

  it('are cancelled by side, by market, or all, and each is named', async () => {
    await setUp();
    const other = await floor.trader({ usdMicros: 10_000_000 });
    await other.place(BUY);
    const place = async (order: object): Promise<string> => (await trader.place({ ...order })).body.data.id;
    const buys = [await place(BUY), await place({ ...BUY, price: '1.1' })];
    const sell = await place(SELL);
    const prime = await place({ ...BUY, market_id: 'text-prime' });
    const none = await call('DELETE', '/v1/markets/text-max/orders');
    expect([none.status, none.body]).toEqual([200, { data: { cancelled: 0, order_ids: [] } }]);
    const bySide = await call('DELETE', '/v1/markets/TEXT-STANDARD/orders?side=buy');
    expect([bySide.status, bySide.body]).toEqual([200, { data: { cancelled: 2, order_ids: buys } }]);
    expect(await openCount()).toBe(2);
    const all = await call('DELETE', '/v1/orders');
    expect(all.body).toEqual({ data: { cancelled: 2, order_ids: [sell, prime] } });
    expect(await openCount()).toBe(0);
    expect((await other.get('/v1/orders/count')).body.data.count).toBe(1);
    const closed = (await trader.get(`/v1/orders/${sell}`)).body.data;
    expect(closed).toMatchObject({ status: 'cancelled', closure_reason: 'bulk_cancel' });
    expect((await verifyLedger(floor.database)).ok).toBe(true);
  });

  it('are not cancelled by a request that may mean something else', async () => {
    await setUp();
    await trader.place(BUY);
    for (const query of [
      '?market_id=text-prime',
      '?side=both',
      '?side=buy&side=sell',
      '?Side=buy',
      '?side[]=buy',
    ]) {
      const answer = await call('DELETE', `/v1/orders${query}`);
      expect([query, answer.status, answer.body.errors?.code]).toEqual([query, 400, 'validation_failed']);
    }
    const unknown = await call('DELETE', '/v1/markets/text-nothing/orders');
    expect([unknown.status, unknown.body.errors.code]).toEqual([404, 'market_not_found']);
    const easy = await floor.trader({ mode: 'easy' });
    for (const path of ['/v1/orders', '/v1/markets/text-standard/orders'])
      expect((await easy.call('DELETE', path)).body.errors.detail).toBe('auto_mode_trading_restricted');
    expect(await openCount()).toBe(1);
  });

  it('above five hundred are counted, not named', { timeout: 120_000 }, async () => {
    await setUp();
    const rest = async (market_id: string, count: number): Promise<void> => {
      for (let done = 0; done < count; done += 50)
        await Promise.all(
          Array.from({ length: 50 }, () => trader.place({ ...BUY, price: '0.001', market_id })),
        );
    };
    await rest('text-standard', 500);
    await rest('text-prime', 50);
    const answer = await call('DELETE', '/v1/orders');
    expect(answer.body).toEqual({ data: { cancelled: 550 } });
  });

  it('a late copy of a bulk cancel tells what the first one did, and does nothing', async () => {
    await setUp();
    const { id } = (await trader.place(BUY)).body.data;
    const timestamp = Math.floor(Date.now() / 1000);
    const copy = (): Promise<Answer> => trader.call('DELETE', '/v1/orders', { timestamp });
    expect((await copy()).body).toEqual({ data: { cancelled: 1, order_ids: [id] } });
    await trader.place(BUY);
    expect((await copy()).body.data).toMatchObject({ cancelled: 1 });
    await trader.place(BUY);
    floor.clock.nowMs += 3_000;
    const late = await copy();
    expect(late.headers.get('x-grid-idempotent-replay')).toBe('true');
    expect(await openCount()).toBe(1);
  });
});

forEachStore('the dead man switch', (open) => {
  let floor: TradingFloor;
  let trader: Trader;
  let opened: TradingFloor | undefined;
  afterEach(() => floor.close());
  const nextSecond = secondsBack();
  /** Of the engine, so that no real second counts. */
  const replayNow = (): number => opened?.clock.nowMs ?? Date.now();

  function arm(body: unknown): Promise<Answer> {
    return trader.call('POST', '/v1/orders/cancel-all-after', { body, timestamp: nextSecond() });
  }

  async function setUp(): Promise<string> {
    opened = undefined;
    floor = await openFloor((await open()).database, { replayClock: replayNow });
    opened = floor;
    trader = await floor.trader({ usdMicros: 100_000_000 });
    return (await trader.place(BUY)).body.data.id;
  }

  it('cancels when nobody renews it, before anything that comes later', async () => {
    const id = await setUp();
    const armed = await arm({ timeout_ms: 8_000 });
    expect([armed.status, armed.body]).toEqual([
      200,
      {
        data: {
          armed: true,
          timeout_ms: 8_000,
          trigger_at: new Date(floor.clock.nowMs + 8_000).toISOString(),
          server_time: expect.stringMatching(/Z$/),
        },
      },
    ]);
    floor.clock.nowMs += 7_000;
    await arm({ timeout_ms: 8_000 });
    floor.clock.nowMs += 7_000;
    await trader.place(BUY);
    expect((await trader.get(`/v1/orders/${id}`)).body.data.status).toBe('active');
    floor.clock.nowMs += 1_000;
    const fresh = (await trader.place(BUY)).body.data.id;
    const closed = (await trader.get(`/v1/orders/${id}`)).body.data;
    expect(closed).toMatchObject({ status: 'cancelled', closure_reason: 'cancel_all_after' });
    expect((await trader.get(`/v1/orders/${fresh}`)).body.data.status).toBe('active');
  });

  it('is disarmed by 0, has one timer for each market beside the common one, and takes sound times', async () => {
    const id = await setUp();
    await arm({ timeout_ms: 5_000, market_id: 'text-prime' });
    await arm({ timeout_ms: 5_000 });
    const disarmed = await arm({ timeout_ms: 0 });
    expect(disarmed.body.data).toMatchObject({ armed: false, timeout_ms: 0, trigger_at: null });
    floor.clock.nowMs += 6_000;
    const prime = await trader.place({ ...BUY, market_id: 'text-prime' });
    expect(prime.body.data.status).toBe('active');
    expect((await trader.get(`/v1/orders/${id}`)).body.data.status).toBe('active');
    for (const timeout_ms of [4_999, 600_001, -1, 1.5, '60000', null, 1e21, undefined]) {
      const answer = await arm({ timeout_ms });
      expect([timeout_ms, answer.body.errors?.code]).toEqual([timeout_ms, 'validation_failed']);
    }
    expect((await arm({ timeout_ms: 5_000, market_id: 'nothing' })).body.errors.code).toBe(
      'market_not_found',
    );
  });

  it('a copy renews it for two seconds, and later only tells when it would have gone off', async () => {
    await setUp();
    const timestamp = Math.floor(Date.now() / 1000);
    const again = (): Promise<Answer> =>
      trader.call('POST', '/v1/orders/cancel-all-after', { body: { timeout_ms: 10_000 }, timestamp });
    const firstMs = floor.clock.nowMs;
    const at = (answer: Answer): number => Date.parse(String(answer.body.data.trigger_at)) - firstMs;
    expect(at(await again())).toBe(10_000);
    floor.clock.nowMs += 1_000;
    expect(at(await again())).toBe(11_000);
    floor.clock.nowMs += 3_000;
    const late = await again();
    expect([at(late), late.headers.get('x-grid-idempotent-replay')]).toEqual([10_000, 'true']);
  });
});

forEachStore('orders that expire', (open) => {
  let floor: TradingFloor;
  afterEach(() => floor.close());

  it('end at their time, and day orders at midnight UTC', async () => {
    floor = await openFloor((await open()).database);
    const trader = await floor.trader({ usdMicros: 100_000_000 });
    const nowMs = Date.now();
    const expire_at = new Date(nowMs + 3_600_000).toISOString();
    const gtd = (await trader.place({ ...BUY, time_in_force: 'gtd', expire_at })).body.data;
    expect(gtd).toMatchObject({ time_in_force: 'gtd', expire_at, status: 'active' });
    const day = (await trader.place({ ...BUY, time_in_force: 'day', client_order_id: 'd' })).body.data;
    expect(day.time_in_force).toBe('day');
    expect(day.expire_at).toMatch(/T00:00:00\.000Z$/);
    const lastsMs = Date.parse(String(day.expire_at)) - nowMs;
    expect(lastsMs > 0 && lastsMs <= 86_400_000).toBe(true);
    const again = await trader.place({ ...BUY, time_in_force: 'day', client_order_id: 'd' });
    expect(again.body.data.id).toBe(day.id);
    const market = await trader.place({ ...BUY, type: 'market', time_in_force: 'day' });
    expect(market.body.data).toMatchObject({ time_in_force: 'ioc', expire_at: null });
    floor.clock.nowMs += 2 * 86_400_000;
    const { accountNumber: account } = trader.account;
    await floor.command({ kind: 'credit', account, origin: 'promotional', amountMicros: 1 });
    for (const { id } of [gtd, day]) {
      const ended = (await trader.get(`/v1/orders/${id}`)).body.data;
      expect(ended).toMatchObject({ status: 'expired', closure_reason: 'expired' });
      const cancel = await trader.call('DELETE', `/v1/orders/${id}`);
      expect([cancel.status, cancel.body.errors.code]).toEqual([409, 'order_not_cancellable']);
    }
    expect((await trader.get('/v1/orders?status=expired&type=limit')).rows).toHaveLength(2);
    expect((await verifyLedger(floor.database)).ok).toBe(true);
  });

  it('take ends one second to ninety days ahead, with gtd alone', async () => {
    floor = await openFloor((await open()).database);
    const trader = await floor.trader({ usdMicros: 100_000_000 });
    const ahead = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const bad: [string | undefined, unknown][] = [
      ['gtd', undefined],
      ['gtd', null],
      ['gtd', ahead(-1_000)],
      ['gtd', ahead(0)],
      ['gtd', ahead(91 * 86_400_000)],
      ['gtd', '2026-01-01T00:00:00'],
      ['gtd', '2026-02-30'],
      ['gtd', 1e300],
      ['gtd', {}],
      ['gtc', ahead(60_000)],
      [undefined, ahead(60_000)],
      ['ioc', ahead(60_000)],
      ['day', ahead(60_000)],
    ];
    for (const [time_in_force, expire_at] of bad) {
      const answer = await trader.place({ ...BUY, time_in_force, expire_at });
      expect([time_in_force, expire_at, answer.body.errors?.code]).toEqual([
        time_in_force,
        expire_at,
        'validation_failed',
      ]);
    }
    const unix = await trader.place({
      ...BUY,
      time_in_force: 'gtd',
      expire_at: Math.floor(Date.now() / 1000) + 60,
    });
    expect(unix.status).toBe(201);
  });
});
