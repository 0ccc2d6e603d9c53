// The client's socket against the whole program: books, events of the account and orders, before and after a kill.
import {
  type BookView,
  type GapEvent,
  generateKey,
  type Live,
  type LiveOptions,
  OpenGrid,
  type PlaceOrderParams,
  type Signer,
  signerFromKey,
} from '@opengrid/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Instance } from './testing/instance.ts';

const market = 'text-prime';
const patience = { timeout: 30_000, interval: 50 };

let instance: Instance;
let signer: Signer;
let grid: OpenGrid;
const lives: Live[] = [];
beforeAll(async () => {
  const env = { ORDER_RATE: '0', ORDER_RPM: '0', CANCEL_RATE: '0', WS_MESSAGE_RATE: '0' };
  instance = await Instance.start({ engine: 'embedded', env });
  const account = 'desk@example.com';
  await instance.admin('POST', '/accounts', { email: account, mode: 'advanced' });
  await instance.admin('POST', `/accounts/${account}/credit`, { amount: '500.00' });
  const key = await generateKey();
  await instance.admin('POST', '/signing-keys', { account, label: 'desk', public_key: key.publicKey });
  signer = await signerFromKey(key.privateKeyPem);
  grid = new OpenGrid({ baseUrl: instance.url, signer, receiveWindowMs: 20_000 });
});
afterEach(async () => {
  for (const live of lives.splice(0)) live.close();
  await grid.orders.cancelAll();
});
afterAll(() => instance.remove());

const open = async (options: LiveOptions = {}): Promise<Live> => {
  const live = grid.live({ backoffMs: 100, ...options });
  lives.push(live);
  await live.ready();
  return live;
};

/** A bid far below the market, which rests. */
const bid = (more: Partial<PlaceOrderParams> = {}): PlaceOrderParams => ({
  market_id: market,
  side: 'buy',
  type: 'limit',
  quantity: 1,
  price: '0.1000',
  ...more,
});

const priceOf = (ticks: number): string => `0.${String(ticks).padStart(4, '0')}`;

async function agrees(view: BookView | null): Promise<void> {
  const book = await grid.markets.orderbook(market, { depth: 100 });
  expect(view?.sequence).toBe(book.sequence);
  expect(view?.checksum).toBe(book.checksum);
  const levels = (side: typeof book.bids) => side.map(({ price, quantity }) => ({ price, quantity }));
  expect([view?.bids, view?.asks]).toEqual([levels(book.bids), levels(book.asks)]);
}

describe('a live book of the program', () => {
  it('is the book over HTTP, after hundreds of orders that were sent without waiting', async () => {
    const live = await open();
    const book = live.book(market, { depth: 100 });
    await book.ready();
    const placing = Array.from({ length: 300 }, (_unused, index) =>
      live.orders.place(bid({ price: priceOf(100 + (index % 60)) })),
    );
    const orders = await Promise.all(placing);
    expect(new Set(orders.map(({ id }) => id)).size).toBe(300);
    const cancelling = orders.filter((_order, index) => index % 3 === 0).map(({ id }) => ({ order_id: id }));
    await Promise.all(cancelling.map((order) => live.orders.cancel(order)));
    await vi.waitFor(() => agrees(book.current()), patience);
    expect(book.resyncCount).toBe(0);
  });

  it('comes back after the program was killed, and the account is told of the gap', async () => {
    const live = await open();
    const book = live.book(market, { depth: 100 });
    const gaps: GapEvent[] = [];
    const seen: string[] = [];
    const user = live.user({ onGap: (gap) => gaps.push(gap), onOrder: ({ status }) => seen.push(status) });
    await Promise.all([book.ready(), user.ready]);
    const placed = await live.orders.place(bid());
    await vi.waitFor(() => expect(seen).toEqual(['active']), patience);
    const port = Number(new URL(instance.url).port);
    await instance.program.kill9();
    await vi.waitFor(() => expect(book.status).toBe('resyncing'), patience);
    expect(book.current()).toBeNull();
    await instance.launch({ port });
    await book.ready();
    await vi.waitFor(() => agrees(book.current()), patience);
    await vi.waitFor(() => expect(gaps).toMatchObject([{ reason: 'reconnected' }]), patience);
    await live.orders.cancel({ order_id: placed.id });
    await vi.waitFor(() => expect(seen).toEqual(['active', 'cancelled']), patience);
    expect(gaps).toHaveLength(1);
  });
});

describe('orders over the socket of the program', () => {
  it('are placed, amended, cancelled and sent in batches', async () => {
    const live = await open();
    const placed = await live.orders.place(bid({ client_order_id: 'live-1' }));
    expect(placed).toEqual(await grid.orders.retrieve(placed.id));
    const amended = await live.orders.amend({ client_order_id: 'live-1' }, { price: '0.1100' });
    expect(amended).toMatchObject({ id: placed.id, price: '0.1100' });
    expect((await live.orders.cancel({ order_id: placed.id })).already_cancelled).toBe(false);
    expect((await live.orders.cancel({ order_id: placed.id })).already_cancelled).toBe(true);
    const outcomes = await live.orders.batch([
      { event: 'order.place', payload: bid({ client_order_id: 'live-2' }) },
      { event: 'order.place', payload: bid({ quantity: 5_000 }) },
      { event: 'order.cancel', payload: { client_order_id: 'live-2' } },
      { event: 'order.cancel_all', payload: { market_id: market } },
    ]);
    expect(outcomes).toMatchObject([
      { ok: true, data: { client_order_id: 'live-2', status: 'active' } },
      { ok: false, error: { code: 'insufficient_balance' } },
      { ok: true },
      { ok: true, data: { cancelled: 0 } },
    ]);
    expect((await live.orders.cancelAllAfter({ timeout_ms: 60_000 })).armed).toBe(true);
    expect((await live.orders.cancelAllAfter({ timeout_ms: 0 })).armed).toBe(false);
    await live.orders.place(bid());
    expect((await live.orders.cancelAll()).cancelled).toBe(1);
  });

  it('are refused with the codes of HTTP', async () => {
    const live = await open();
    const refusal = live.orders.place(bid({ quantity: 5_000 }));
    await expect(refusal).rejects.toMatchObject({ name: 'LiveError', code: 'insufficient_balance' });
    await expect(live.orders.cancel({ order_id: 'order_none' })).rejects.toMatchObject({
      code: 'order_not_found',
    });
  });

  it('end with their socket where that was asked for', async () => {
    const live = await open({ cancelOnDisconnect: true });
    const placed = await live.orders.place(bid());
    live.close();
    await vi.waitFor(async () => {
      expect(await grid.orders.retrieve(placed.id)).toMatchObject({ closure_reason: 'cancel_on_disconnect' });
    }, patience);
  });
});

describe('the events of an account of the program', () => {
  it('tell every order, trade and balance, without a gap', async () => {
    const live = await open();
    const log: string[] = [];
    const gaps: GapEvent[] = [];
    const user = live.user({
      onOrder: ({ status, filled_quantity: filled }) => log.push(`${status} ${filled}`),
      onTrade: ({ side, quantity }) => log.push(`${side} ${quantity}`),
      onBalance: ({ cause }) => log.push(cause ?? 'all'),
      onGap: (gap) => gaps.push(gap),
    });
    await user.ready;
    await live.orders.place({ market_id: market, side: 'buy', type: 'market', quantity: 2 });
    await grid.transfers.toConsumption({ instrument_id: market, quantity: 1 });
    await vi.waitFor(() => expect(log).toContain('transfer'), patience);
    expect(log[0]).toBe('all');
    expect(log).toEqual(expect.arrayContaining(['filled 2', 'buy 2', 'trade']));
    expect(gaps).toEqual([]);
  });

  it('are not for strangers', async () => {
    const live = new OpenGrid({ baseUrl: instance.url }).live();
    lives.push(live);
    await expect(live.user({}).ready).rejects.toMatchObject({ code: 'unauthorized' });
    await live.book(market).ready();
    await expect(live.book('gpt-4o').ready()).rejects.toMatchObject({ code: 'unknown_market' });
  });
});
