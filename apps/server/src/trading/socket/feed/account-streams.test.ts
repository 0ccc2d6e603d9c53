import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadCatalogue } from '../../../platform/catalogue.ts';
import { openFloor, type Trader, type TradingFloor } from '../../../program/testing.ts';
import { receiptFacts, silentTelemetry } from '../../../sequencer/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../../store/testing.ts';
import { MarketView } from '../../market-view.ts';
import { Outlet } from '../outlet.ts';
import { type TestFrame, TestSocket } from '../testing.ts';
import { AccountFeeds } from './account-feeds.ts';

const MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';
const USER_EVENTS = ['new_order', 'order_update', 'user_trade', 'balance_update'];

let store: TestStore;
let floor: TradingFloor;
let seller: Trader;
let buyer: Trader;
let client: TestSocket;

beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
});
beforeEach(async () => {
  seller = await floor.trader({ units: 50 });
  buyer = await floor.trader({ usdMicros: 1_000_000_000 });
  client = await TestSocket.trader(floor.origin, buyer);
});
afterEach(async () => {
  client.socket.close();
  for (const { account } of [seller, buyer])
    await floor.command({ kind: 'cancel_orders', account: account.accountNumber, reason: 'admin' });
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

const ALL = [{ name: 'user.orders' }, { name: 'user.trades' }, { name: 'user.balances' }];

async function place(by: Trader, side: string, price: string, quantity: number, more = {}): Promise<string> {
  const order = { market_id: MARKET, side, type: 'limit', quantity, price, ...more };
  const answer = await by.call('POST', '/v1/orders', { body: order });
  expect(answer.status).toBe(201);
  return answer.body.data.order_id as string;
}

/** The numbers of private events, in the order in which they came. */
function numbers(from: TestSocket): number[] {
  return from.of(...USER_EVENTS).map(({ payload }) => payload.data.user_seq as number);
}

function expectDense(from: TestSocket): void {
  const [first = 0] = numbers(from);
  expect(numbers(from)).toEqual(numbers(from).map((_, index) => first + index));
}

/** The rows of a client that keeps what snapshots and updates say. */
function accountsOf(from: TestSocket): Map<string, unknown> {
  const rows = new Map<string, unknown>();
  for (const { event, payload } of from.of('balance_snapshot', 'balance_update')) {
    if (event === 'balance_snapshot') rows.clear();
    for (const row of payload.data.accounts) rows.set(`${row.account_id} ${'instrument_id' in row}`, row);
  }
  return rows;
}

/** The same rows over HTTP. */
async function accountsOverHttp(trader: Trader): Promise<Map<string, unknown>> {
  const rows = new Map<string, unknown>();
  for (const path of ['trading-accounts', 'currency-trading-accounts', 'consumption-accounts']) {
    for (const row of (await trader.get(`/v1/${path}`)).rows)
      rows.set(`${row.account_id} ${'instrument_id' in row}`, row);
  }
  return rows;
}

describe('private streams', () => {
  it('tells an order field by field, one event per state and command', async () => {
    await client.streams('subscribe', { name: 'user.orders' });
    await place(seller, 'sell', '2.48', 2);
    await place(seller, 'sell', '2.49', 2);
    const id = await place(buyer, 'buy', '2.5', 10, { client_order_id: 'buy-1' });
    await client.until(() => client.of('new_order').length === 1);
    const over = (await buyer.get(`/v1/orders/${id}`)).body.data;
    const [account] = (await buyer.get(`/v1/trading-accounts?instrument_id=text-standard`)).rows;
    const text = client.texts.at(-1)!;
    expect(text).toBe(
      `{"topic":"ws:trading","event":"new_order","payload":{"data":{"order_id":"${id}","client_order_id":"buy-1",` +
        `"market_id":"${MARKET}","trading_account_id":"${account!.account_id}","side":"buy","order_type":"limit",` +
        `"status":"partially_filled","original_quantity":"10","remaining_quantity":"6","filled_quantity":"4",` +
        `"price":"2.5000","average_fill_price":"2.4850","created_at":"${over.created_at}",` +
        `"updated_at":"${over.updated_at}","time_in_force":"gtc","closure_reason":null,"user_seq":2}},"ref":""}`,
    );
    await buyer.call('PUT', `/v1/orders/${id}`, { body: { quantity: 8, price: '2.4' } });
    await buyer.call('DELETE', `/v1/orders/${id}`);
    await client.until(() => client.of('order_update').length === 2);
    expect(client.of('order_update').map(({ payload: { data } }) => data)).toMatchObject([
      { original_quantity: '8', remaining_quantity: '4', price: '2.4000', status: 'partially_filled' },
      {
        original_quantity: '8',
        status: 'cancelled',
        closure_reason: 'user_cancel',
        client_order_id: 'buy-1',
      },
    ]);
  });

  it('leaves out what there is none of, and tells refused and market orders', async () => {
    await client.streams('subscribe', { name: 'user.orders' });
    const market = { market_id: MARKET, side: 'buy', type: 'market', quantity: 1 };
    await buyer.call('POST', '/v1/orders', { body: market });
    await client.until(() => client.of('new_order').length === 1);
    const { data } = client.of('new_order')[0]!.payload;
    expect(data).toMatchObject({ price: '0', status: 'cancelled', closure_reason: 'ioc_unfilled' });
    expect(data).not.toHaveProperty('client_order_id');
    expect(data).not.toHaveProperty('average_fill_price');
    await place(seller, 'sell', '2.5', 1);
    const crossing = { ...market, type: 'limit', price: '2.5', post_only: true };
    expect((await buyer.call('POST', '/v1/orders', { body: crossing })).status).toBe(422);
    await client.until(() => client.of('new_order').length === 2);
    expect(client.of('new_order')[1]!.payload.data).toMatchObject({
      status: 'rejected',
      closure_reason: 'post_only_would_cross',
    });
  });

  it('tells a trade as it is listed over HTTP', async () => {
    await client.streams('subscribe', { name: 'user.trades' });
    await place(seller, 'sell', '2.5', 3);
    await place(buyer, 'buy', '2.5', 3);
    await client.until(() => client.of('user_trade').length === 1);
    const { user_seq: number, ...trade } = client.of('user_trade')[0]!.payload.data;
    expect(trade).toEqual((await buyer.get('/v1/trades')).rows[0]);
    expect(number).toBeGreaterThan(0);
  });

  it('tells every event of the account under dense numbers, whatever key and way an order came', async () => {
    await client.streams('subscribe', ...ALL);
    const other = await TestSocket.trader(floor.origin, buyer);
    await other.streams('subscribe', ...ALL);
    await place(seller, 'sell', '2.5', 5);
    await place(buyer, 'buy', '2.5', 2, { should_autotransfer: true });
    await client.call('order.place', {
      market_id: MARKET,
      side: 'buy',
      type: 'limit',
      quantity: 5,
      price: '2.5',
      client_order_id: 'over-the-socket',
    });
    await client.call('order.cancel_all');
    await client.until(() => client.of('balance_update').length >= 3);
    expectDense(client);
    await other.until(() => other.texts.length >= client.of(...USER_EVENTS, 'balance_snapshot').length + 3);
    expect(numbers(other)).toEqual(numbers(client));
    expect(client.of('balance_update').map(({ payload }) => payload.data.cause)).toEqual([
      'trade',
      'trade',
      'cancel',
    ]);
    other.socket.close();
  });

  it('keeps a client that listens at the balances that HTTP tells', async () => {
    await client.streams('subscribe', { name: 'user.balances' });
    await place(seller, 'sell', '2.5', 5);
    const bid = await place(buyer, 'buy', '2.6', 3);
    await place(buyer, 'buy', '2.0', 3);
    await buyer.call('DELETE', `/v1/orders/${bid}`);
    const body = { instrument_id: 'text-standard', quantity: 2 };
    await buyer.call('POST', '/v1/transfers/trading-to-consumption', { body });
    await client.until(() => client.of('balance_update').at(-1)?.payload.data.cause === 'transfer');
    const { ref_id } = client.of('balance_update').at(-1)!.payload.data;
    expect(ref_id).toBe((await buyer.get('/v1/transfer-histories')).rows[0]!.transfer_id);
    expect(accountsOf(client)).toEqual(await accountsOverHttp(buyer));
    // Whoever comes later begins with the same.
    const late = await TestSocket.trader(floor.origin, buyer);
    await late.streams('subscribe', { name: 'user.balances' });
    await late.until(() => late.of('balance_snapshot').length === 1);
    expect(accountsOf(late)).toEqual(accountsOf(client));
    late.socket.close();
  });

  it('begins anew for a client that missed changes of its balances', async () => {
    const { accountNumber } = buyer.account;
    const instruments = await loadCatalogue(store.database);
    const view = await MarketView.open({ sequencer: floor.sequencer, database: store.database, instruments });
    const feeds = new AccountFeeds({
      ...floor,
      instruments,
      view,
      suppliers: { endpointsFor: () => [], supplier: () => undefined, supplierByAccount: () => undefined },
      telemetry: silentTelemetry,
    });
    const feed = await feeds.open(accountNumber);
    const texts: string[] = [];
    const sink = { bufferedAmount: 0, send: (frame: unknown) => void texts.push(String(frame)) };
    const outlet = new Outlet(sink as never, '1.0.0', Date.now);
    feed.join('user.balances', outlet);
    sink.bufferedAmount = 1_048_577;
    await place(buyer, 'buy', '2.0', 1);
    await place(buyer, 'buy', '2.1', 1);
    feeds.recover();
    expect(texts).toHaveLength(1);
    sink.bufferedAmount = 0;
    feeds.recover();
    feeds.recover();
    const [, reset, ...more] = texts.map((text) => JSON.parse(text) as TestFrame);
    expect(more).toEqual([]);
    expect(reset).toMatchObject({ event: 'balance_snapshot', payload: { data: { reset: true } } });
    const usd = reset!.payload.data.accounts.find(({ currency }) => currency === 'USD');
    expect(usd).toEqual((await buyer.get('/v1/trading-accounts')).rows[0]);
    feeds.release(accountNumber);
    feeds.close();
  });

  it('knows every open order after a beginning during which orders came and ended', async () => {
    const ids: string[] = [];
    for (const price of ['2.0', '2.01', '2.02', '2.03']) ids.push(await place(buyer, 'buy', price, 1));
    const late = await TestSocket.open(floor.origin);
    const { challenge } = await late.join();
    // The feed of the account begins while orders end and come.
    client.socket.close();
    await client.closed();
    late.send('authenticate', buyer.signSocket(challenge));
    const changes = ids.slice(0, 2).map((id) => buyer.call('DELETE', `/v1/orders/${id}`));
    await Promise.all([...changes, place(buyer, 'buy', '2.04', 1), place(buyer, 'buy', '2.05', 1)]);
    await late.streams('subscribe', { name: 'user.orders' });
    await late.call('order.cancel_all');
    await late.until(() => late.of('order_update').length >= 4, 'the end of four orders');
    const ended = late.of('order_update').map(({ payload }) => payload.data);
    expect(ended.map(({ price }) => price).sort()).toEqual(['2.0200', '2.0300', '2.0400', '2.0500']);
    client = late;
  });

  it('merges deliveries into one event a second, for whoever bought and whoever is paid', async () => {
    const paid = await TestSocket.trader(floor.origin, seller);
    await place(seller, 'sell', '2.5', 5);
    await place(buyer, 'buy', '2.5', 2, { should_autotransfer: true });
    await client.streams('subscribe', ...ALL);
    await paid.streams('subscribe', ...ALL);
    for (let count = 0; count < 5; count += 1)
      await deliver(`req_${buyer.account.accountNumber}_${count}`, 1_000);
    floor.clock.nowMs += 1_000;
    for (const one of [client, paid]) await one.until(() => one.of('balance_update').length > 0);
    const causes = (one: TestSocket): string[] =>
      one.of('balance_update').map(({ payload }) => payload.data.cause as string);
    expect(new Set(causes(client))).toEqual(new Set(['consumption']));
    expect(new Set(causes(paid))).toEqual(new Set(['escrow_release']));
    floor.clock.nowMs += 1_000;
    await client.until(
      () => JSON.stringify([...accountsOf(client).values()]).includes('1995000'),
      'all five',
    );
    expect(causes(client).length).toBeLessThan(5);
    expect(accountsOf(client)).toEqual(await accountsOverHttp(buyer));
    expectDense(client);
    expectDense(paid);
    paid.socket.close();
  });

  it('continues the numbers after a restart, also of those who did not listen', async () => {
    await client.streams('subscribe', ...ALL);
    await place(buyer, 'buy', '2.0', 1);
    await client.until(() => client.of('balance_update').length === 1);
    const before = numbers(client).at(-1)!;
    client.socket.close();
    await client.closed();
    await place(buyer, 'buy', '1.9', 1);
    await floor.close();
    floor = await openFloor(store.database);
    const signed = await TestSocket.open(floor.origin);
    await signed.join();
    await signed.call('authenticate', buyer.signSocket());
    await signed.streams('subscribe', ...ALL);
    await signed.until(() => signed.of('balance_snapshot').length === 1);
    // Two events that nobody heard: the order and its balance.
    expect(signed.of('balance_snapshot')[0]!.payload.data.last_user_seq).toBe(before + 2);
    const { accountNumber: account } = buyer.account;
    await floor.command({ kind: 'cancel_orders', account, reason: 'mode_switched' });
    await signed.until(() => signed.of('order_update').length === 2);
    const update = signed.of('order_update')[0] as TestFrame;
    expect(update.payload.data).toMatchObject({
      user_seq: before + 3,
      closure_reason: 'mode_switched',
      price: '2.0000',
    });
    client = signed;
  });
});

/** Tokens of the buyer that are served, as the Consumption API settles them. */
async function deliver(requestId: string, tokens: number): Promise<void> {
  const { sequencer, instrument } = floor;
  const { accountNumber: account } = buyer.account;
  const { instrumentNo } = instrument;
  const hold = sequencer.earmarks.reserve(account, instrumentNo, tokens);
  if (hold === undefined) throw new Error('no tokens to hold');
  const draws = sequencer.earmarks.close(hold, tokens);
  const servedBy = seller.account.accountNumber;
  const command = { kind: 'settle', account, instrument: instrumentNo, draws, servedBy } as const;
  await sequencer.submit(command, { receipt: receiptFacts(requestId, { input: 10, output: tokens - 10 }) });
  sequencer.earmarks.spent({ account, instrument: instrumentNo }, draws);
}
