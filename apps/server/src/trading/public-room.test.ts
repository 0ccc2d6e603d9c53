import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFloor, send, type Trader, type TradingFloor } from '../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';

let store: TestStore;
let floor: TradingFloor;
let seller: Trader;
let buyer: Trader;

const get = (path: string): ReturnType<typeof send> => send(floor.origin, { method: 'GET', path });
const MARKET = { market_id: 'text-standard', type: 'limit' };

beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database);
  seller = await floor.trader({ units: 100 });
  buyer = await floor.trader({ usdMicros: 1_000_000_000 });
});

afterAll(async () => {
  await floor.close();
  await store.close();
});

async function trade(quantity: number, price: string): Promise<void> {
  await seller.place({ ...MARKET, side: 'sell', quantity, price });
  const { status } = await buyer.place({ ...MARKET, side: 'buy', quantity, price });
  expect(status).toBe(201);
}

it('tells which methods the health of the exchange takes', async () => {
  for (const path of ['/v1/health', '/api/v1/trading/health', '/health']) {
    const { status, headers, body } = await send(floor.origin, { method: 'POST', path });
    expect([path, status, body.errors.code]).toEqual([path, 405, 'method_not_allowed']);
    expect(headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect((await get(path)).body.data).toMatchObject({ status: 'ok', service: 'trading' });
  }
});

describe('the public order book', () => {
  it('has the published checksum, whatever the depth, and both names of its sides', async () => {
    const empty = await get('/v1/markets/text-standard/orderbook');
    expect(empty.body.data).toMatchObject({ buy: [], sell: [], checksum: 1_661_535_913 });
    const orders = [
      ['sell', 4, '2.51'],
      ['sell', 4, '2.52'],
      ['sell', 3, '2.52'],
      ['sell', 3, '2.52'],
      ['buy', 5, '2.5'],
      ['buy', 2, '2.5'],
      ['buy', 3, '2.49'],
    ] as const;
    const placed = [];
    for (const [side, quantity, price] of orders) {
      const trader = side === 'sell' ? seller : buyer;
      placed.push((await trader.place({ ...MARKET, side, quantity, price })).body.data.id);
    }
    const { body } = await get('/v1/markets/text-standard/orderbook?depth=1');
    expect(body.data).toMatchObject({
      buy: [{ price: '2.5000', quantity: 7, size: 7, order_count: 2, total: 7 }],
      sell: [{ price: '2.5100', quantity: 4, size: 4, order_count: 1, total: 4 }],
      checksum: 863_458_579,
    });
    expect([body.data.bids, body.data.asks]).toEqual([body.data.buy, body.data.sell]);
    const whole = (await get('/v1/markets/TEXT-STANDARD/orderbook?depth=100')).body.data;
    expect([whole.checksum, (whole.sell as unknown[]).length]).toEqual([863_458_579, 2]);
    expect(whole.sell).toContainEqual({ price: '2.5200', quantity: 10, size: 10, order_count: 3, total: 14 });
    for (const [index, id] of placed.entries())
      await (index < 4 ? seller : buyer).call('DELETE', `/v1/orders/${id}`);
    expect((await get('/v1/markets/text-standard/orderbook')).body.data.checksum).toBe(1_661_535_913);
  });

  it.each(['0', '101', '1.5', 'many', '', '5&depth=6'])('refuses a depth of %s', async (depth) => {
    const { status, body } = await get(`/v1/markets/text-standard/orderbook?depth=${depth}`);
    expect([status, body.errors.code]).toEqual([400, 'validation_failed']);
  });
});

describe('public trades', () => {
  it('have pages that neither skip nor repeat while others trade', async () => {
    for (let quantity = 1; quantity <= 5; quantity += 1) await trade(quantity, '2.5');
    const path = '/v1/markets/text-standard/trades';
    const first = await get(`${path}?limit=2`);
    expect(first.rows.map((row) => row.quantity)).toEqual([5, 4]);
    await trade(6, '2.5');
    const second = await get(`${path}?page_size=2&next=${first.body.paging.next_cursor}`);
    expect(second.rows.map((row) => row.quantity)).toEqual([3, 2]);
    const third = await get(`${path}?limit=2&next=${second.body.paging.next_cursor}`);
    expect([third.rows.map((row) => row.quantity), third.body.paging.has_more]).toEqual([[1], false]);
    const back = await get(`${path}?limit=2&prev=${second.body.paging.prev_cursor}`);
    expect(back.rows).toEqual(first.rows);
    const newest = await get(`${path}?limit=2&prev=${back.body.paging.prev_cursor}`);
    expect(newest.rows.map((row) => row.quantity)).toEqual([6]);
    const nested = `${path}?filters[0][field]=limit&filters[0][value]=2&order_by[]=execution_timestamp`;
    expect((await get(`${nested}&order_directions[]=asc`)).rows.map((row) => row.quantity)).toEqual([1, 2]);
    expect(
      (await get(`${path}?flop%5Bfilters%5D%5B0%5D%5Bfield%5D=side&flop%5Bfilters%5D%5B0%5D%5Bvalue%5D=sell`))
        .rows,
    ).toEqual([]);
  });

  it('show no party, no order and no units', async () => {
    const { rows } = await get('/v1/markets/text-standard/trades?limit=1');
    expect(Object.keys(rows[0]!).sort()).toEqual(
      [
        'trade_id',
        'id',
        'sequence',
        'market_id',
        'market_name',
        'instrument_id',
        'instrument_symbol',
        'instrument_name',
        'price',
        'quantity',
        'total_value',
        'side',
        'status',
        'execution_timestamp',
        'timestamp',
        'settlement_timestamp',
      ].sort(),
    );
  });

  it.each([
    ['limit=0', 'validation_failed'],
    ['limit=ten', 'validation_failed'],
    ['order_by=price', 'validation_failed'],
    ['buyer=me', 'validation_failed'],
    ['next=abc', 'invalid_cursor'],
    ['next=abc&prev=abc', 'validation_failed'],
  ])('refuse %s', async (query, code) => {
    const { status, body } = await get(`/v1/markets/text-standard/trades?${query}`);
    expect([status, body.errors.code]).toEqual([400, code]);
  });

  it('do not take the cursor of another market', async () => {
    const { body } = await get('/v1/markets/text-standard/trades?limit=1');
    const answer = await get(`/v1/markets/text-prime/trades?next=${body.paging.next_cursor}`);
    expect([answer.status, answer.body.errors.code]).toEqual([400, 'invalid_cursor']);
  });
});

describe('ticker and statistics', () => {
  it('leave out what needs a trade, until there is one', async () => {
    const { data } = (await get('/v1/markets/text-prime/ticker')).body;
    expect(data).toMatchObject({ last_price: null, bid: null, ask: null, volume_24h: 0 });
    for (const name of [
      'high_24h',
      'low_24h',
      'quote_volume_24h',
      'price_change_24h',
      'price_change_percent_24h',
    ])
      expect(data).not.toHaveProperty(name);
    const stats = (await get('/v1/markets/text-prime/stats')).body.data;
    expect(stats).toMatchObject({
      open: null,
      volume: '0',
      num_trades: 0,
      vwap_24h: null,
      price_change_24h: null,
    });
  });

  it('are exact to the last digit', async () => {
    await trade(3, '2.4');
    const { data } = (await get('/v1/markets/text-standard/ticker')).body;
    expect(data).toMatchObject({
      last_price: '2.4000',
      last_trade_quantity: 3,
      high_24h: '2.5000',
      low_24h: '2.4000',
      volume_24h: 24,
      quote_volume_24h: '59.700000',
      price_change_24h: '-0.1000',
      price_change_percent_24h: '-4.00',
    });
    const stats = (await get('/v1/markets/text-standard/stats')).body.data;
    expect(stats).toMatchObject({ vwap_24h: '2.4875', vwap_7d: '2.4875', num_trades: 7, volume: '24' });
  });
});

describe('lists of markets and instruments', () => {
  it('take filters in every spelling, orders and pages', async () => {
    const all = await get('/v1/markets?page_size=100&page=1');
    expect(all.rows[0]?.symbol).toBe('text-standard');
    const active = all.rows.filter(({ status }) => status === 'active');
    const open = [active[0]?.id, active.length];
    for (const query of [
      'status=active',
      'filters[0][field]=status&filters[0][op]===&filters[0][value]=active',
      'flop[filters][0][field]=status&flop[filters][0][value]=ACTIVE',
    ]) {
      const { rows } = await get(`/v1/markets?${query}`);
      expect([query, rows[0]?.id, rows.length]).toEqual([query, ...open]);
    }
    const pages: unknown[] = [];
    let page = await get('/v1/markets?limit=7&order_by=symbol&order_direction=desc');
    for (;;) {
      pages.push(...page.rows.map(({ symbol }) => symbol));
      if (!page.body.paging.has_more) break;
      page = await get(
        `/v1/markets?limit=7&order_by=symbol&order_direction=desc&next=${page.body.paging.next_cursor}`,
      );
    }
    expect(pages).toEqual(
      all.rows
        .map(({ symbol }) => String(symbol))
        .sort()
        .reverse(),
    );
    expect((await get('/v1/markets?symbol=Text-Standard,text-prime')).rows).toHaveLength(2);
    expect((await get('/v1/markets?market_id=text-max')).rows.map(({ symbol }) => symbol)).toEqual([
      'text-max',
    ]);
  });

  it('have the currency among the instruments', async () => {
    const { rows } = await get('/v1/instruments?instrument_type=currency');
    const figures = ['last_trade_price', 'last_trade_at', 'last_quote_at', 'volume_24h', 'total_trades'];
    const nothing = Object.fromEntries(figures.map((name) => [name, null]));
    expect(rows).toEqual([
      expect.objectContaining({ symbol: 'USD', precision: 6, is_active: true, ...nothing }),
    ]);
    expect((await get('/v1/instruments?symbol=usd')).rows).toEqual(rows);
  });

  it('have the instruments on the Platform surface, in numbered pages', async () => {
    const all = (await get('/v1/instruments?limit=100')).rows;
    const { status, body } = await get('/api/v1/instruments?page_size=200');
    expect([status, body.data]).toEqual([200, all]);
    const count = all.length;
    const last = Math.ceil(count / 4);
    expect((await get(`/api/v1/instruments/?page_size=4&page=${last}`)).body).toEqual({
      data: all.slice((last - 1) * 4),
      meta: {
        current_offset: (last - 1) * 4,
        current_page: last,
        page_size: 4,
        total_count: count,
        total_pages: last,
        has_next_page: false,
        has_previous_page: true,
      },
    });
    const sorted = await get('/api/v1/instruments?order_by[]=symbol&order_directions[]=desc&page_size=1');
    expect(sorted.rows).toEqual([all.toSorted((a, b) => (String(a.symbol) < String(b.symbol) ? 1 : -1))[0]]);
    for (const query of ['page=0', 'page=x', 'page_size=0', 'colour=red', 'next=abc']) {
      const refused = await get(`/api/v1/instruments?${query}`);
      expect([query, refused.status, refused.body.errors.code]).toEqual([query, 422, 'validation_failed']);
      expect(refused.body).toMatchObject({ error_description: refused.body.errors.message });
    }
    const posted = await send(floor.origin, { method: 'POST', path: '/api/v1/instruments' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it.each(['colour=red', 'status[op]=active', 'order_by=status', 'limit=0'])('refuse %s', async (query) => {
    for (const list of ['markets', 'instruments']) {
      const { status, body } = await get(`/v1/${list}?${query}`);
      expect([status, body.errors.code]).toEqual([400, 'validation_failed']);
    }
  });
});
