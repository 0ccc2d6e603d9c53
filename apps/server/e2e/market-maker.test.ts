// The example of a market maker on the whole program: it quotes, survives its own death, and leaves in good order.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKey, OpenGrid, type Order, signerFromKey } from '@opengrid/sdk';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { Instance } from './testing/instance.ts';

const bot = fileURLToPath(new URL('../../../examples/market-maker/dist/main.js', import.meta.url));
const market = 'text-prime';

let instance: Instance;
let folder: string;
let grid: OpenGrid;
const running: ChildProcess[] = [];
beforeAll(async () => {
  instance = await Instance.start({ engine: 'embedded' });
  folder = await mkdtemp(join(tmpdir(), 'opengrid-maker-'));
  const account = 'maker@example.com';
  await instance.admin('POST', '/accounts', { email: account, mode: 'advanced' });
  await instance.admin('POST', `/accounts/${account}/credit`, { amount: '100.00' });
  const key = await generateKey();
  await instance.admin('POST', '/signing-keys', { account, label: 'bot', public_key: key.publicKey });
  await writeFile(join(folder, 'desk.pem'), key.privateKeyPem, { mode: 0o600 });
  grid = new OpenGrid({ baseUrl: instance.url, signer: await signerFromKey(key.privateKeyPem) });
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await instance.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A bot as a process, with what it wrote. */
function launch(...more: string[]): {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
} {
  const words = ['--url', instance.url, '--key-file', join(folder, 'desk.pem'), '--market', market];
  const child = spawn(process.execPath, [bot, ...words, '--interval-ms', '300', ...more]);
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => text, ended };
}

const passes = (output: string): number => output.split('pass done').length - 1;
const patience = { timeout: 30_000, interval: 100 };

async function quotes(): Promise<Order[]> {
  const open = await grid.orders.list({ status: 'open', market_id: market }).toArray();
  return open.sort((one, other) => Number(one.price) - Number(other.price));
}

it('quotes both sides, adopts its quotes after a kill, and cancels them at the end', async () => {
  await grid.orders.place({ market_id: market, side: 'buy', type: 'market', quantity: 4 });
  // An order of somebody else on the same account, which must be left alone.
  const other = await grid.orders.place({
    market_id: market,
    side: 'buy',
    type: 'limit',
    quantity: 1,
    price: '0.1000',
  });
  const first = launch('--units', '2');
  await vi.waitFor(async () => expect(await quotes(), first.output()).toHaveLength(5), patience);
  const before = await quotes();
  expect(before.map(({ side, quantity }) => `${side} ${quantity}`)).toEqual([
    'buy 1',
    'buy 2',
    'buy 2',
    'sell 2',
    'sell 2',
  ]);
  expect(before.slice(1).every(({ post_only: isPostOnly }) => isPostOnly)).toBe(true);
  first.child.kill('SIGKILL');
  await first.ended;

  const second = launch('--units', '2');
  await vi.waitFor(() => expect(passes(second.output()), second.output()).toBeGreaterThan(2), patience);
  expect((await quotes()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(second.output()).not.toMatch(/place|cancel|amend/);

  // A quote that disappears is a quote that is missing.
  await grid.orders.cancel(before[1]!.id);
  await vi.waitFor(async () => expect(await quotes()).toHaveLength(5), patience);
  second.child.kill('SIGKILL');
  await second.ended;

  // Other prices are the same orders, amended.
  const narrow = await quotes();
  const third = launch('--units', '2', '--spread-bps', '600');
  await vi.waitFor(() => expect(passes(third.output()), third.output()).toBeGreaterThan(1), patience);
  const wide = await quotes();
  expect(wide.map(({ id }) => id).sort()).toEqual(narrow.map(({ id }) => id).sort());
  const spreadOf = (orders: Order[]): number => Number(orders[3]?.price) - Number(orders[2]?.price);
  expect(spreadOf(wide)).toBeGreaterThan(2 * spreadOf(narrow));
  expect(third.output()).not.toMatch(/place|cancel|refused/);
  third.child.kill('SIGINT');
  expect(await third.ended, third.output()).toBe(0);
  expect((await quotes()).map(({ id }) => id)).toEqual([other.id]);
  await grid.orders.cancel(other.id);
});

it('is taken out of the market by the exchange when it dies for good', async () => {
  const maker = launch('--units', '1', '--dead-man-ms', '5000');
  await vi.waitFor(async () => expect(await quotes(), maker.output()).not.toHaveLength(0), patience);
  const [quote] = await quotes();
  expect(quote?.client_order_id).toMatch(/^mm-/);
  maker.child.kill('SIGKILL');
  await maker.ended;
  await vi.waitFor(async () => expect(await quotes()).toHaveLength(0), patience);
  expect(await grid.orders.retrieve(quote!.id)).toMatchObject({ closure_reason: 'cancel_all_after' });
});
