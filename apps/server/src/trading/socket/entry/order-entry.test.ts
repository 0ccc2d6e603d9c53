import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openFloor, type Trader, type TradingFloor } from '../../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../../store/testing.ts';
import { cancelOrphans } from '../orphans.ts';
import { type TestPayload, TestSocket } from '../testing.ts';

const MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
let client: TestSocket;
let count = 0;

beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database, {
    settings: { socketMessageRate: 0, orderRate: 0, cancelRate: 40 },
  });
});
beforeEach(async () => {
  trader = await floor.trader({ usdMicros: 1_000_000_000, units: 20 });
  client = await TestSocket.trader(floor.origin, trader);
});
afterEach(async () => {
  client.socket.close();
  const { accountNumber: account } = trader.account;
  await floor.command({ kind: 'cancel_orders', account, reason: 'admin' });
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

const order = (more: Record<string, unknown> = {}): Record<string, unknown> => {
  count += 1;
  const fresh = { client_order_id: `order-${count}`, quantity: 2, price: '1.5' };
  return { market_id: MARKET, side: 'buy', type: 'limit', ...fresh, ...more };
};

async function openOrders(): Promise<readonly { id: string }[]> {
  return (await trader.get('/v1/orders?status=open')).rows;
}

describe('orders over a socket', () => {
  it('places, amends and cancels as the routes do, and answers with the same order', async () => {
    const placed = await client.call('order.place', order({ client_order_id: 'mine' }));
    const { order_id: id } = placed.data;
    expect(placed.data).toEqual((await trader.get(`/v1/orders/${id}`)).body.data);
    const amended = await client.call('order.amend', { client_order_id: 'mine', price: '1.6', quantity: 3 });
    expect(amended.data).toMatchObject({ order_id: id, price: '1.6000', quantity: 3 });
    const cancelled = await client.call('order.cancel', { order_id: id });
    expect(cancelled.data).toEqual((await trader.get(`/v1/orders/${id}`)).body.data);
    expect(cancelled).not.toHaveProperty('already_cancelled');
    const again = await client.call('order.cancel', { client_order_id: 'mine' });
    expect(again).toMatchObject({ data: { order_id: id, status: 'cancelled' }, already_cancelled: true });
  });

  it('places an order once per client order id, whatever it comes over', async () => {
    const one = order();
    const first = await client.call('order.place', one);
    const copy = await client.call('order.place', one);
    expect(copy).toEqual({ ...first, idempotent_replay: true });
    const over = await trader.call('POST', '/v1/orders', { body: one });
    expect([over.status, over.body.data.order_id]).toEqual([200, first.data.order_id]);
    const other = await client.ask('order.place', { ...one, quantity: 3 });
    expect(other).toMatchObject({ status: 'error', response: { reason: 'duplicate_client_order_id' } });
    const twice = order();
    const both = await Promise.all([client.call('order.place', twice), client.call('order.place', twice)]);
    expect(new Set(both.map(({ data }) => data.order_id)).size).toBe(1);
  });

  it('carries commands out in the order in which they come, without waiting for answers', async () => {
    const refs: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const id = `chain-${trader.account.accountNumber}-${round}`;
      refs.push(client.send('order.place', order({ client_order_id: id })));
      refs.push(client.send('order.amend', { client_order_id: id, price: '1.7' }));
      refs.push(client.send('order.cancel', { client_order_id: id }));
    }
    refs.push(client.send('order.place', order({ client_order_id: 'last' })));
    await client.until(() => client.of('phx_reply').length >= refs.length + 2, 'all replies');
    const replies = client.of('phx_reply').filter(({ ref }) => refs.includes(ref ?? ''));
    expect(replies.filter(({ payload }) => payload.status !== 'ok')).toEqual([]);
    expect((await openOrders()).length).toBe(1);
  });

  it('cancels everything, one side or one market, and nothing when a name is misspelt', async () => {
    await client.call('order.place', order());
    await client.call('order.place', order({ side: 'sell', price: '9', quantity: 1 }));
    for (const payload of [{ market: MARKET }, { Side: 'buy' }, { side: 'up' }, { market_id: 5 }]) {
      const { status, response } = await client.ask('order.cancel_all', payload);
      expect([status, response.reason]).toEqual(['error', 'validation_failed']);
    }
    expect((await client.ask('order.cancel_all', { market_id: 'nowhere' })).response.reason).toBe(
      'market_not_found',
    );
    expect(await openOrders()).toHaveLength(2);
    const sells = await client.call('order.cancel_all', { market_id: 'text-standard', side: 'sell' });
    expect(sells.data).toMatchObject({ cancelled: 1, order_ids: [expect.stringMatching(/^order_/)] });
    expect((await client.call('order.cancel_all')).data.cancelled).toBe(1);
  });

  it('arms and disarms the dead man’s switch', async () => {
    const armed = await client.call('order.cancel_all_after', { timeout_ms: 60_000 });
    expect(armed.data).toMatchObject({ armed: true, timeout_ms: 60_000, trigger_at: expect.any(String) });
    const disarmed = await client.call('order.cancel_all_after', { timeout_ms: 0, market_id: MARKET });
    expect(disarmed.data).toMatchObject({ armed: false });
    expect((await client.ask('order.cancel_all_after', { timeout_ms: 5 })).response.reason).toBe(
      'validation_failed',
    );
    await client.call('order.cancel_all_after', { timeout_ms: 0 });
  });

  it('carries a batch out one by one and tells what became of each', async () => {
    const { data } = await client.call('order.batch', {
      commands: [
        { event: 'order.place', payload: order({ client_order_id: 'in-batch' }) },
        { event: 'order.place', payload: order({ quantity: 0 }) },
        { event: 'order.amend', payload: { client_order_id: 'in-batch', price: '1.4' } },
        { event: 'order.nonsense', payload: {} },
        { event: 'order.batch', payload: { commands: [] } },
        7,
        { event: 'order.cancel', payload: { client_order_id: 'in-batch' } },
      ],
    });
    const results = data as unknown as TestPayload[];
    expect(results.map(({ status, response }) => response.reason ?? status)).toEqual([
      'ok',
      'validation_failed',
      'ok',
      'validation_failed',
      'validation_failed',
      'validation_failed',
      'ok',
    ]);
    expect(results[2]!.response.data.price).toBe('1.4000');
    for (const commands of [
      [],
      'x',
      Array.from({ length: 21 }, () => ({ event: 'order.cancel_all', payload: {} })),
    ])
      expect((await client.ask('order.batch', { commands })).response.reason).toBe('validation_failed');
  });

  it.each([
    ['order.place', { client_order_id: undefined }, 'validation_failed'],
    ['order.place', { client_order_id: 5 }, 'validation_failed'],
    ['order.place', { quantity: 1.5 }, 'validation_failed'],
    ['order.place', { market_id: 'nowhere' }, 'market_not_found'],
    ['order.place', { type: 'stop' }, 'validation_failed'],
    ['order.place', { quantity: 9_999, price: '2' }, 'insufficient_balance'],
    ['order.place', { recv_window: 0 }, 'validation_failed'],
    ['order.place', { recv_window: 30_001 }, 'validation_failed'],
    ['order.place', { sent_at: 'now' }, 'validation_failed'],
    ['order.place', { sent_at: 1, recv_window: 5_000 }, 'timestamp_expired'],
    ['order.cancel', { order_id: undefined, client_order_id: undefined }, 'validation_failed'],
    ['order.cancel', { order_id: 7, client_order_id: 'x' }, 'validation_failed'],
    ['order.cancel', { client_order_id: 'never-seen' }, 'order_not_found'],
    ['order.amend', { client_order_id: 'never-seen' }, 'order_not_found'],
  ])('refuses %s with %j by the code of the routes', async (event, more, reason) => {
    const { status, response } = await client.ask(event, order(more));
    expect([status, response.reason]).toEqual(['error', reason]);
    expect(response).toMatchObject({ message: expect.any(String), context: expect.any(Object) });
    expect(await openOrders()).toEqual([]);
  });

  it('does not take an inexact number or another account’s order', async () => {
    const text = JSON.stringify({ topic: 'ws:trading', event: 'order.place', payload: order(), ref: 'x' });
    client.sendText(text.replace('"1.5"', '1.50000000000000000001'));
    await client.wait((frame) => frame.ref === 'x' && frame.payload.response.reason === 'validation_failed');
    const other = await floor.trader({ usdMicros: 1_000_000_000 });
    const foreign = await other.place(order());
    for (const event of ['order.cancel', 'order.amend']) {
      const { response } = await client.ask(event, { order_id: foreign.body.data.order_id, price: '1' });
      expect(response.reason).toBe('order_not_found');
    }
    expect((await other.get('/v1/orders?status=open')).rows).toHaveLength(1);
  });

  it('takes a command inside its window', async () => {
    const inTime = { sent_at: Date.now(), recv_window: 10_000 };
    await client.call('order.place', order(inTime));
    await client.call('order.cancel_all', inTime);
  });

  it('is for accounts in advanced mode, and counts in the same buckets as the routes', async () => {
    for (let done = 0; done < 40; done += 1) client.send('order.cancel_all');
    const refused = await client.ask('order.cancel_all');
    expect(refused.response).toMatchObject({
      reason: 'rate_limited',
      context: { retry_after_seconds: 1 },
    });
    expect((await trader.call('DELETE', '/v1/orders')).status).toBe(429);
    await floor.accounts.setMode(trader.account.accountNumber, 'easy');
    expect((await client.ask('order.place', order())).response.reason).toBe('auto_mode_trading_restricted');
  });
});

describe('cancel on disconnect', () => {
  it('cancels what was placed over the socket and is open, and nothing else', async () => {
    await trader.place(order());
    await client.call('order.place', order());
    const bound = await TestSocket.trader(floor.origin, trader, { cancel_on_disconnect: true });
    const id = (await bound.call('order.place', order())).data.order_id;
    const filled = order({ price: '3', quantity: 1, side: 'sell' });
    await bound.call('order.place', filled);
    // Sent and not answered yet when the socket ends: it is placed, and then cancelled.
    bound.send('order.place', order({ client_order_id: 'on-its-way' }));
    await client.streams('subscribe', { name: 'user.orders' });
    bound.socket.close();
    const isOver = (orderId: string): boolean =>
      client
        .of('order_update')
        .some(({ payload: { data } }) => data.order_id === orderId && data.status === 'cancelled');
    await client.until(() => isOver(id), 'the end of the order');
    const reasons = client.of('order_update').map(({ payload: { data } }) => data.closure_reason);
    expect(new Set(reasons)).toEqual(new Set(['cancel_on_disconnect']));
    expect(await openOrders()).toHaveLength(2);
  });

  it('cancels when the key is revoked, in a halted market, too', async () => {
    const bound = await TestSocket.trader(floor.origin, trader, { cancel_on_disconnect: true });
    await bound.call('order.place', order({ market_id: 'text-prime', price: '9' }));
    await floor.command({ kind: 'set_trading_state', instrument: 2, state: 'halted' });
    await client.streams('subscribe', { name: 'user.orders' });
    await floor.signingKeys.revoke(trader.keyId);
    expect(await bound.closed()).toBe(4401);
    const { accountNumber } = trader.account;
    const open = async (): Promise<number> => {
      const { rows } = await store.database.query<{ n: number }>({
        text: 'select count(*) as n from orders where account_number = $1 and closed_at_ms is null',
        values: [accountNumber],
      });
      return rows[0]!.n;
    };
    while ((await open()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('cancels at an orderly end, after farewell, and at the start after a crash', async () => {
    const bound = await TestSocket.trader(floor.origin, trader, { cancel_on_disconnect: true });
    const first = (await bound.call('order.place', order())).data.order_id;
    await trader.place(order());
    const { accountNumber: account } = trader.account;
    // What a crash leaves behind: an order that is marked, and no socket.
    await floor.sequencer.submit(
      {
        kind: 'place_order',
        account,
        instrument: floor.instrument.instrumentNo,
        side: 'buy',
        type: 'limit',
        quantityUnits: 1,
        priceTicks: 10_000,
        timeInForce: 'gtc',
      },
      { cancelsOnDisconnect: true, clientOrderId: 'left-behind' },
    );
    await floor.close();
    expect(await bound.closed()).toBe(1001);
    expect(bound.frames.at(-1)).toMatchObject({ event: 'phx_close', ref: '' });
    floor = await openFloor(store.database);
    const reasonOf = async (where: string): Promise<string | null> => {
      const { rows } = await store.database.query<{ reason: string | null }>({
        text: `select closure_reason as reason from orders where ${where}`,
      });
      return rows[0]!.reason;
    };
    expect(await reasonOf(`order_id = '${first}'`)).toBe('cancel_on_disconnect');
    expect(await reasonOf(`client_order_id = 'left-behind'`)).toBeNull();
    await cancelOrphans(floor);
    expect(await reasonOf(`client_order_id = 'left-behind'`)).toBe('cancel_on_disconnect');
    const { rows } = await store.database.query({
      text: 'select 1 from orders where account_number = $1 and closed_at_ms is null',
      values: [account],
    });
    expect(rows).toHaveLength(1);
  });
});
