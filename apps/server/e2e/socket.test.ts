// The socket of the whole program: its farewell, and orders that end with their socket whatever ends it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StrictBook, TestSocket } from '../src/trading/socket/testing.ts';
import { Instance } from './testing/instance.ts';
import { Trader } from './testing/trader.ts';

let instance: Instance;
let trader: Trader;
beforeAll(async () => {
  instance = await Instance.start({ engine: 'embedded' });
  trader = await Trader.open(instance, '50');
});
afterAll(() => instance.remove());

function order(id: string): object {
  const terms = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 1, price: '0.1' };
  return { ...terms, client_order_id: id };
}

/** Orders of the account by client order id: status and why they ended. */
async function fates(): Promise<Record<string, string>> {
  const orders = await trader.orders();
  const rows = orders as unknown as {
    client_order_id: string;
    status: string;
    closure_reason: string | null;
  }[];
  return Object.fromEntries(
    rows.map((one) => [one.client_order_id, `${one.status} ${one.closure_reason ?? ''}`.trim()]),
  );
}

it('shows the demo market to everybody, and says farewell at the end', async () => {
  const watcher = await TestSocket.open(instance.url);
  await watcher.join();
  await watcher.streams('subscribe', { name: 'market.book', market: 'text-prime' });
  await watcher.until(() => watcher.of('book_snapshot').length === 1);
  const book = new StrictBook();
  book.apply(watcher.of('book_snapshot')[0]!);
  expect(book.levels('asks').length).toBeGreaterThan(0);

  const bound = await TestSocket.trader(instance.url, trader, { cancel_on_disconnect: true });
  await bound.call('order.place', order('bound'));
  await trader.call('POST', '/v1/orders', order('free'));
  await instance.program.stop();
  for (const client of [watcher, bound]) {
    expect(await client.closed()).toBe(1001);
    expect(client.frames.at(-1)).toMatchObject({ event: 'phx_close', ref: '' });
  }
  await instance.launch();
  expect(await fates()).toEqual({ bound: 'cancelled cancel_on_disconnect', free: 'active' });
});

it('ends the orders of its sockets at the next start after it was killed', async () => {
  const bound = await TestSocket.trader(instance.url, trader, { cancel_on_disconnect: true });
  await bound.call('order.place', order('killed'));
  await instance.program.kill9();
  expect(await bound.closed()).toBe(1006);
  await instance.launch();
  expect(await fates()).toEqual({
    bound: 'cancelled cancel_on_disconnect',
    free: 'active',
    killed: 'cancelled cancel_on_disconnect',
  });
  expect((await instance.verifyLedger()).ok).toBe(true);
});
