// The live book against a stream that is lost, doubled, reordered, truncated and cut off at random.
import { describe, expect, it, onTestFinished } from 'vitest';
import { OpenGrid } from '../client.ts';
import { eventually } from '../testing/eventually.ts';
import { SocketServer } from '../testing/socket-server.ts';
import type { BookView } from './book.ts';
import { crc32 } from './checksum.ts';
import type { Live } from './live.ts';

const market = 'text-prime';
const depth = 10;

type Levels = Map<number, number>;
type Random = () => number;

/** A small generator that a seed determines (mulberry32), so that a failure can be repeated. */
const randomFrom = (seed: number): Random => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const priceOf = (ticks: number): string => {
  const digits = String(ticks).padStart(5, '0');
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
};

const pairs = (levels: Levels, direction: 1 | -1): [string, string][] =>
  [...levels]
    .sort(([left], [right]) => (left - right) * direction)
    .slice(0, depth)
    .map(([ticks, quantity]) => [priceOf(ticks), String(quantity)]);

const textOf = (levels: readonly (readonly [string, string])[]): string =>
  levels.map((level) => level.join(':')).join(',');

/** A market that changes at random and tells it the way the server does. */
class Market {
  readonly #bids: Levels = new Map();
  readonly #asks: Levels = new Map();
  readonly #random: Random;
  /** What the book was at each sequence. */
  readonly history = new Map<number, string>();
  #sent: { bids: [string, string][]; asks: [string, string][] } = { bids: [], asks: [] };
  sequence = 100;
  #sentSequence = 100;

  constructor(random: Random) {
    this.#random = random;
    this.#note();
  }

  text(): string {
    return `${textOf(pairs(this.#asks, 1))};${textOf(pairs(this.#bids, -1))}`;
  }

  snapshot() {
    this.#sent = this.#now();
    this.#sentSequence = this.sequence;
    return { market_id: market, seq: this.sequence, depth, ...this.#sent, checksum: crc32(this.text()) };
  }

  /** Changes a few levels and gives the message that tells it. */
  move() {
    for (let count = 1 + Math.floor(this.#random() * 4); count > 0; count -= 1) {
      const isBid = this.#random() < 0.5;
      const ticks = isBid
        ? 20_000 - Math.floor(this.#random() * 20)
        : 20_001 + Math.floor(this.#random() * 20);
      const quantity = Math.floor(this.#random() * 5);
      const side = isBid ? this.#bids : this.#asks;
      if (quantity === 0) side.delete(ticks);
      else side.set(ticks, quantity);
    }
    this.sequence += 1 + Math.floor(this.#random() * 3);
    this.#note();
    const [before, after] = [this.#sent, this.#now()];
    const delta = {
      market_id: market,
      prev_seq: this.#sentSequence,
      seq: this.sequence,
      bids: changes(before.bids, after.bids),
      asks: changes(before.asks, after.asks),
      checksum: crc32(this.text()),
    };
    this.#sent = after;
    this.#sentSequence = this.sequence;
    return delta;
  }

  #now() {
    return { bids: pairs(this.#bids, -1), asks: pairs(this.#asks, 1) };
  }

  #note(): void {
    this.history.set(this.sequence, this.text());
  }
}

const changes = (before: readonly [string, string][], after: readonly [string, string][]) => {
  const [old, fresh] = [new Map(before), new Map(after)];
  const gone = before.filter(([price]) => !fresh.has(price)).map(([price]) => [price, '0']);
  return [...gone, ...after.filter(([price, quantity]) => old.get(price) !== quantity)];
};

const viewText = ({ bids, asks }: BookView): string => {
  const levels = (side: BookView['bids']) => textOf(side.map((one) => [one.price, String(one.quantity)]));
  return `${levels(asks)};${levels(bids)}`;
};

const follow = (server: SocketServer, backoffMs = 2): Live => {
  const live = new OpenGrid({ baseUrl: server.origin }).live({ backoffMs, replyTimeoutMs: 2_000 });
  onTestFinished(() => live.close());
  return live;
};

const openMarket = async (random: Random): Promise<{ server: SocketServer; market: Market }> => {
  const server = await SocketServer.open();
  const made = new Market(random);
  server.onSubscribe = (_stream, socket) => socket.send('book_snapshot', { data: made.snapshot() });
  return { server, market: made };
};

const publish = (server: SocketServer, data: Record<string, unknown>): void =>
  server.publish(`market.book:${market}`, 'book_delta', { data });

describe('a live book', () => {
  it('follows the market', async () => {
    const { server, market: real } = await openMarket(randomFrom(1));
    const book = follow(server).book(market, { depth });
    await book.ready();
    for (let count = 0; count < 200; count += 1) publish(server, real.move());
    await eventually(() => expect(book.current()?.sequence).toBe(real.sequence));
    expect(viewText(book.current()!)).toBe(real.text());
    expect(book.resyncCount).toBe(0);
    expect(server.events('subscribe')[0]?.payload.streams).toEqual([{ name: 'market.book', market, depth }]);
  });

  it('shows nothing while it is not known', async () => {
    const { server, market: real } = await openMarket(randomFrom(2));
    const book = follow(server).book(market, { depth });
    expect([book.status, book.current()]).toEqual(['resyncing', null]);
    await book.ready();
    // No snapshot is sent from now on, so that the state between loss and repair stays.
    server.onSubscribe = () => undefined;
    real.move();
    publish(server, real.move());
    await eventually(() => expect(book.status).toBe('resyncing'));
    expect(book.current()).toBeNull();
    server.onSubscribe = (_stream, socket) => socket.send('book_snapshot', { data: real.snapshot() });
    expect(viewText(await book.ready())).toBe(real.text());
    expect(book.resyncCount).toBe(1);
  });

  it('takes a snapshot that replaces it', async () => {
    const { server, market: real } = await openMarket(randomFrom(3));
    const book = follow(server).book(market, { depth });
    await book.ready();
    real.move();
    const reset = { data: { ...real.snapshot(), reset: true } };
    server.publish(`market.book:${market}`, 'book_snapshot', reset);
    await eventually(() => expect(book.current()?.sequence).toBe(real.sequence));
    expect(viewText(book.current()!)).toBe(real.text());
    expect(book.resyncCount).toBe(0);
  });

  it('never goes back to a snapshot that was overtaken', async () => {
    const { server, market: real } = await openMarket(randomFrom(6));
    const book = follow(server).book(market, { depth });
    const seen: number[] = [];
    book.onChange((view) => seen.push(view?.sequence ?? Number.NaN));
    await book.ready();
    const old = { data: real.snapshot() };
    publish(server, real.move());
    server.publish(`market.book:${market}`, 'book_snapshot', old);
    await eventually(() => expect(book.resyncCount).toBe(1));
    await book.ready();
    // The pause before it is asked for again is short here, so that there may be more of the last one.
    expect(seen.slice(0, 4)).toEqual([100, real.sequence, Number.NaN, real.sequence]);
  });

  it('asks again until a snapshot is right', async () => {
    const { server, market: real } = await openMarket(randomFrom(4));
    server.onSubscribe = (_stream, socket) => {
      const isWrong = server.events('subscribe').length < 4;
      socket.send('book_snapshot', { data: { ...real.snapshot(), ...(isWrong ? { checksum: 1 } : {}) } });
    };
    const book = follow(server).book(market, { depth });
    expect(viewText(await book.ready())).toBe(real.text());
    expect(server.events('subscribe').length).toBeGreaterThanOrEqual(4);
  });

  it('does not hurry a server that goes on being wrong', async () => {
    const { server, market: real } = await openMarket(randomFrom(7));
    const wrong = (): object => ({ ...real.snapshot(), checksum: 1 });
    server.onSubscribe = (_stream, socket) => socket.send('book_snapshot', { data: wrong() });
    const live = follow(server, 60_000);
    const book = live.book(market, { depth });
    await eventually(() => expect(book.resyncCount).toBe(2));
    // Were it asked for at once, that would be on its way before this is.
    await live.ticker(market, () => undefined).ready;
    const asked = server.events('subscribe').map(({ payload }) => JSON.stringify(payload.streams));
    expect(asked.filter((streams) => streams.includes('market.book'))).toHaveLength(2);
  });

  it('is one per market', async () => {
    const { server } = await openMarket(randomFrom(5));
    const live = follow(server);
    const book = live.book(market, { depth });
    expect(live.book(market, { depth })).toBe(book);
    expect(() => live.book(market, { depth: 100 })).toThrow('another depth');
    expect(() => live.book('text-max', { depth: 7 as 10 })).toThrow('depth must be');
    await book.ready();
    book.close();
    await eventually(() => expect(server.events('unsubscribe')).toHaveLength(1));
    expect(live.book(market, { depth: 100 })).not.toBe(book);
  });
});

/** What the network does to one message out of eight. */
const faults = (random: Random) => {
  let held: string | undefined;
  return (text: string): readonly string[] | 'cut' => {
    const released = held === undefined ? [] : [held];
    held = undefined;
    const fate = random();
    if (fate < 0.03) return released;
    if (fate < 0.06) return [text, text, ...released];
    if (fate < 0.09) {
      held = text;
      return released;
    }
    if (fate < 0.11) return [...released, text.slice(0, Math.floor(random() * text.length))];
    if (fate < 0.12) return 'cut';
    return [text, ...released];
  };
};

const seeds = Array.from({ length: 8 }, () => Math.floor(Math.random() * 2 ** 31));

describe('a live book on a bad line', () => {
  it.each(seeds)('is right or unknown at every moment, seed %i', async (seed) => {
    const random = randomFrom(seed);
    const { server, market: real } = await openMarket(random);
    const book = follow(server).book(market, { depth });
    const wrong: string[] = [];
    let viewCount = 0;
    book.onChange((view) => {
      if (view === null) return;
      viewCount += 1;
      const expected = real.history.get(view.sequence);
      if (viewText(view) !== expected) wrong.push(`${view.sequence}: ${viewText(view)}, not ${expected}`);
    });
    await book.ready();
    server.tamper = faults(random);
    for (let count = 0; count < 300; count += 1) {
      publish(server, real.move());
      if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    server.tamper = (text) => [text];
    // Whatever was lost last shows with the next change, if not before.
    await eventually(async () => {
      publish(server, real.move());
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(book.current()?.sequence).toBe(real.sequence);
    });
    expect(viewText(book.current()!)).toBe(real.text());
    expect(wrong).toEqual([]);
    expect(viewCount).toBeGreaterThan(10);
    expect(book.resyncCount + server.paths.length).toBeGreaterThan(1);
  });
});
