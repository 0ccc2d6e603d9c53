import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFloor, type TradingFloor } from '../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import { StrictBook, TestSocket } from './testing.ts';

const MARKET = 'market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514';

describe('sockets', () => {
  let store: TestStore;
  let floor: TradingFloor;
  beforeEach(async () => {
    store = await openEmbeddedStore();
    floor = await openFloor(store.database);
  });
  afterEach(async () => {
    await floor.close();
    await store.close();
  });

  it('tells an order, its trade and its end on every stream of a socket', async () => {
    const seller = await floor.trader({ usdMicros: 1_000_000_000, units: 100 });
    const buyer = await floor.trader({ usdMicros: 1_000_000_000 });
    const client = await TestSocket.trader(floor.origin, seller);
    const ack = await client.streams(
      'subscribe',
      { name: 'user.orders' },
      { name: 'user.trades' },
      { name: 'user.balances' },
      { name: 'market.book', market: 'TEXT-standard' },
      { name: 'market.ticker', market: MARKET },
      { name: 'market.trades', market: MARKET },
      { name: 'market.status', market: MARKET },
    );
    expect(ack.status).toBe('ok');
    await client.call('order.place', {
      market_id: MARKET,
      side: 'sell',
      type: 'limit',
      quantity: 10,
      price: '2.6',
      client_order_id: 'a',
    });
    await buyer.place({ market_id: MARKET, side: 'buy', type: 'market', quantity: 4 });
    const { data } = await client.call('order.cancel', { client_order_id: 'a' });
    expect(data).toMatchObject({ status: 'cancelled', filled_quantity: 4, remaining_quantity: 6 });
    await client.until(() => client.of('book_delta').length === 3, 'three changes of the book');
    const book = new StrictBook();
    for (const frame of client.of('book_snapshot', 'book_delta')) book.apply(frame);
    expect(book.levels('asks')).toEqual([]);
  });
});
