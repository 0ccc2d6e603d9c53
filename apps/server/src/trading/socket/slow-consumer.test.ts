import { EventEmitter } from 'node:events';
import type { LevelEvent } from '@opengrid/exchange';
import { afterEach, describe, expect, it } from 'vitest';
import { silentTelemetry } from '../../sequencer/testing.ts';
import { BookSide } from '../book-side.ts';
import type { MarketView } from '../market-view.ts';
import { DEFAULT_TRADING_SETTINGS } from '../settings.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import type { SocketDeps } from './deps.ts';
import { BookStream } from './feed/book-stream.ts';
import { TickerStream } from './feed/ticker-stream.ts';
import { Outlet } from './outlet.ts';
import { StrictBook, type TestFrame } from './testing.ts';

const FULL = 1_048_577;

/** A socket that nothing is read from until it is told to. */
class FakeSocket extends EventEmitter {
  bufferedAmount = 0;
  readonly texts: string[] = [];
  readonly closes: number[] = [];
  pings = 0;
  isTerminated = false;

  send(frame: unknown): void {
    this.texts.push(String(frame));
  }

  close(code: number): void {
    this.closes.push(code);
  }

  ping(): void {
    this.pings += 1;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  get frames(): TestFrame[] {
    return this.texts.map((text) => JSON.parse(text) as TestFrame);
  }
}

/** A market whose levels the test sets. */
class FakeMarket {
  readonly sides = { buy: new BookSide('buy'), sell: new BookSide('sell') };
  readonly history = { last: undefined, dayStatistics: () => undefined };
  sequence = 1;

  get view(): MarketView {
    const view = {
      market: () => this,
      depth: (_no: number, side: 'buy' | 'sell', limit: number) => this.sides[side].top(limit),
      quote: () => ({ bidTicks: this.sides.buy.bestTicks, askTicks: this.sides.sell.bestTicks }),
    };
    return view as unknown as MarketView;
  }

  set(priceTicks: number, quantityUnits: number): LevelEvent {
    this.sequence += 1;
    this.sides.buy.set({ priceTicks, quantityUnits, orderCount: 1 });
    return { type: 'level', instrument: 1, side: 'buy', priceTicks, quantityUnits, orderCount: 1 };
  }
}

const flushed = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 120));
const streams: { stop(): void }[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.stop();
});

function consumer(): { socket: FakeSocket; subscriber: { outlet: Outlet; market: string } } {
  const socket = new FakeSocket();
  return { socket, subscriber: { outlet: new Outlet(socket as never, '1.0.0', Date.now), market: 'm' } };
}

describe('a consumer that does not keep up', () => {
  it.each([25, 0])('is sent no changes, then a whole book that says so, at depth %i', async (depth) => {
    const market = new FakeMarket();
    const book = new BookStream({
      view: market.view,
      telemetry: silentTelemetry,
      instrumentNo: 1,
      depth,
      clock: Date.now,
    });
    streams.push(book);
    const slow = consumer();
    const quick = consumer();
    book.join(slow.subscriber);
    book.join(quick.subscriber);
    book.follow(market.set(10, 1));
    await flushed();
    slow.socket.bufferedAmount = FULL;
    for (let price = 20; price < 24; price += 1) {
      book.follow(market.set(price, price));
      await flushed();
    }
    const before = slow.socket.texts.length;
    book.recover();
    expect(slow.socket.texts).toHaveLength(before);
    slow.socket.bufferedAmount = 0;
    book.recover();
    const reset = slow.socket.frames.at(-1)!;
    expect(reset).toMatchObject({ event: 'book_snapshot', payload: { data: { reset: true } } });
    book.follow(market.set(21, 0));
    await flushed();
    for (const { socket } of [slow, quick]) {
      const strict = new StrictBook();
      for (const frame of socket.frames) strict.apply(frame);
      expect(strict.levels('bids').map(([price]) => price)).toEqual(['0.0023', '0.0022', '0.0020', '0.0010']);
      expect(strict.seq).toBe(market.sequence);
    }
    expect(quick.socket.frames.filter(({ event }) => event === 'book_snapshot')).toHaveLength(1);
  });

  it('is not sent what it left while it lagged', async () => {
    const market = new FakeMarket();
    const book = new BookStream({
      view: market.view,
      telemetry: silentTelemetry,
      instrumentNo: 1,
      depth: 10,
      clock: Date.now,
    });
    streams.push(book);
    const { socket, subscriber } = consumer();
    book.join(subscriber);
    socket.bufferedAmount = FULL;
    book.follow(market.set(10, 1));
    await flushed();
    expect(book.isEmpty).toBe(false);
    book.leave(subscriber);
    expect(book.isEmpty).toBe(true);
    socket.bufferedAmount = 0;
    book.recover();
    expect(socket.texts).toHaveLength(1);
  });

  it('gets the latest ticker once it has caught up', async () => {
    const market = new FakeMarket();
    const ticker = new TickerStream({
      view: market.view,
      telemetry: silentTelemetry,
      instrumentNo: 1,
      clock: Date.now,
    });
    streams.push(ticker);
    const { socket, subscriber } = consumer();
    ticker.join(subscriber);
    socket.bufferedAmount = FULL;
    for (const price of [10, 20]) {
      market.set(price, 1);
      ticker.follow();
      await flushed();
    }
    expect(socket.texts).toHaveLength(1);
    socket.bufferedAmount = 0;
    ticker.recover();
    ticker.recover();
    expect(socket.frames.map(({ payload }) => payload.bid)).toEqual([null, '0.0020']);
  });

  it('does not hear of a change that was undone before it was told, or that lies behind its window', async () => {
    const market = new FakeMarket();
    const book = new BookStream({
      view: market.view,
      telemetry: silentTelemetry,
      instrumentNo: 1,
      depth: 10,
      clock: Date.now,
    });
    streams.push(book);
    for (let price = 20; price < 30; price += 1) market.set(price, 1);
    const { socket, subscriber } = consumer();
    book.join(subscriber);
    book.follow(market.set(25, 7));
    book.follow(market.set(25, 1));
    book.follow(market.set(5, 1));
    await flushed();
    expect(socket.texts).toHaveLength(1);
    book.follow(market.set(29, 0));
    await flushed();
    const strict = new StrictBook();
    for (const frame of socket.frames) strict.apply(frame);
    expect(strict.levels('bids').at(-1)).toEqual(['0.0005', '1']);
  });
});

describe('a socket over time', () => {
  function connection() {
    const socket = new FakeSocket();
    const clock = { nowMs: 1_000 };
    const ended: Connection[] = [];
    const host: ConnectionHost = { admit: () => true, ended: (one) => void ended.push(one) };
    const faults: string[] = [];
    const telemetry = { ...silentTelemetry, fault: (where: string) => void faults.push(where) };
    const known = { settings: DEFAULT_TRADING_SETTINGS, clock: () => clock.nowMs, telemetry };
    const deps = known as unknown as SocketDeps;
    const made = new Connection(socket as never, { deps, host, version: '1.0.0', address: 'a' });
    return { socket, clock, ended, faults, connection: made };
  }

  it('is closed with 4408 when a reply has not gone out for ten seconds', () => {
    const { socket, clock, ended, connection: one } = connection();
    socket.bufferedAmount = FULL;
    socket.emit(
      'message',
      Buffer.from('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'),
      false,
    );
    clock.nowMs += 9_999;
    one.sweep(clock.nowMs);
    expect(socket.closes).toEqual([]);
    clock.nowMs += 1;
    one.sweep(clock.nowMs);
    expect(socket.closes).toEqual([4408]);
    expect(ended).toEqual([one]);
    socket.emit('close', 4408);
    expect(ended).toHaveLength(1);
  });

  it('is ended by a fault of the program, which ends nothing else', () => {
    const { socket, faults, ended } = connection();
    const frames = ['{"topic":"ws:trading","event":"phx_join","payload":{},"ref":"1"}'];
    // The connection of this test has no instruments to look a market up in.
    frames.push(
      '{"topic":"ws:trading","event":"subscribe","payload":{"request_id":"r","streams":[{"name":"market.book"}]},"ref":"2"}',
    );
    for (const frame of frames) socket.emit('message', Buffer.from(frame), false);
    expect(socket.closes).toEqual([1011]);
    expect(faults).toEqual(['socket']);
    expect(ended).toHaveLength(1);
  });

  it('sends what waited as soon as there is room', () => {
    const { socket, clock, connection: one } = connection();
    socket.bufferedAmount = FULL;
    socket.emit(
      'message',
      Buffer.from('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'),
      false,
    );
    one.sweep(clock.nowMs);
    expect(socket.texts).toEqual([]);
    socket.bufferedAmount = 0;
    one.sweep(clock.nowMs);
    expect(socket.frames).toMatchObject([{ event: 'phx_reply', ref: '1' }]);
  });

  it('is pinged once after 45 seconds of silence, and dropped when it never answers', () => {
    const { socket, clock, ended, connection: one } = connection();
    const after = (ms: number): void => {
      clock.nowMs += ms;
      one.sweep(clock.nowMs);
    };
    after(44_999);
    expect(socket.pings).toBe(0);
    after(1);
    after(100);
    expect(socket.pings).toBe(1);
    socket.emit('pong');
    after(45_000);
    expect(socket.pings).toBe(2);
    after(89_000);
    expect(socket.isTerminated).toBe(false);
    after(1_000);
    expect(socket.isTerminated).toBe(true);
    expect(ended).toEqual([one]);
  });
});
