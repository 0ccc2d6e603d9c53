import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from '@opengrid/exchange';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openFloor, type Trader, type TradingFloor } from '../../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../../store/testing.ts';
import { StrictBook, type TestData, TestSocket } from '../testing.ts';

const MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';
const PRIVATE = [{ name: 'user.orders' }, { name: 'user.trades' }];
const USER_EVENTS = ['new_order', 'order_update', 'user_trade'];
const TIME = /"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/;

let store: TestStore;
let floor: TradingFloor;
let trader: Trader;
let client: TestSocket;

beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
});
beforeEach(async () => {
  trader = await floor.trader({ usdMicros: 1_000_000_000, units: 500 });
  client = await TestSocket.open(floor.origin);
  await client.join();
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

async function rest(side: 'buy' | 'sell', price: string, quantity: number, by = trader): Promise<string> {
  const answer = await by.place({ market_id: MARKET, side, type: 'limit', quantity, price });
  expect(answer.status).toBe(201);
  return answer.body.data.order_id as string;
}

/** Texts of an event with the time of the message taken out. */
function texts(event: string): string[] {
  return client.texts
    .filter((text) => text.includes(`"event":"${event}"`))
    .map((text) => text.replace(TIME, '"timestamp":"T"'));
}

function bookOf(from: TestSocket): StrictBook {
  const book = new StrictBook();
  for (const frame of from.of('book_snapshot', 'book_delta')) book.apply(frame);
  return book;
}

/** Buys, sells and cancels of two accounts, as fast as the engine takes them. */
async function burst(seed: number, { seller, count }: { seller: number; count: number }): Promise<void> {
  const { sequencer, instrument } = floor;
  const { accountNumber: buyer } = trader.account;
  const { instrumentNo } = instrument;
  const rules = { ...sequencer.exchange.rulesOf(instrumentNo)!, maxOpenOrders: 20_000 };
  await floor.command({ kind: 'configure_market', instrument: instrumentNo, rules });
  await floor.command({ kind: 'credit', account: buyer, origin: 'promotional', amountMicros: 10 ** 12 });
  let state = seed >>> 0;
  const roll = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const placed: { account: number; order: number }[] = [];
  const running: Promise<void>[] = [];
  for (let done = 0; done < count; done += 1) {
    const isBuy = roll(2) === 0;
    const account = isBuy ? buyer : seller;
    const victim = roll(10) === 0 ? placed[roll(placed.length)] : undefined;
    const command: Command =
      victim === undefined
        ? {
            kind: 'place_order',
            account,
            instrument: instrumentNo,
            side: isBuy ? 'buy' : 'sell',
            type: 'limit',
            quantityUnits: 1 + roll(3),
            priceTicks: isBuy ? 24_000 + roll(1_000) : 24_900 + roll(1_000),
            timeInForce: 'gtc',
          }
        : { kind: 'cancel_order', ...victim };
    running.push(
      sequencer.submit(command).then((result) => {
        if (result.ok && result.outcome.order !== undefined)
          placed.push({ account, order: result.outcome.order });
      }),
    );
    if (running.length === 500) await Promise.all(running.splice(0));
  }
  await Promise.all(running);
}

describe('public streams of a market', () => {
  it('sends the book byte for byte as documented, with the sequence that the orderbook over HTTP has', async () => {
    await rest('buy', '2.5', 7);
    await rest('buy', '2.49', 3);
    await rest('sell', '2.51', 4);
    const last = await rest('sell', '2.52', 10);
    await client.streams('subscribe', { name: 'market.book', market: MARKET });
    const seq = (await trader.get(`/v1/markets/${MARKET}/orderbook`)).body.data.sequence as number;
    await client.until(() => texts('book_snapshot').length === 1);
    expect(texts('book_snapshot')).toEqual([
      `{"topic":"ws:trading","event":"book_snapshot","payload":{"data":{"market_id":"${MARKET}","seq":${seq},"depth":25,"bids":[["2.5000","7"],["2.4900","3"]],"asks":[["2.5100","4"],["2.5200","10"]],"checksum":863458579,"timestamp":"T"}},"ref":""}`,
    ]);
    await trader.call('DELETE', `/v1/orders/${last}`);
    await client.until(() => texts('book_delta').length === 1);
    const { sequence, checksum } = (await trader.get(`/v1/markets/${MARKET}/orderbook`)).body.data;
    expect(texts('book_delta')).toEqual([
      `{"topic":"ws:trading","event":"book_delta","payload":{"data":{"market_id":"${MARKET}","prev_seq":${seq},"seq":${sequence},"bids":[],"asks":[["2.5200","0"]],"checksum":${checksum},"timestamp":"T"}},"ref":""}`,
    ]);
  });

  it('gives every depth its window, moves levels into view, and starts anew when asked again', async () => {
    for (let tick = 0; tick < 30; tick += 1) await rest('sell', `3.${String(10 + tick)}`, 1);
    const best = await rest('sell', '3.0', 1);
    const others = [10, 100, 0].map(() => TestSocket.open(floor.origin));
    const sockets = await Promise.all(others);
    for (const [index, depth] of [10, 100, 0].entries()) {
      await sockets[index]!.join();
      await sockets[index]!.streams('subscribe', { name: 'market.book', market: 'text-standard', depth });
    }
    await trader.call('DELETE', `/v1/orders/${best}`);
    await rest('sell', '3.05', 2);
    for (const socket of sockets) {
      await socket.until(() => bookOf(socket).levels('asks')[0]?.[1] === '2', 'the new best ask');
    }
    const books = sockets.map((socket) => bookOf(socket));
    expect(books.map((book) => book.levels('asks').length)).toEqual([10, 31, 31]);
    expect(books[0]!.levels('asks').at(-1)).toEqual(['3.1800', '1']);
    const [narrow] = sockets as [TestSocket];
    await narrow.streams('subscribe', { name: 'market.book', market: 'TEXT-standard', depth: 25 });
    await narrow.until(() => narrow.of('book_snapshot').length === 2);
    await rest('sell', '3.01', 1);
    await narrow.until(() => bookOf(narrow).levels('asks')[0]?.[0] === '3.0100');
    expect(narrow.frames.at(-1)?.payload.data.market_id).toBe('TEXT-standard');
    expect(bookOf(narrow).levels('asks')).toHaveLength(25);
    await narrow.streams('unsubscribe', { name: 'market.book', market: MARKET });
    const before = narrow.of('book_delta').length;
    const [, wide] = sockets as [TestSocket, TestSocket];
    const deltas = wide.of('book_delta').length;
    await rest('sell', '3.02', 1);
    await wide.until(() => wide.of('book_delta').length > deltas);
    await narrow.call('heartbeat');
    expect(narrow.of('book_delta')).toHaveLength(before);
  });

  it('tells a trade without saying whose, and the ticker when a figure changes', async () => {
    await client.streams(
      'subscribe',
      { name: 'market.trades', market: MARKET },
      { name: 'market.ticker', market: 'text-standard' },
    );
    const { sequence } = (await trader.get(`/v1/markets/${MARKET}/ticker`)).body.data;
    expect(texts('market_ticker')).toEqual([
      `{"topic":"ws:trading","event":"market_ticker","payload":{"market_id":"text-standard","last_price":null,"bid":null,"ask":null,"volume_24h":"0","timestamp":"T","sequence":${sequence}},"ref":""}`,
    ]);
    await rest('sell', '2.5', 4);
    const buyer = await floor.trader({ usdMicros: 1_000_000_000 });
    await rest('buy', '2.5', 3, buyer);
    await client.until(() => texts('market_ticker').at(-1)!.includes('"volume_24h":"3"'), 'the volume');
    const listed = (await trader.get(`/v1/markets/${MARKET}/trades`)).rows[0]!;
    expect(texts('new_trade')).toEqual([
      `{"topic":"ws:trading","event":"new_trade","payload":{"data":{"trade_id":"${listed.trade_id}","market_id":"${MARKET}","price":"2.5000","quantity":"3","side":"buy","executed_at":"${listed.execution_timestamp}","sequence":1}},"ref":""}`,
    ]);
    const ticker = (await trader.get(`/v1/markets/${MARKET}/ticker`)).body.data;
    expect(client.of('market_ticker').at(-1)!.payload).toMatchObject({
      last_price: '2.5000',
      bid: null,
      ask: '2.5000',
      last_quantity: '3',
      high_24h: '2.5000',
      low_24h: '2.5000',
      sequence: ticker.sequence,
    });
  });

  it('tells the state of the market at once and when it changes', async () => {
    // Text Prime is the second instrument of the table.
    const instrument = 2;
    await client.streams('subscribe', { name: 'market.status', market: 'text-prime' });
    await floor.command({ kind: 'set_trading_state', instrument, state: 'halted' });
    await client.until(() => client.of('market_status').length === 2);
    const [open, halted] = client.of('market_status').map(({ payload }) => payload.data) as [
      TestData,
      TestData,
    ];
    expect(open).toMatchObject({
      market_id: 'text-prime',
      trading_state: 'open',
      status: 'active',
      reason: null,
    });
    expect(halted).toMatchObject({
      trading_state: 'halted',
      status: 'suspended',
      sequence: open.sequence + 1,
    });
    expect(halted.at).toMatch(/Z$/);
  });

  it('loses nothing when ten thousand commands come at once, at any depth and for every account', async () => {
    const seller = await floor.trader({ units: 20_000 });
    const sockets: TestSocket[] = [];
    for (const depth of [10, 25, 100, 0]) {
      const socket = await TestSocket.trader(floor.origin, depth === 10 ? seller : trader);
      await socket.streams('subscribe', { name: 'market.book', market: MARKET, depth }, ...PRIVATE);
      sockets.push(socket);
    }
    const told = new Map<number, number[]>([seller, trader].map((one) => [one.account.accountNumber, []]));
    floor.sequencer.onCommitted(({ entries }) => {
      for (const event of entries.flatMap(({ accountEvents }) => accountEvents))
        if (event.kind !== 'balance') told.get(event.account)?.push(event.userSeq);
    });
    const seed = Number(process.env.OPENGRID_SEED ?? randomInt(2 ** 31));
    await burst(seed, { seller: seller.account.accountNumber, count: 10_000 });
    const { data } = (await trader.get(`/v1/markets/${MARKET}/orderbook?depth=100`)).body;
    const side = (name: string): string[][] =>
      (data[name] as { price: string; quantity: number }[]).map(({ price, quantity }) => [
        price,
        String(quantity),
      ]);
    for (const [index, depth] of [10, 25, 100, 0].entries()) {
      const socket = sockets[index]!;
      const seen = (book: StrictBook): string =>
        JSON.stringify(
          [book.levels('bids'), book.levels('asks')].map((levels) => levels.slice(0, depth || 100)),
        );
      const wanted = JSON.stringify(
        [side('bids'), side('asks')].map((levels) => levels.slice(0, depth || 100)),
      );
      const what = `the book at ${depth}, OPENGRID_SEED=${seed}`;
      // Looking through everything that came is dear, so it is not done for every message.
      for (let looks = 0; looks < 50 && seen(bookOf(socket)) !== wanted; looks += 1) await pause(200);
      expect(seen(bookOf(socket)), what).toBe(wanted);
      // Deltas of one batch are merged: there are far fewer messages than commands.
      expect(bookOf(socket).deltas).toBeGreaterThan(1);
      expect(bookOf(socket).deltas).toBeLessThan(2_000);
      const numbers = socket.of(...USER_EVENTS).map(({ payload }) => payload.data.user_seq);
      expect(numbers.length).toBeGreaterThan(1_000);
      expect(numbers).toEqual(told.get((depth === 10 ? seller : trader).account.accountNumber));
      socket.socket.close();
    }
    const { accountNumber: account } = seller.account;
    await floor.command({ kind: 'cancel_orders', account, reason: 'admin' });
  }, 60_000);

  it('continues its sequence after a restart', async () => {
    await rest('buy', '2.0', 1);
    await client.streams('subscribe', { name: 'market.book', market: MARKET });
    await client.until(() => client.of('book_snapshot').length === 1);
    const before = client.of('book_snapshot')[0]!.payload.data;
    await floor.close();
    floor = await openFloor(store.database);
    const after = await TestSocket.open(floor.origin);
    await after.join();
    await after.streams('subscribe', { name: 'market.book', market: MARKET });
    await after.until(() => after.of('book_snapshot').length === 1);
    expect(after.of('book_snapshot')[0]!.payload.data).toMatchObject({ seq: before.seq, bids: before.bids });
  });
});
