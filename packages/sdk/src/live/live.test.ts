import { inspect } from 'node:util';
import { WebSocket as PlatformSocket } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OpenGrid } from '../client.ts';
import { ConnectionError } from '../core/error.ts';
import { eventually } from '../testing/eventually.ts';
import { isSigned, testSeed, testSigner } from '../testing/key.ts';
import { type FakeSocket, SocketServer } from '../testing/socket-server.ts';
import type { LiveOptions } from './connection.ts';
import { LiveError, OutcomeUnknownError } from './errors.ts';
import type { Live } from './live.ts';
import type { SocketClass } from './socket.ts';

const order = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 2, price: '0.9000' } as const;

const follow = async (
  server: SocketServer,
  { isSigned: wantsSigner = true, ...options }: LiveOptions & { isSigned?: boolean } = {},
): Promise<Live> => {
  const signer = wantsSigner ? await testSigner() : undefined;
  const grid = new OpenGrid({ baseUrl: server.origin, signer, receiveWindowMs: 5_000 });
  const live = grid.live({ backoffMs: 5, replyTimeoutMs: 2_000, ...options });
  onTestFinished(() => live.close());
  return live;
};

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('this should have failed'),
    (error: unknown) => error,
  );

describe('logging in', () => {
  it('joins, then signs the challenge', async () => {
    const server = await SocketServer.open();
    const live = await follow(server, { cancelOnDisconnect: true });
    await live.ready();
    expect(server.paths).toEqual(['/trading_socket/websocket?vsn=1.0.0']);
    expect(server.received.map(({ topic, event }) => [topic, event])).toEqual([
      ['ws:trading', 'phx_join'],
      ['ws:trading', 'authenticate'],
    ]);
    const { timestamp, fingerprint, challenge, signature, ...rest } = server.received[1]!.payload;
    expect(rest).toEqual({ cancel_on_disconnect: true });
    const text = `opengrid-ws-v2\n${timestamp}\n${fingerprint}\n${challenge}`;
    expect([challenge, isSigned(text, signature)]).toEqual(['q3b0m1d8k5s7x2c9', true]);
  });

  it('takes the time from the server', async () => {
    const server = await SocketServer.open();
    server.manners = ({ event, ref }, socket) => {
      if (event !== 'phx_join') return undefined;
      socket.reply(ref, { challenge: 'c', server_time: '2026-01-01T00:00:00.000Z' });
      return 'handled';
    };
    await (await follow(server)).ready();
    // A second may pass between the answer and the signature.
    expect(server.received[1]?.payload.timestamp).toMatch(/^17672256\d\d$/);
  });

  it('stays anonymous without a signer', async () => {
    const server = await SocketServer.open();
    await (await follow(server, { isSigned: false })).ready();
    expect(server.received.map(({ event }) => event)).toEqual(['phx_join']);
  });

  it('gives up when it is refused', async () => {
    const server = await SocketServer.open();
    server.manners = ({ event, ref }, socket) => {
      if (event !== 'authenticate') return undefined;
      socket.reply(ref, { reason: 'invalid_signature' }, 'error');
      socket.close(4401);
      return 'handled';
    };
    const live = await follow(server);
    expect(await caught(live.ready())).toMatchObject({ name: 'LiveError', code: 'invalid_signature' });
    expect(live.status.state).toBe('closed');
    expect(server.paths).toHaveLength(1);
  });

  it('gives up when the key is revoked later', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    await live.ready();
    for (const socket of server.sockets) socket.close(4401);
    await eventually(() => expect(live.status.state).toBe('closed'));
    expect(live.status.error).toBeInstanceOf(LiveError);
  });
});

describe('a connection that is lost', () => {
  it.each<[string, (socket: FakeSocket) => void]>([
    ['cut', (socket) => socket.cut()],
    ['closed by a server that goes away', (socket) => socket.close(1001)],
    ['garbled', (socket) => socket.sendText('{"topic":"ws:tra')],
  ])('is opened again, and everything is subscribed to again: %s', async (_name, lose) => {
    const server = await SocketServer.open();
    const live = await follow(server);
    const streamCount = 2;
    const seen: unknown[] = [];
    await live.trades('text-prime', (trade) => seen.push(trade.sequence)).ready;
    await live.ticker('text-max', (ticker) => seen.push(ticker.bid)).ready;
    for (const socket of server.sockets) lose(socket);
    await eventually(() => expect(server.paths).toHaveLength(2));
    await eventually(() => expect([...server.sockets].at(-1)?.streams.size).toBe(streamCount));
    server.publish('market.trades:text-prime', 'new_trade', {
      data: { market_id: 'text-prime', sequence: 7 },
    });
    server.publish('market.ticker:text-max', 'market_ticker', { market_id: 'text-max', bid: '1.0000' });
    await eventually(() => expect(seen).toEqual([7, '1.0000']));
  });

  it('is noticed by its silence', async () => {
    const server = await SocketServer.open();
    server.manners = ({ event }) =>
      event === 'heartbeat' && server.paths.length === 1 ? 'handled' : undefined;
    const live = await follow(server, { heartbeatMs: 20, replyTimeoutMs: 100 });
    await live.ready();
    await eventually(() => expect(server.paths).toHaveLength(2));
    await live.ready();
    await eventually(() => expect(server.events('heartbeat').length).toBeGreaterThan(3));
    expect(server.received.find(({ event }) => event === 'heartbeat')?.topic).toBe('phoenix');
  });

  it.each<[string, (socket: FakeSocket) => void]>([
    ['cut', (socket) => socket.cut()],
    ['closed', (socket) => socket.close(1012)],
    ['garbled', (socket) => socket.sendText('[')],
  ])('is opened again on the WebSocket of browsers and newer Nodes: %s', async (_name, lose) => {
    const server = await SocketServer.open();
    const live = await follow(server, { WebSocket: PlatformSocket as unknown as SocketClass });
    const streamCount = 1;
    const bids: unknown[] = [];
    await live.ticker('text-max', ({ bid }) => bids.push(bid)).ready;
    for (const socket of server.sockets) lose(socket);
    await eventually(() => expect(server.paths).toHaveLength(2));
    await eventually(() => expect([...server.sockets].at(-1)?.streams.size).toBe(streamCount));
    server.publish('market.ticker:text-max', 'market_ticker', { market_id: 'text-max', bid: '1.0000' });
    await eventually(() => expect(bids).toEqual(['1.0000']));
    live.close();
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  it.each(['waiting', 'connecting'])('ends for good when it is closed while %s', async (when) => {
    const server = await SocketServer.open();
    const live = await follow(server);
    await live.ready();
    const states: string[] = [];
    live.onStatus(({ state }) => {
      states.push(state);
      if (state === when) live.close();
    });
    for (const socket of server.sockets) socket.cut();
    await eventually(() => expect(states.at(-1)).toBe('closed'));
    // Longer than the pause before another attempt.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([states.at(-1), server.paths.length]).toEqual(['closed', 1]);
  });

  it('is not opened again after close()', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    const states: string[] = [];
    live.onStatus(({ state }) => states.push(state));
    await live.ready();
    const book = live.book('text-prime');
    live.close();
    await eventually(() => expect(server.sockets.size).toBe(0));
    expect([book.status, live.status.error, states.at(-1)]).toEqual(['closed', null, 'closed']);
    await expect(live.book('text-max').ready()).rejects.toThrow('closed');
  });
});

describe('subscriptions', () => {
  it('are shared by those who follow the same stream, and end with the last of them', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    const seen: string[] = [];
    const [first, second] = ['a', 'b'].map((name) => live.trades('text-prime', () => seen.push(name)));
    await Promise.all([first?.ready, second?.ready]);
    const trade = { data: { market_id: 'text-prime' } };
    server.publish('market.trades:text-prime', 'new_trade', trade);
    await eventually(() => expect(seen).toEqual(['a', 'b']));
    first?.close();
    server.publish('market.trades:text-prime', 'new_trade', trade);
    await eventually(() => expect(seen).toEqual(['a', 'b', 'b']));
    expect(server.events('unsubscribe')).toHaveLength(0);
    second?.close();
    await eventually(() => expect(server.events('unsubscribe')).toHaveLength(1));
  });

  it('that the server refuses are told', async () => {
    const server = await SocketServer.open();
    server.manners = ({ event, payload, ref }, socket) => {
      if (event !== 'subscribe') return undefined;
      const [stream] = payload.streams as { name: string; market: string }[];
      if (stream?.name.startsWith('user.')) socket.reply(ref, { reason: 'unauthorized' }, 'error');
      else {
        const streams = [{ ...stream, subscribed: false, reason: 'unknown_market' }];
        socket.send('ack', { action: 'subscribe', request_id: payload.request_id, status: 'error', streams });
      }
      return 'handled';
    };
    const live = await follow(server, { isSigned: false });
    await live.ready();
    expect(await caught(live.book('gpt-4o').ready())).toMatchObject({ code: 'unknown_market' });
    expect(await caught(live.ticker('gpt-4o', () => undefined).ready)).toMatchObject({
      code: 'unknown_market',
    });
    expect(await caught(live.user({}).ready)).toMatchObject({ code: 'unauthorized' });
  });
});

describe('the events of the account', () => {
  const update = (sequence: number) => ({ data: { order_id: `order_${sequence}`, user_seq: sequence } });

  it('are delivered once and in order, and what is left out is told first', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    const log: unknown[] = [];
    const user = live.user({
      onOrder: ({ user_seq: sequence }, event) => log.push(`${event} ${sequence}`),
      onTrade: ({ user_seq: sequence }) => log.push(`trade ${sequence}`),
      onBalance: ({ user_seq: sequence }) => log.push(`balance ${sequence}`),
      onGap: (gap) => log.push(gap),
    });
    await user.ready;
    server.publish('user.balances', 'balance_snapshot', { data: { accounts: [] } });
    server.publish('user.orders', 'new_order', update(5));
    server.publish('user.trades', 'user_trade', update(6));
    server.publish('user.trades', 'user_trade', update(6));
    server.publish('user.balances', 'balance_update', update(9));
    server.publish('user.orders', 'order_update', update(8));
    server.publish('user.orders', 'order_update', update(10));
    await eventually(() => expect(log).toContain('order_update 10'));
    expect(log).toEqual([
      'balance undefined',
      'new_order 5',
      'trade 6',
      { reason: 'sequence', after: 6, before: 9 },
      'balance 9',
      'order_update 10',
    ]);
  });

  it('may be missing after a lost connection, which is told once to each follower', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    const gaps: unknown[] = [];
    const handlers = { onGap: (gap: unknown) => gaps.push(gap), onOrder: () => gaps.push('order') };
    await live.user(handlers).ready;
    await live.user({}).ready;
    server.publish('user.orders', 'new_order', update(5));
    await eventually(() => expect(gaps).toEqual(['order']));
    for (const socket of server.sockets) socket.cut();
    await eventually(() => expect(gaps).toHaveLength(2));
    expect(gaps[1]).toEqual({ reason: 'reconnected', after: 5, before: null });
  });
});

describe('order entry', () => {
  it('sends commands without waiting and gives each its own answer', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    await live.ready();
    const refs: string[] = [];
    server.manners = ({ event, ref }, socket) => {
      if (event !== 'order.place') return undefined;
      refs.unshift(ref);
      // Answered in the reverse order, when both are there.
      if (refs.length === 2) for (const one of refs) socket.reply(one, { data: { id: `order_${one}` } });
      return 'handled';
    };
    const orders = await Promise.all([live.orders.place(order), live.orders.place(order)]);
    expect(orders.map(({ id }) => id)).toEqual(refs.reverse().map((ref) => `order_${ref}`));
    const [first, second] = server.events('order.place').map(({ payload }) => payload);
    expect(first).toMatchObject({ ...order, recv_window: 5_000, sent_at: expect.any(Number) });
    expect(first?.client_order_id).toMatch(/^\w{32}$/);
    expect(second?.client_order_id).not.toBe(first?.client_order_id);
  });

  it('speaks of refusals by their code', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    await live.ready();
    server.manners = ({ event, ref }, socket) => {
      if (event !== 'order.amend') return undefined;
      const context = { required: '5.000000', available: '1.000000' };
      socket.reply(ref, { reason: 'insufficient_balance', message: 'Not enough.', context }, 'error');
      return 'handled';
    };
    const error = await caught(live.orders.amend({ order_id: 'order_1' }, { quantity: 9 }));
    expect(error).toMatchObject({ name: 'LiveError', code: 'insufficient_balance', message: 'Not enough.' });
    expect((error as LiveError).context.get('required')).toBe('5.000000');
  });

  it('knows the difference between not sent and not answered', async () => {
    const server = await SocketServer.open();
    server.manners = ({ event }, socket) => {
      if (event !== 'order.place') return undefined;
      socket.cut();
      return 'handled';
    };
    const live = await follow(server, { backoffMs: 60_000 });
    await live.ready();
    const lost = await caught(live.orders.place({ ...order, client_order_id: 'mine-1' }));
    expect(lost).toBeInstanceOf(OutcomeUnknownError);
    expect(lost).toMatchObject({ clientOrderId: 'mine-1' });
    const unsent = await caught(live.orders.place(order));
    expect(unsent).toBeInstanceOf(ConnectionError);
    expect(unsent).not.toBeInstanceOf(OutcomeUnknownError);
  });

  it('cancels, sets timers and sends batches', async () => {
    const server = await SocketServer.open();
    const live = await follow(server);
    await live.ready();
    const answers: Record<string, object> = {
      'order.cancel': { data: { id: 'order_1' }, already_cancelled: true },
      'order.cancel_all': { data: { cancelled: 3 } },
      'order.cancel_all_after': { data: { armed: true } },
      'order.batch': {
        data: [
          { status: 'ok', response: { data: { id: 'order_2' } } },
          { status: 'error', response: { reason: 'order_not_found', message: 'No such order.' } },
        ],
      },
    };
    server.manners = ({ event, ref }, socket) => {
      const answer = answers[event];
      if (answer === undefined) return undefined;
      socket.reply(ref, { ...answer });
      return 'handled';
    };
    const { orders } = live;
    expect(await orders.cancel({ client_order_id: 'mine-1' })).toMatchObject({ already_cancelled: true });
    expect(await orders.cancelAll({ side: 'buy' })).toEqual({ cancelled: 3 });
    expect(await orders.cancelAllAfter({ timeout_ms: 60_000 })).toEqual({ armed: true });
    const outcomes = await orders.batch([
      { event: 'order.place', payload: order },
      { event: 'order.cancel', payload: { order_id: 'order_9' } },
    ]);
    expect(outcomes).toMatchObject([
      { ok: true, data: { id: 'order_2' } },
      { ok: false, error: { code: 'order_not_found' } },
    ]);
    const { commands } = server.events('order.batch')[0]!.payload as { commands: { payload: object }[] };
    expect(commands[0]?.payload).toMatchObject({
      ...order,
      client_order_id: expect.stringMatching(/^\w{32}$/),
    });
  });
});

describe('what must not leak from a connection', () => {
  it('is the key, and what it signed', async () => {
    const server = await SocketServer.open();
    server.manners = ({ event, ref }, socket) => {
      if (event !== 'authenticate') return undefined;
      socket.reply(ref, { reason: 'invalid_signature' }, 'error');
      return 'handled';
    };
    const live = await follow(server);
    const error = await caught(live.ready());
    const { signature } = server.events('authenticate')[0]!.payload;
    for (const value of [live, error, live.status]) {
      const shown = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value);
      expect(shown).not.toContain(testSeed);
      expect(shown).not.toContain(String(signature));
    }
  });
});
