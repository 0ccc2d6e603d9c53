import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadCatalogue } from '../platform/catalogue.ts';
import { ensureMarkets } from '../platform/markets.ts';
import { SigningKeys } from '../platform/signing-keys.ts';
import { openPlatform, type Platform } from '../platform/testing.ts';
import { silentTelemetry } from '../sequencer/testing.ts';
import { openEmbeddedStore, type TestStore } from '../store/testing.ts';
import { SupplierRegistry } from '../suppliers/registry.ts';
import { Vault } from '../suppliers/vault.ts';
import { bindActs } from './acts.ts';
import { startAdminSocket } from './admin-socket.ts';
import { placeAdminSocket } from './admin-socket-file.ts';

const CREDENTIAL = 'sk-upstream-0123456789wxyz';

interface Answer {
  readonly status: number;
  readonly body: { data?: unknown; errors?: { code: string; message: string; detail: unknown } } | undefined;
}

let folder: string;
let store: TestStore;
let platform: Platform;
let app: FastifyInstance;
let suppliers: SupplierRegistry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opengrid-admin-'));
  store = await openEmbeddedStore();
  const { database } = store;
  platform = await openPlatform(database);
  const { sequencer, accounts, keys } = platform;
  const instruments = await loadCatalogue(database);
  await ensureMarkets(sequencer, instruments);
  suppliers = await SupplierRegistry.open({
    database,
    sequencer,
    vault: new Vault(Buffer.alloc(32, 1)),
    openAccount: async ({ email, name }) => {
      const opened = await accounts.create({ email, name, mode: 'advanced', isEmailVerified: true });
      if (!opened.ok) throw new Error('refused');
      return opened.value;
    },
  });
  const signingKeys = await SigningKeys.load({ database, accounts });
  const acts = bindActs({
    database,
    sequencer,
    accounts,
    keys,
    signingKeys,
    status: () => ({ version: 'test' }),
  });
  app = await startAdminSocket({
    dataFolder: folder,
    acts,
    suppliers,
    strikes: { active: async () => [] },
    instruments,
    telemetry: silentTelemetry,
  });
});

afterAll(async () => {
  await app.close();
  await platform.sequencer.close();
  await store.close();
  await rm(folder, { recursive: true });
});

function send(socketPath: string, call: { method: string; path: string; body?: string }): Promise<Answer> {
  const { method, path, body } = call;
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers }, async (answer) => {
      let text = '';
      for await (const part of answer) text += part;
      resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
    });
    outgoing.on('error', reject).end(body);
  });
}

function get(path: string): Promise<Answer> {
  return send(join(folder, 'admin.sock'), { method: 'GET', path });
}

function post(path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return send(join(folder, 'admin.sock'), { method: 'POST', path, ...text });
}

function supplier(overrides: Record<string, unknown> = {}) {
  return {
    name: 'My Ollama',
    base_url: 'http://localhost:11434/v1/',
    key: CREDENTIAL,
    model: 'llama3.2',
    dialect: 'openai',
    instrument: 'text-prime',
    price: '0.90',
    units: 500,
    ...overrides,
  };
}

describe('suppliers', () => {
  it('are added with one command, which rests their units on the book and never shows the credential', async () => {
    const added = await post('/suppliers', supplier());
    expect(added).toMatchObject({
      status: 201,
      body: {
        data: {
          display_name: 'My Ollama',
          status: 'approved',
          order_ids: [expect.stringMatching(/^order_/)],
          endpoints: [
            {
              base_url: 'http://localhost:11434/v1',
              served_model: 'llama3.2',
              credential_hint: 'wxyz',
              state: 'qualified',
            },
          ],
        },
      },
    });
    const text = JSON.stringify([added, await get('/suppliers')]);
    expect(text).not.toContain(CREDENTIAL);
    const { exchange } = platform.sequencer;
    expect(exchange.depth(2, 'sell', 5)).toEqual([{ priceTicks: 9_000, quantity: 500, orderCount: 1 }]);
  });

  it('serve nothing while they are paused', async () => {
    const id = suppliers.list()[0]?.supplierId ?? '';
    expect((await post(`/suppliers/${id}/pause`)).status).toBe(204);
    expect(suppliers.endpointsFor(2)).toEqual([]);
    expect((await post(`/suppliers/${id}/resume`)).status).toBe(204);
    expect(suppliers.endpointsFor(2)).toHaveLength(1);
    expect((await post('/suppliers/supplier_unknown/pause')).status).toBe(404);
  });

  it.each([
    [{ dialect: 'grok' }, 'dialect'],
    [{ instrument: 'gpt-4o' }, 'instrument'],
    [{ instrument: 'kimi-latest' }, 'instrument'],
    [{ price: '0' }, 'price'],
    [{ price: '0.00001' }, 'price'],
    [{ price: '99999999999' }, 'price'],
    [{ units: 0 }, 'units'],
    [{ base_url: 'ftp://example.com' }, 'base_url'],
    [{ base_url: 'https://u:p@example.com' }, 'base_url'],
    [{ key: `${CREDENTIAL}\r\nx: y` }, 'key'],
    [{ name: '' }, 'name'],
  ])('are refused with %j, and leave nothing behind', async (overrides, field) => {
    const before = [platform.sequencer.exchange.lastSeq, suppliers.list().length];
    const refused = await post('/suppliers', supplier({ name: 'Another', ...overrides }));
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: { code: 'validation_failed', detail: { [field]: [expect.any(String)] } } },
    });
    expect(JSON.stringify(refused)).not.toContain(CREDENTIAL);
    expect([platform.sequencer.exchange.lastSeq, suppliers.list().length]).toEqual(before);
  });
});

describe('accounts and keys', () => {
  const email = `${'a'.repeat(120)}+tag@example.com`;

  it('are created, credited and listed', async () => {
    expect(await post('/accounts', { email, name: 'Ada' })).toMatchObject({
      status: 201,
      body: { data: { email, mode: 'easy', role: 'member', balance_usd: '0.000000' } },
    });
    const credit = await post(`/accounts/${encodeURIComponent(email)}/credit`, { amount: '25.00' });
    expect(credit).toMatchObject({ status: 200, body: { data: { balance_usd: '25.000000' } } });
    const { body } = await get('/accounts');
    expect(body?.data).toContainEqual(expect.objectContaining({ email, balance_usd: '25.000000' }));
    expect(await post('/accounts', { email })).toMatchObject({
      status: 422,
      body: { errors: { detail: { email: ['is in use'] } } },
    });
  });

  it.each(['0', '-1', '0.0000001', '1000001', 'x'])('are not credited with %s', async (amount) => {
    const refused = await post(`/accounts/${encodeURIComponent(email)}/credit`, { amount });
    expect(refused.status).toBe(422);
    expect((await get('/accounts')).body?.data).toContainEqual(
      expect.objectContaining({ email, balance_usd: '25.000000' }),
    );
  });

  it('change their mode, unless they are a supplier', async () => {
    const path = (reference: string) => `/accounts/${encodeURIComponent(reference)}/mode`;
    expect((await post(path(email), { mode: 'advanced' })).status).toBe(204);
    expect(platform.accounts.find(email)?.mode).toBe('advanced');
    const owner = platform.accounts.byNumber(suppliers.list()[0]?.accountNumber ?? 0)?.userId ?? '';
    expect(await post(path(owner), { mode: 'easy' })).toMatchObject({ status: 422 });
    expect(platform.sequencer.exchange.depth(2, 'sell', 1)).toHaveLength(1);
    expect((await post(path('nobody'), { mode: 'easy' })).status).toBe(404);
  });

  it('open the exchange until they are revoked', async () => {
    const created = await post('/keys', { account: email, name: 'laptop', scopes: ['inference'] });
    expect(created.status).toBe(201);
    const data: unknown = created.body?.data;
    const { key, id } = data as { key: string; id: string };
    expect(platform.keys.authenticate({ xApiKey: key }).ok).toBe(true);
    expect(JSON.stringify(await get('/keys'))).not.toContain(key.slice(17));
    expect((await post(`/keys/${id}/revoke`)).status).toBe(204);
    expect(platform.keys.authenticate({ xApiKey: key })).toMatchObject({
      error: { code: 'api_key_revoked' },
    });
    expect((await post('/keys/key_unknown/revoke')).status).toBe(404);
    expect((await post('/keys', { account: 'nobody', name: 'x' })).status).toBe(404);
  });
});

describe('the rest', () => {
  it('verifies the ledger and tells the status', async () => {
    const { body } = await post('/ledger/verify');
    expect(body?.data).toMatchObject({ ok: true, commandSeq: platform.sequencer.exchange.lastSeq });
    expect((await get('/status')).body?.data).toEqual({ version: 'test' });
  });

  it('answers what it does not understand in the envelope', async () => {
    const path = join(folder, 'admin.sock');
    const broken = await send(path, { method: 'POST', path: '/accounts', body: '{"email": "secret' });
    expect(broken).toMatchObject({ status: 400, body: { errors: { code: 'invalid_request' } } });
    expect(JSON.stringify(broken)).not.toContain('secret');
    expect(await get('/nonsense')).toMatchObject({ status: 404, body: { errors: { code: 'not_found' } } });
  });
});

describe('the socket file', () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function bind(dataFolder: string) {
    const server = createServer((_request, response) => response.end('{}'));
    const listen = (path: string) => new Promise<void>((resolve) => void server.listen(path, resolve));
    const unlink = await placeAdminSocket(dataFolder, listen);
    closers.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    return unlink;
  }

  async function scratch(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'og-test-'));
    closers.push(() => rm(made, { recursive: true }));
    return made;
  }

  it('is for its owner only, and nothing else is left beside it', async () => {
    expect((await stat(join(folder, 'admin.sock'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['admin.sock']);
  });

  it('takes the place of one that a killed process left', async () => {
    const data = await scratch();
    await writeFile(join(data, 'admin.sock'), '');
    await bind(data);
    expect((await stat(join(data, 'admin.sock'))).isSocket()).toBe(true);
  });

  it('is removed at the end, unless another process has put its own there', async () => {
    const data = await scratch();
    const first = await bind(data);
    const second = await bind(data);
    await first();
    expect(await readdir(data)).toEqual(['admin.sock']);
    await second();
    expect(await readdir(data)).toEqual([]);
  });

  it('fits into a data folder whose path is longer than a socket address', async () => {
    const root = await scratch();
    const data = join(root, 'd'.repeat(120), 'data');
    await mkdir(data, { recursive: true });
    await bind(data);
    expect(await readdir(data)).toEqual(['admin.sock']);
    // Another name of the folder is short enough to connect through.
    await symlink(data, join(root, 's'));
    const answer = await send(join(root, 's', 'admin.sock'), { method: 'GET', path: '/' });
    expect(answer).toEqual({ status: 200, body: {} });
  });
});

describe('signing keys', () => {
  const publicKey = 'A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=';

  it('are registered for an account, listed and revoked', async () => {
    await post('/accounts', { email: 'desk@example.com', mode: 'advanced' });
    const challenge = await post('/signing-keys/challenges');
    expect(challenge.status).toBe(201);
    const made = await post('/signing-keys', {
      account: 'desk@example.com',
      label: 'desk',
      public_key: publicKey,
      require_nonce: true,
    });
    expect(made.status).toBe(201);
    expect(made.body?.data).toMatchObject({
      label: 'desk',
      fingerprint: 'Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw',
      fingerprint_prefix: 'Vkdap1Rj',
      public_key: publicKey,
      require_nonce: true,
      is_active: true,
    });
    const { id } = (made.body?.data ?? {}) as { id: string };
    expect((await post(`/signing-keys/${id}/revoke`)).status).toBe(204);
    expect((await post('/signing-keys/skey_none/revoke')).status).toBe(404);
    expect((await get('/signing-keys')).body?.data).toMatchObject([{ id, is_active: false }]);
  });

  it('are refused with a name', async () => {
    const input = { account: 'desk@example.com', label: 'x' };
    const weak = await post('/signing-keys', { ...input, public_key: Buffer.alloc(32).toString('base64') });
    expect([weak.status, weak.body?.errors?.code]).toEqual([422, 'public_key_invalid']);
    const unproven = await post('/signing-keys', {
      ...input,
      public_key: Buffer.alloc(32, 0x58).fill(0x66, 1).toString('base64'),
      challenge: 'chal_unknown',
      proof: 'x',
    });
    expect(unproven.body?.errors?.code).toMatch(/public_key_invalid|proof_of_possession_invalid/);
    expect((await post('/signing-keys', input)).body?.errors?.code).toBe('validation_failed');
  });
});
