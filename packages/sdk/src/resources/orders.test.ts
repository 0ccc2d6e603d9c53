import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OpenGrid, type OpenGridOptions } from '../client.ts';
import { hasSignature, isSigned, testSeed, testSigner } from '../testing/key.ts';
import { type Answer, type Received, serve } from '../testing/scripted-server.ts';

const order = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 2, price: '0.9000' } as const;
const placed: Answer = { status: 201, body: { data: { id: 'order_1', status: 'active' } } };
const vanish: Answer = (response) => void response.destroy();

const refusal = (status: number, code: string, more: object = {}): Answer => ({
  status,
  headers: { 'retry-after': '0' },
  body: { errors: { code, detail: code, message: 'Refused.', ...more } },
});

const open = async (origin: string, options: Partial<OpenGridOptions> = {}): Promise<OpenGrid> =>
  new OpenGrid({ baseUrl: origin, signer: await testSigner(), ...options });

const clientIds = (requests: readonly Received[]): unknown[] =>
  requests
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => (JSON.parse(body) as { client_order_id?: string }).client_order_id);

/** The clock of this process, moved by hand; timers run on. */
const setTime = (iso: string): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(iso) });
  onTestFinished(() => void vi.useRealTimers());
};

describe('placing an order', () => {
  it('signs exactly what is sent and makes up an id', async () => {
    const server = await serve(placed);
    const grid = await open(server.origin);
    expect(await grid.orders.place(order)).toMatchObject({ id: 'order_1' });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', url: '/v1/orders' });
    expect(hasSignature(request!)).toBe(true);
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request!.body)).toEqual({
      ...order,
      client_order_id: expect.stringMatching(/^\w{32}$/),
    });
  });

  it('keeps the id that is given and writes dates as times', async () => {
    const server = await serve(placed);
    const expiry = { time_in_force: 'gtd', expire_at: new Date('2030-01-01T00:00:00Z') } as const;
    await (await open(server.origin)).orders.place({ ...order, ...expiry, client_order_id: 'mine-1' });
    const expected = { client_order_id: 'mine-1', expire_at: '2030-01-01T00:00:00.000Z' };
    expect(JSON.parse(server.requests[0]!.body)).toMatchObject(expected);
  });

  it('repeats with the same id and a new signature when the answer is lost', async () => {
    setTime('2026-01-01T00:00:00Z');
    const later: Answer = (response) => {
      vi.setSystemTime(new Date('2026-01-01T00:00:07Z'));
      response.destroy();
    };
    const server = await serve(later, refusal(503, 'overloaded'), placed);
    await (await open(server.origin)).orders.place(order);
    const ids = clientIds(server.requests);
    expect(ids).toEqual([ids[0], ids[0], ids[0]]);
    expect(server.requests.map(({ headers }) => headers['x-thegrid-timestamp'])).toEqual([
      '1767225600',
      '1767225607',
      '1767225607',
    ]);
    expect(server.requests.every(hasSignature)).toBe(true);
  });

  it('looks the order up where the outcome is unknown', async () => {
    const found: Answer = { body: { data: { id: 'order_9', status: 'filled' } } };
    const server = await serve(refusal(500, 'outcome_unknown'), found);
    const result = await (await open(server.origin)).orders.place({ ...order, client_order_id: 'mine-2' });
    expect(result).toMatchObject({ id: 'order_9', status: 'filled' });
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/orders',
      'GET /v1/orders/by-client-id/mine-2',
    ]);
  });

  it('places it again under the same id when nobody knows it', async () => {
    const server = await serve(refusal(500, 'outcome_unknown'), refusal(404, 'order_not_found'), placed);
    expect(await (await open(server.origin)).orders.place(order)).toMatchObject({ id: 'order_1' });
    const ids = clientIds(server.requests);
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(ids[0]);
  });

  it.each([
    [400, 'insufficient_balance'],
    [422, 'price_outside_collar'],
    [500, 'internal_error'],
    [409, 'duplicate_client_order_id'],
  ])('is not repeated after %i %s', async (status, code) => {
    const server = await serve(refusal(status, code), placed);
    await expect((await open(server.origin)).orders.place(order)).rejects.toMatchObject({ status, code });
    expect(server.requests).toHaveLength(1);
  });
});

describe('a clock that is off', () => {
  const expired = refusal(401, 'timestamp_expired', { server_time: '2026-01-01T01:00:00.000Z' });

  it('is set by the server once and stays set', async () => {
    setTime('2026-01-01T00:00:00Z');
    const server = await serve(expired, placed);
    const grid = await open(server.origin, { maxRetries: 0 });
    await grid.orders.place(order);
    await grid.orders.place(order);
    const times = server.requests.map(({ headers }) => headers['x-thegrid-timestamp']);
    expect(times).toEqual(['1767225600', '1767229200', '1767229200']);
    const ids = clientIds(server.requests);
    expect(ids[1]).toBe(ids[0]);
  });

  it('that cannot be set is an error', async () => {
    setTime('2026-01-01T00:00:00Z');
    const server = await serve(expired);
    const failing = (await open(server.origin)).orders.place(order);
    await expect(failing).rejects.toMatchObject({ code: 'timestamp_expired' });
    expect(server.requests).toHaveLength(2);
  });
});

describe('the strict scheme', () => {
  it('covers host and query and spends a nonce on each attempt', async () => {
    const page = { body: { data: [], paging: { next_cursor: null, prev_cursor: null, has_more: false } } };
    const server = await serve(refusal(503, 'overloaded'), page);
    const grid = await open(server.origin, { signatureScheme: 'strict', receiveWindowMs: 5_000 });
    await grid.orders.list({ status: ['active', 'filled'] });
    const nonces = server.requests.map(({ headers }) => headers['x-thegrid-nonce']);
    expect(new Set(nonces).size).toBe(2);
    for (const { headers, url } of server.requests) {
      expect(headers['x-thegrid-recv-window']).toBe('5000');
      const [path, query] = url.split('?');
      const hash = createHash('sha256').update('').digest('hex');
      const first = ['opengrid-v2', headers['x-thegrid-timestamp'], headers['x-thegrid-nonce'], 'GET'];
      const text = [...first, headers.host, path, query, hash].join('\n');
      expect(isSigned(text, headers['x-thegrid-signature'])).toBe(true);
    }
  });
});

describe('credentials', () => {
  const both = { apiKey: 'sk-or-v1-test' };

  it('are a signature on Trading routes and the key elsewhere, never both', async () => {
    const server = await serve({ body: { data: {} } });
    const grid = await open(server.origin, both);
    await grid.account.me();
    await grid.markets.ticker('text-prime');
    await grid.usage.retrieve('req_1');
    const sent = server.requests.map(({ headers }) => [
      headers['x-thegrid-signature'] !== undefined,
      headers.authorization !== undefined,
    ]);
    expect(sent).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
  });

  it('are the key where nobody can sign', async () => {
    const server = await serve({ body: { data: { count: 0, by_market: [] } } });
    await new OpenGrid({ baseUrl: server.origin, ...both }).orders.count();
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-or-v1-test');
  });

  it('sign the path as it is sent, below a prefix too', async () => {
    const server = await serve({ body: { data: {} } });
    await (await open(`${server.origin}/grid`)).account.me();
    expect(server.requests[0]?.url).toBe('/grid/v1/me');
    expect(hasSignature(server.requests[0]!)).toBe(true);
  });

  it('stay out of the printed client and of its errors', async () => {
    const server = await serve(refusal(401, 'invalid_signature'));
    const grid = await open(server.origin, both);
    const error = await grid.orders.place(order).catch((caught: unknown) => caught);
    const sent = String(server.requests[0]?.headers['x-thegrid-signature']);
    for (const value of [grid, error]) {
      const shown = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value);
      for (const secret of [testSeed, sent, both.apiKey]) expect(shown).not.toContain(secret);
    }
  });

  it('that fail to sign are told as they failed', async () => {
    const signer = { fingerprint: 'x', sign: () => Promise.reject(new Error('the vault is locked')) };
    const grid = new OpenGrid({ baseUrl: 'http://127.0.0.1:9', signer });
    await expect(grid.account.me()).rejects.toThrow('the vault is locked');
  });
});

describe('cancelling', () => {
  it('is done with 204, and with 200 where it was done before', async () => {
    const before: Answer = { body: { data: { id: 'order_1' }, already_cancelled: true } };
    const server = await serve({ status: 204, text: '' }, before);
    const { orders } = await open(server.origin);
    expect(await orders.cancel('order_1')).toEqual({ already_cancelled: false, order: null });
    expect(await orders.cancel('order_1')).toEqual({ already_cancelled: true, order: { id: 'order_1' } });
    expect(server.requests[0]).toMatchObject({ method: 'DELETE', url: '/v1/orders/order_1', body: '' });
  });

  it('is repeated when the answer is lost or unknown', async () => {
    const server = await serve(vanish, refusal(500, 'outcome_unknown'), { status: 204, text: '' });
    expect(await (await open(server.origin)).orders.cancel('order_1')).toMatchObject({ order: null });
    expect(server.requests).toHaveLength(3);
  });
});

describe('moving units', () => {
  const moved: Answer = { body: { data: { transfer_id: 'transfer_1' } } };

  it('is repeated under one idempotency key when the answer is lost', async () => {
    const server = await serve(vanish, moved);
    const move = { instrument_id: 'text-prime', quantity: 2 };
    expect(await (await open(server.origin)).transfers.toConsumption(move)).toEqual({
      transfer_id: 'transfer_1',
    });
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^\w{32}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('twice within a second is two movements, because the key is signed', async () => {
    setTime('2026-01-01T00:00:00Z');
    const server = await serve(moved);
    const { transfers } = await open(server.origin);
    await transfers.toConsumption({ instrument_id: 'text-prime', quantity: 2 });
    await transfers.toConsumption({ instrument_id: 'text-prime', quantity: 2 });
    const signatures = server.requests.map(({ headers }) => headers['x-thegrid-signature']);
    expect(new Set(signatures).size).toBe(2);
    for (const { body, headers } of server.requests)
      expect(JSON.parse(body)).toMatchObject({ idempotency_key: headers['idempotency-key'] });
  });

  it('is left to the caller where the outcome is unknown', async () => {
    const server = await serve(refusal(500, 'outcome_unknown'), moved);
    const issuing = (await open(server.origin)).supply.issue(
      { instrument_id: 'text-prime', quantity: 2 },
      { idempotencyKey: 'batch-7' },
    );
    await expect(issuing).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['batch-7']);
  });
});
