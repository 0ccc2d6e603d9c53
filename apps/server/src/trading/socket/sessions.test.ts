import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFloor, type TradingFloor } from '../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import { TestSocket } from './testing.ts';

let store: TestStore;
let floor: TradingFloor;

beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database, { settings: { socketConnections: 3, socketSubscriptions: 6 } });
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

const now = (seconds = 0): string => String(Math.floor(Date.now() / 1000) + seconds);

describe('who is behind a socket', () => {
  it('authenticates with method 1 to read, and with method 2 to trade', async () => {
    const trader = await floor.trader({ usdMicros: 10_000_000 });
    const reader = await TestSocket.open(floor.origin);
    await reader.join();
    expect(await reader.call('authenticate', trader.signSocket())).toEqual({
      status: 'ok',
      account_mode: 'advanced',
      order_entry: false,
    });
    const order = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price: '1' };
    const refused = await reader.ask('order.place', { ...order, client_order_id: 'r' });
    expect(refused).toMatchObject({
      status: 'error',
      response: { reason: 'insufficient_scope', context: { required_scope: 'trade:write' } },
    });
    const { challenge } = await reader.join();
    const again = await reader.call('authenticate', trader.signSocket(challenge));
    expect(again).toMatchObject({ order_entry: true });
    await reader.call('order.place', { ...order, client_order_id: 'r' });
    reader.socket.close();
  });

  it('carries out in order what is sent right behind an authentication', async () => {
    const trader = await floor.trader({ usdMicros: 10_000_000 });
    const client = await TestSocket.open(floor.origin);
    const { challenge } = await client.join();
    const order = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price: '1' };
    const answers = await Promise.all([
      client.ask('authenticate', trader.signSocket(challenge)),
      client.ask('order.place', { ...order, client_order_id: 'behind-1' }),
      client.ask('order.place', { ...order, client_order_id: 'behind-2' }),
      client.ask('order.cancel', { client_order_id: 'behind-1' }),
      client.ask('order.cancel_all', {}),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(answers[4]?.response.data.cancelled).toBe(1);
    client.socket.close();
  });

  it('answers an authentication and a subscription byte for byte as documented', async () => {
    const trader = await floor.trader();
    const client = await TestSocket.open(floor.origin);
    await client.join();
    await client.call('authenticate', trader.signSocket());
    expect(client.texts.at(-1)).toBe(
      '{"topic":"ws:trading","event":"phx_reply","payload":{"status":"ok","response":{"status":"ok","account_mode":"advanced","order_entry":false}},"ref":"2"}',
    );
    client.sendText(
      '{"topic":"ws:trading","event":"subscribe","payload":{"streams":[{"name":"user.orders"},{"name":"market.ticker","market":"market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514"}],"request_id":"req-1767225600000"},"ref":"3"}',
    );
    await client.until(() => client.of('market_ticker').length === 1);
    expect(client.texts.at(-2)).toBe(
      '{"topic":"ws:trading","event":"ack","payload":{"type":"ack","action":"subscribe","request_id":"req-1767225600000","status":"ok","streams":[{"name":"user.orders","subscribed":true},{"name":"market.ticker","market":"market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514","subscribed":true}]},"ref":""}',
    );
    client.socket.close();
  });

  it('uses a challenge once and for its own socket, and says what is wrong before it closes', async () => {
    const trader = await floor.trader();
    const first = await TestSocket.open(floor.origin);
    const second = await TestSocket.open(floor.origin);
    const { challenge } = await first.join();
    await second.join();
    const { response } = await second.ask('authenticate', trader.signSocket(challenge));
    expect(response).toMatchObject({ reason: 'invalid_signature', message: expect.any(String) });
    expect(await second.closed()).toBe(4401);
    await first.call('authenticate', trader.signSocket(challenge));
    expect((await first.ask('authenticate', trader.signSocket(challenge))).response.reason).toBe(
      'invalid_signature',
    );
    expect(await first.closed()).toBe(4401);
    const late = await TestSocket.open(floor.origin);
    await late.join();
    const expired = await late.ask('authenticate', trader.signSocket(undefined, now(-31)));
    expect(expired.response).toMatchObject({
      reason: 'timestamp_expired',
      server_time: expect.stringMatching(/Z$/),
    });
    expect(await late.closed()).toBe(4401);
  });

  it('keeps a socket whose payload is wrong, and one that has another account', async () => {
    const one = await floor.trader();
    const other = await floor.trader();
    const client = await TestSocket.open(floor.origin);
    await client.join();
    expect((await client.ask('authenticate', {})).response.reason).toBe('invalid_payload');
    await client.call('authenticate', one.signSocket());
    expect((await client.ask('authenticate', other.signSocket())).response.reason).toBe(
      'already_authenticated',
    );
    expect((await client.streams('subscribe', { name: 'user.orders' })).status).toBe('ok');
    client.socket.close();
  });

  it('refuses the newest socket of an account above its limit with 4429', async () => {
    const trader = await floor.trader();
    const clients: TestSocket[] = [];
    for (let count = 0; count < 3; count += 1) clients.push(await TestSocket.trader(floor.origin, trader));
    const fourth = await TestSocket.open(floor.origin);
    await fourth.join();
    expect((await fourth.ask('authenticate', trader.signSocket())).response.reason).toBe('limit');
    expect(await fourth.closed()).toBe(4429);
    const [first, ...others] = clients as [TestSocket];
    first.socket.close();
    await first.closed();
    const fifth = await TestSocket.trader(floor.origin, trader);
    for (const client of [...others, fifth]) client.socket.close();
  });

  it('ends the sockets of a key that is revoked, and no others', async () => {
    const trader = await floor.trader();
    const bystander = await floor.trader();
    const client = await TestSocket.trader(floor.origin, trader);
    const other = await TestSocket.trader(floor.origin, bystander);
    await floor.signingKeys.revoke(trader.keyId);
    expect(await client.closed()).toBe(4401);
    expect(client.frames.at(-1)).toMatchObject({ event: 'phx_close', ref: '' });
    await other.join();
    const later = await TestSocket.open(floor.origin);
    await later.join();
    expect((await later.ask('authenticate', trader.signSocket())).response.reason).toBe('key_revoked');
    other.socket.close();
  });

  it('ends the sockets of an account that is suspended', async () => {
    const trader = await floor.trader();
    const client = await TestSocket.trader(floor.origin, trader);
    const account = trader.account.accountNumber;
    await floor.command({ kind: 'set_standing', account, suspended: true });
    expect(await client.closed()).toBe(4401);
  });
});

describe('subscriptions', () => {
  it('acknowledges what it takes and says why it does not take the rest', async () => {
    const client = await TestSocket.open(floor.origin);
    await client.join();
    const ack = await client.streams(
      'subscribe',
      { name: 'market.ticker', market: 'Text-STANDARD' },
      { name: 'market.ticker', market: 'no-such-market' },
      { name: 'market.ticker' },
      { name: 'market.depth', market: 'text-prime' },
      { name: 'user.orders' },
      { name: 'market.book', market: 'text-prime', depth: 10 },
    );
    expect(ack).toMatchObject({ type: 'ack', action: 'subscribe', status: 'partial' });
    expect(ack.streams).toEqual([
      { name: 'market.ticker', market: 'Text-STANDARD', subscribed: true },
      { name: 'market.ticker', market: 'no-such-market', subscribed: false, reason: 'unknown_market' },
      { name: 'market.ticker', subscribed: false, reason: 'unknown_market' },
      { name: 'market.depth', market: 'text-prime', subscribed: false, reason: 'unknown_stream' },
      { name: 'user.orders', subscribed: false, reason: 'unauthorized' },
      { name: 'market.book', market: 'text-prime', depth: 10, subscribed: true },
    ]);
    expect((await client.streams('subscribe', { name: 'x' })).status).toBe('error');
    const left = await client.streams('unsubscribe', { name: 'market.ticker', market: 'text-standard' });
    expect(left.status).toBe('ok');
    expect(left.streams).toEqual([{ name: 'market.ticker', market: 'text-standard', subscribed: false }]);
    client.socket.close();
  });

  it('answers a request for private streams alone without an acknowledgement when nobody is known', async () => {
    const client = await TestSocket.open(floor.origin);
    await client.join();
    const streams = [{ name: 'user.orders' }, { name: 'user.trades' }];
    const { status, response } = await client.ask('subscribe', { streams, request_id: 'r' });
    expect([status, response.reason]).toEqual(['error', 'unauthorized']);
    await client.call('heartbeat');
    expect(client.of('ack')).toEqual([]);
    client.socket.close();
  });

  it.each([
    ['no streams', { request_id: 'r' }],
    ['an empty list', { streams: [], request_id: 'r' }],
    ['no request_id', { streams: [{ name: 'user.orders' }] }],
    ['a stream that is a word', { streams: ['user.orders'], request_id: 'r' }],
    ['a market that is a number', { streams: [{ name: 'market.book', market: 1 }], request_id: 'r' }],
    [
      'another depth',
      { streams: [{ name: 'market.book', market: 'text-prime', depth: 11 }], request_id: 'r' },
    ],
    [
      'a depth for a ticker',
      { streams: [{ name: 'market.ticker', market: 'text-prime', depth: 10 }], request_id: 'r' },
    ],
  ])('refuses %s as invalid_payload', async (_what, payload) => {
    const client = await TestSocket.open(floor.origin);
    await client.join();
    expect((await client.ask('subscribe', payload)).response.reason).toBe('invalid_payload');
    client.socket.close();
  });

  it('gives a socket so many streams and no more, however often each is asked for', async () => {
    const client = await TestSocket.open(floor.origin);
    await client.join();
    const of = (market: string): unknown[] =>
      ['trades', 'ticker', 'book', 'status'].map((kind) => ({ name: `market.${kind}`, market }));
    expect((await client.streams('subscribe', ...of('text-prime'), ...of('TEXT-PRIME'))).status).toBe('ok');
    const ack = await client.streams('subscribe', ...of('text-standard'));
    expect(ack.streams.map(({ reason = 'ok' }) => reason)).toEqual(['ok', 'ok', 'limit', 'limit']);
    await client.streams('unsubscribe', { name: 'market.trades', market: 'text-prime' });
    const [, , book] = of('text-standard');
    expect((await client.streams('subscribe', book)).status).toBe('ok');
    client.socket.close();
  });
});
