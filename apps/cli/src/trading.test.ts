// The trader's commands as processes, against a scripted installation on loopback.
import { spawn } from 'node:child_process';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { useFixture } from './testing/fixture.ts';
import { type GridServer, gridServer } from './testing/grid-server.ts';
import { runCli } from './testing/run-cli.ts';

const fixture = useFixture();
const command = fileURLToPath(new URL('../bin/opengrid.mjs', import.meta.url));

const order = {
  order_id: 'order_1',
  instrument_symbol: 'text-prime',
  side: 'buy',
  price: '2.5000',
  quantity: 10,
  filled_quantity: 4,
  average_price: '2.4900',
  status: 'partially_filled',
  fee: '0.049800',
  closure_reason: null,
  submitted_at: '2026-01-01T00:00:00.000Z',
  client_order_id: 'desk-1',
};
const page = (data: unknown[]) => ({
  status: 200,
  body: { data, paging: { next_cursor: null, prev_cursor: null, has_more: false } },
});
const refused = (status: number, code: string, message: string) => ({
  status,
  body: { errors: { code, detail: code, message } },
});

/** A fresh key and what its public half is called. */
const newKey = async (): Promise<{ file: string; fingerprint: string }> => {
  const file = join(await fixture.folder(), 'desk.pem');
  const made = await runCli(['keys', 'generate', '--out', file, '--json']);
  return { file, fingerprint: (JSON.parse(made.stdout) as { fingerprint: string }).fingerprint };
};

const signed = async (server: GridServer, words: readonly string[]) => {
  const { file, fingerprint } = await newKey();
  const result = await server.cli([...words, '--key-file', file]);
  return { ...result, fingerprint };
};

describe('a key for trading', () => {
  it('is made by `keys generate` as well, for its owner only', async () => {
    const { file } = await newKey();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const again = await runCli(['keys', 'generate', '--out', file]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('exists already');
  });

  it('is registered by `keys register` with the operator', async () => {
    const { file, fingerprint } = await newKey();
    const server = await fixture.serve({
      'POST /signing-keys/challenges': { status: 200, body: { data: { challenge: 'c1' } } },
      'POST /signing-keys': { status: 201, body: { data: { id: 'skey_1', fingerprint } } },
    });
    const result = await server.cli(['keys', 'register', '--account', 'a@example.com', '--key-file', file]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(fingerprint);
  });

  it('is refused when others could read it', async () => {
    const { file } = await newKey();
    await chmod(file, 0o644);
    const result = await runCli(['orders', 'cancel-all', '--key-file', file]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('chmod 600');
  });
});

describe('orders', () => {
  it('are placed as they were written', async () => {
    const server = await gridServer({ 'POST /v1/orders': { status: 201, body: { data: order } } });
    const words = ['orders', 'place', 'buy', 'text-prime', '10', '--price', '2.5', '--client-id', 'desk-1'];
    const result = await signed(server, [...words, '--post-only', '--time-in-force', 'day']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/order id +order_1\n.*\n.*\nprice +2\.5000\n/);
    const body = {
      market_id: 'text-prime',
      side: 'buy',
      type: 'limit',
      quantity: 10,
      price: '2.5000',
      time_in_force: 'day',
      post_only: true,
      client_order_id: 'desk-1',
    };
    expect(server.requests).toMatchObject([
      { route: 'POST /v1/orders', body, fingerprint: result.fingerprint },
    ]);
  });

  it.each([
    ['a limit order without price', ['place', 'buy', 'text-prime', '1']],
    ['a side that is none', ['place', 'hold', 'text-prime', '1', '--price', '1']],
    ['a price of five decimals', ['place', 'buy', 'text-prime', '1', '--price', '1.00001']],
    ['a part of a unit', ['place', 'buy', 'text-prime', '1.5', '--price', '1']],
    [
      'an expiry without gtd',
      ['place', 'buy', 'text-prime', '1', '--price', '1', '--expire-at', '2030-01-01'],
    ],
    ['an amend of nothing', ['amend', 'order_1']],
    ['a timer in words', ['cancel-after', 'soon']],
  ])('are wrong usage, and nothing is sent: %s', async (_name, words) => {
    const server = await gridServer();
    expect(await signed(server, ['orders', ...words])).toMatchObject({ code: 2, stdout: '' });
    expect(server.requests).toEqual([]);
  });

  it('need a key file', async () => {
    const result = await runCli(['orders', 'cancel-all', '--json']);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code: 'usage' } });
  });

  it('are listed, open ones unless told otherwise', async () => {
    const server = await gridServer({
      'GET /v1/orders?status=open&limit=50': page([order]),
      'GET /v1/orders?market_id=text-prime&side=sell&limit=2': page([]),
    });
    const open = await signed(server, ['orders', 'list']);
    expect(open.stdout.split('\n')[1]).toMatch(/^order_1 +text-prime +buy +2\.5000 +10 +4 +2\.4900 /);
    const words = ['orders', 'list', '--market', 'text-prime', '--side', 'sell', '--status', 'all'];
    expect((await signed(server, [...words, '--limit', '2'])).stdout).toBe('No such orders.\n');
  });

  it('are shown to a consumption key that may read them', async () => {
    const server = await gridServer({ 'GET /v1/orders/order_1': { status: 200, body: { data: order } } });
    const env = { OPENGRID_API_KEY: 'sk-or-v1-test', OPENGRID_URL: server.origin };
    const result = await runCli(['orders', 'show', 'order_1', '--json'], { env });
    expect(JSON.parse(result.stdout)).toEqual(order);
    expect(server.requests[0]?.authorization).toBe('Bearer sk-or-v1-test');
  });

  it('are amended, cancelled and timed', async () => {
    const server = await gridServer({
      'PUT /v1/orders/order_1': { status: 200, body: { data: { ...order, price: '2.4000' } } },
      'DELETE /v1/orders/order_1': { status: 204 },
      'DELETE /v1/orders/order_2': { status: 200, body: { data: order, already_cancelled: true } },
      'DELETE /v1/markets/text-prime/orders?side=sell': { status: 200, body: { data: { cancelled: 3 } } },
      'POST /v1/orders/cancel-all-after': {
        status: 200,
        body: { data: { armed: true, trigger_at: '2026-01-01T00:01:00.000Z' } },
      },
    });
    expect((await signed(server, ['orders', 'amend', 'order_1', '--price', '2.4'])).stdout).toContain(
      '2.4000',
    );
    expect((await signed(server, ['orders', 'cancel', 'order_1', 'order_2'])).stdout).toBe(
      'order_1 is cancelled.\norder_2 was cancelled before.\n',
    );
    const all = await signed(server, ['orders', 'cancel-all', '--market', 'text-prime', '--side', 'sell']);
    expect(all.stdout).toBe('Cancelled 3 orders.\n');
    const timer = await signed(server, ['orders', 'cancel-after', '60']);
    expect(timer.stdout).toContain('2026-01-01 00:01:00Z');
    const bodies = server.requests.map(({ body }) => body).filter((body) => body !== undefined);
    expect(bodies).toEqual([{ price: '2.4000' }, { timeout_ms: 60_000 }]);
  });
});

describe('what the account has', () => {
  it('is shown for people and for programs', async () => {
    const usd = { instrument_symbol: 'USD', total_balance: '5.000000', available_balance: '3.000000' };
    const tokens = { instrument_symbol: 'text-prime', total_tokens: 12, free_tokens: 10, held_tokens: 2 };
    const position = { instrument_symbol: 'text-prime', quantity: 3, average_cost: '2.5', status: 'open' };
    const trade = { instrument_symbol: 'text-prime', price: '2.4900', quantity: 4, order_id: 'order_1' };
    const server = await gridServer({
      'GET /v1/trading-accounts': page([usd]),
      'GET /v1/consumption-accounts': page([tokens]),
      'GET /v1/positions': page([position]),
      'GET /v1/trades?limit=50': page([trade]),
    });
    expect((await signed(server, ['balances'])).stdout).toMatch(
      /USD +5\.000000 +3\.000000 +-\n\n.*\ntext-prime +12 +10 +2\n/,
    );
    const json = await signed(server, ['balances', '--json']);
    expect(JSON.parse(json.stdout)).toEqual({ trading: [usd], consumption: [tokens] });
    expect((await signed(server, ['positions'])).stdout).toMatch(/text-prime +3 +2\.5 /);
    expect((await signed(server, ['trades'])).stdout).toMatch(/text-prime +- +4 +2\.4900 .*order_1/);
  });

  it('is moved between trading and consumption', async () => {
    const moved = { status: 200, body: { data: { transfer_id: 'transfer_1' } } };
    const server = await gridServer({
      'POST /v1/transfers/trading-to-consumption': moved,
      'POST /v1/transfers/consumption-to-trading': moved,
    });
    const there = await signed(server, ['transfer', 'to-consumption', 'text-prime', '3']);
    expect(there.stdout).toBe('Moved 3 units of text-prime to consumption.\n');
    const back = await signed(server, ['transfer', 'to-trading', 'text-prime', '1']);
    expect(back.stdout).toBe('Moved 1 unit of text-prime to trading.\n');
    const json = await signed(server, ['transfer', 'to-trading', 'text-prime', '2', '--json']);
    expect(JSON.parse(json.stdout)).toEqual({ transfer_id: 'transfer_1' });
    const bodies = server.requests.map(({ body }) => body);
    expect(bodies).toMatchObject([3, 1, 2].map((quantity) => ({ instrument_id: 'text-prime', quantity })));
  });
});

describe('what the server refuses', () => {
  it('is a sentence with a hint and the request id, and its code for programs', async () => {
    const script = { 'POST /v1/orders': refused(401, 'unknown_key', 'The key is not registered.') };
    const server = await gridServer(script);
    const words = ['orders', 'place', 'buy', 'text-prime', '1', '--price', '1'];
    const human = await signed(server, words);
    expect(human).toMatchObject({ code: 1, stdout: '' });
    expect(human.stderr).toContain('The key is not registered.');
    expect(human.stderr).toContain('opengrid keys register');
    expect(human.stderr).toContain('req_1');
    const machine = await signed(server, [...words, '--json']);
    expect(JSON.parse(machine.stderr)).toMatchObject({ error: { code: 'unknown_key' } });
  });

  it('cannot be told from a server that is not there, which is said', async () => {
    const result = await runCli(['markets', '--url', 'http://127.0.0.1:9', '--json']);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code: 'no_answer' } });
    expect(await runCli(['book', 'text-prime', '--url', 'http://127.0.0.1:9'])).toMatchObject({ code: 1 });
    expect(await runCli(['markets', '--url', 'localhost'])).toMatchObject({ code: 2 });
  });
});

describe('market data', () => {
  const book = {
    sequence: 7,
    bids: [{ price: '2.5000', quantity: 7 }],
    asks: [{ price: '2.5100', quantity: 4 }],
  };

  it('need no key, and one that cannot be read does not matter', async () => {
    const server = await gridServer({
      'GET /v1/markets': page([{ market_id: 'market-1', symbol: 'text-prime', trading_state: 'open' }]),
      'GET /v1/markets/market-1/ticker': { status: 200, body: { data: { bid: '2.5000', ask: null } } },
    });
    const result = await server.cli(['markets'], { env: { OPENGRID_KEY_FILE: '/nowhere.pem' } });
    expect(result.stdout.split('\n')[1]).toMatch(/^text-prime +open +2\.5000 +- +- +-$/);
  });

  it('print a book once, for people and for programs', async () => {
    const server = await gridServer({
      'GET /v1/markets/text-prime/orderbook?depth=2': { status: 200, body: { data: book } },
    });
    const words = ['book', 'text-prime', '--depth', '2', '--once'];
    const human = await server.cli(words);
    expect(human.stdout).toMatch(/^text-prime {2}sequence 7\n.*\n +7 +2\.5000 {2}2\.5100 +4\n$/);
    expect(JSON.parse((await server.cli([...words, '--json'])).stdout)).toEqual(book);
    expect(await server.cli(['book', 'text-prime', '--depth', '0'])).toMatchObject({ code: 2 });
  });

  it.each([
    [[], '7 bid 2.5000 x 7 ask 2.5100 x 4\n'],
    [['--json'], expect.stringMatching(/^\{"market_id":"text-prime","sequence":7,.*\}\n$/)],
  ])('follow a book until they are interrupted: %j', async (words, expected) => {
    const server = await gridServer();
    const levels = { bids: [['2.5000', '7']], asks: [['2.5100', '4']] };
    // CRC-32 of "2.5100:4;2.5000:7".
    server.setBook({ market_id: 'text-prime', seq: 7, ...levels, checksum: 707008339 });
    const child = spawn(process.execPath, [command, 'book', 'text-prime', '--url', server.origin, ...words]);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, output]).toEqual([0, expected]);
  });
});
