import { KIND } from '@opengrid/exchange';
import { GridFailure } from '@opengrid/wire';
import { describe, expect, it } from 'vitest';
import { accepted, BUYER, openSequencer, RULES } from '../sequencer/testing.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import { forEachStore } from '../store/testing.ts';
import { parseBaseUrl } from './base-url.ts';
import { OPENAI_CAPABILITIES } from './capabilities.ts';
import { type NewSupplier, SupplierRegistry } from './registry.ts';
import { hintOf, Vault, VaultError } from './vault.ts';

const KEY = Buffer.alloc(32, 3);
const CREDENTIAL = 'sk-upstream-0123456789wxyz';
const NOW_MS = 1_767_225_600_000;
const INSTRUMENT = 1;

const INPUT: NewSupplier = {
  name: 'My Ollama',
  baseUrl: 'http://localhost:11434/v1',
  credential: CREDENTIAL,
  upstreamModel: 'llama3.2',
  capabilities: OPENAI_CAPABILITIES,
  maxConcurrency: 8,
  instruments: [INSTRUMENT],
};

describe('base URLs', () => {
  it.each([
    ['https://api.example.com/v1/', 'https://api.example.com/v1'],
    ['https://api.example.com:8443', 'https://api.example.com:8443'],
    ['HTTPS://API.example.com:443/v1//', 'https://api.example.com/v1'],
  ])('%s is fine for everybody', (text, value) => {
    expect(parseBaseUrl(text, { allowPrivate: false })).toEqual({ ok: true, value });
  });

  it.each(['http://localhost:11434/v1', 'http://10.0.0.5/v1', 'http://127.0.0.1:8000'])(
    '%s is fine where private addresses are allowed, and only there',
    (text) => {
      expect(parseBaseUrl(text, { allowPrivate: true }).ok).toBe(true);
      expect(parseBaseUrl(text, { allowPrivate: false }).ok).toBe(false);
    },
  );

  it.each([
    'nonsense',
    'ftp://example.com',
    'file:///etc/passwd',
    'https://user@example.com',
    'https://user:password@example.com',
    'https://example.com/v1?key=x',
    'https://example.com/v1#x',
    'https://example.com:22',
    `https://example.com/${'x'.repeat(300)}`,
  ])('%s is refused for everybody', (text) => {
    expect(parseBaseUrl(text, { allowPrivate: true })).toMatchObject({
      error: { code: 'validation_failed' },
    });
  });
});

describe('the vault', () => {
  const vault = new Vault(KEY);

  it('opens what it sealed, and seals the same text differently each time', () => {
    const [first, second] = [vault.seal(CREDENTIAL, 'endpoint_1'), vault.seal(CREDENTIAL, 'endpoint_1')];
    expect(vault.open(first, 'endpoint_1')).toBe(CREDENTIAL);
    expect(first.equals(second)).toBe(false);
    expect(first.toString('latin1')).not.toContain(CREDENTIAL.slice(0, 8));
  });

  it('opens nothing for another owner, with another key, or when a bit was turned', () => {
    const sealed = vault.seal(CREDENTIAL, 'endpoint_1');
    expect(() => vault.open(sealed, 'endpoint_2')).toThrow(VaultError);
    expect(() => new Vault(Buffer.alloc(32, 4)).open(sealed, 'endpoint_1')).toThrow(VaultError);
    for (const index of [0, 5, 15, sealed.length - 1]) {
      const turned = Buffer.from(sealed);
      turned[index] = (turned[index] ?? 0) ^ 1;
      expect(() => vault.open(turned, 'endpoint_1')).toThrow(VaultError);
    }
    expect(() => vault.open(Buffer.alloc(0), 'endpoint_1')).toThrow(VaultError);
  });

  it('hints at long credentials only', () => {
    expect([hintOf(CREDENTIAL), hintOf('short')]).toEqual(['wxyz', '']);
  });
});

interface Setting {
  readonly registry: SupplierRegistry;
  readonly sequencer: Sequencer;
  reopen(): Promise<SupplierRegistry>;
}

async function openRegistry(database: Database): Promise<Setting> {
  const sequencer = await openSequencer(database);
  await accepted(sequencer, { kind: 'open_market', instrument: INSTRUMENT, rules: RULES });
  await accepted(sequencer, { kind: 'open_market', instrument: INSTRUMENT + 1, rules: RULES });
  for (const no of [INSTRUMENT, INSTRUMENT + 1]) {
    await database.query({
      text: `insert into instruments values ($1, 'i' || $1, 'm' || $1, 's' || $1, 'n', 'f', 't', 'live', 'active', 1,
               '{}', 0, 0)`.replaceAll('$1', String(no)),
    });
  }
  let nextAccount = 7_000;
  const openAccount = async ({ email, name }: { email: string; name: string }) => {
    const accountNumber = nextAccount++;
    await database.query({
      text: `insert into accounts values ($1, $2, $3, $4, 'advanced', 'member', true, '{}', 0, 0)`,
      values: [accountNumber, `user_${accountNumber}`, email, name],
    });
    await accepted(sequencer, { kind: 'open_account', account: accountNumber });
    return { accountNumber };
  };
  const deps = { database, sequencer, vault: new Vault(KEY), openAccount, clock: () => NOW_MS };
  const reopen = () => SupplierRegistry.open(deps);
  return { registry: await reopen(), sequencer, reopen };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    return error instanceof GridFailure ? error.error.code : 'other';
  }
}

forEachStore('suppliers', (open) => {
  it('are in service at once, waived, with an account of their own and a sealed credential', async () => {
    const { database } = await open();
    const { registry, reopen } = await openRegistry(database);
    const { supplier, endpointId } = await registry.add(INPUT);
    expect(supplier).toMatchObject({ displayName: 'My Ollama', status: 'approved', isManaged: false });
    for (const directory of [registry, await reopen()]) {
      expect(directory.endpointsFor(INSTRUMENT)).toEqual([
        expect.objectContaining({
          endpointId,
          supplierId: supplier.supplierId,
          supplierAccount: supplier.accountNumber,
          baseUrl: 'http://localhost:11434/v1',
          credential: CREDENTIAL,
          servedModel: 'llama3.2',
          qualification: 'waived',
          allowPrivate: true,
          capabilities: OPENAI_CAPABILITIES,
        }),
      ]);
      expect(directory.endpointsFor(INSTRUMENT + 1)).toEqual([]);
      expect(directory.supplierByAccount(supplier.accountNumber)).toEqual(supplier);
    }
    const { rows } = await database.query<Record<string, unknown>>({ text: 'select * from endpoints' });
    expect(Buffer.from(String(Object.values(rows[0] ?? {}).map(String))).toString()).not.toContain(
      CREDENTIAL,
    );
    expect(JSON.stringify(registry.list())).not.toContain(CREDENTIAL);
  });

  it('sell issued units at the price that was asked, in orders the market takes', async () => {
    const { database } = await open();
    const { registry, sequencer } = await openRegistry(database);
    const { supplier } = await registry.add(INPUT);
    const offer = { instrumentNo: INSTRUMENT, quantityUnits: 12_000, priceTicks: 9_000 };
    expect(await registry.offer(supplier.supplierId, offer)).toHaveLength(2);
    expect(sequencer.exchange.depth(INSTRUMENT, 'sell', 5)).toEqual([
      { priceTicks: 9_000, quantity: 12_000, orderCount: 2 },
    ]);
    const { accountNumber } = supplier;
    expect(sequencer.exchange.balance(KIND.issuance, accountNumber, INSTRUMENT)).toBe(0);
  });

  it('tell when an offer does not rest', async () => {
    const { database } = await open();
    const { registry, sequencer } = await openRegistry(database);
    const { supplier } = await registry.add(INPUT);
    const offer = { instrumentNo: INSTRUMENT, quantityUnits: 5, priceTicks: 9_000 };
    await accepted(sequencer, { kind: 'set_trading_state', instrument: INSTRUMENT, state: 'cancel_only' });
    expect(await codeOf(registry.offer(supplier.supplierId, offer))).toBe('market_not_open');
    await accepted(sequencer, { kind: 'set_trading_state', instrument: INSTRUMENT, state: 'open' });
    await accepted(sequencer, { kind: 'open_account', account: BUYER });
    await accepted(sequencer, { kind: 'credit', account: BUYER, origin: 'card', amountMicros: 100_000_000 });
    const bid = { side: 'buy', type: 'limit', quantityUnits: 1, timeInForce: 'gtc' } as const;
    for (const priceTicks of [50_000, 9_000]) {
      await accepted(sequencer, {
        kind: 'place_order',
        account: BUYER,
        instrument: INSTRUMENT,
        ...bid,
        priceTicks,
      });
    }
    expect(await codeOf(registry.offer(supplier.supplierId, offer))).toBe('price_outside_collar');
    expect(await codeOf(registry.offer('supplier_unknown', offer))).toBe('not_found');
  });

  it('keep one endpoint for a model at an address, whatever it serves', async () => {
    const { database } = await open();
    const { registry } = await openRegistry(database);
    const first = await registry.add(INPUT);
    const second = await registry.add({ ...INPUT, credential: null, instruments: [INSTRUMENT + 1] });
    expect(second).toEqual(first);
    expect(registry.endpointsFor(INSTRUMENT + 1)[0]).toMatchObject({
      endpointId: first.endpointId,
      credential: CREDENTIAL,
    });
    await registry.add({ ...INPUT, credential: 'sk-upstream-rotated-1234' });
    expect(registry.endpointsFor(INSTRUMENT)[0]?.credential).toBe('sk-upstream-rotated-1234');
    const other = await registry.add({ ...INPUT, upstreamModel: 'qwen3' });
    expect(other.endpointId).not.toBe(first.endpointId);
    expect(other.supplier).toEqual(first.supplier);
    expect(registry.list()).toHaveLength(1);
    expect(registry.endpointsFor(INSTRUMENT)).toHaveLength(2);
  });

  it('get no requests while they are paused, over restarts', async () => {
    const { database } = await open();
    const { registry, reopen } = await openRegistry(database);
    const { supplier } = await registry.add(INPUT);
    await registry.setPaused(supplier.supplierId, { isPaused: true });
    expect(registry.endpointsFor(INSTRUMENT)).toEqual([]);
    const again = await reopen();
    expect(again.endpointsFor(INSTRUMENT)).toEqual([]);
    await again.setPaused(supplier.supplierId, { isPaused: false });
    expect(again.endpointsFor(INSTRUMENT)).toHaveLength(1);
  });

  it('leave the built-in one to the program, which moves it and takes it out of service', async () => {
    const { database } = await open();
    const { registry } = await openRegistry(database);
    await registry.setBuiltin({ baseUrl: 'http://127.0.0.1:5000/v1', apiKey: 'ignored' });
    expect(registry.list()).toEqual([]);
    const { supplier } = await registry.add({ ...INPUT, name: 'Built in', isBuiltin: true });
    expect(registry.builtin()).toEqual(supplier);
    await registry.setBuiltin({ baseUrl: 'http://127.0.0.1:5000/v1', apiKey: 'key-of-this-start' });
    expect(registry.endpointsFor(INSTRUMENT)).toEqual([
      expect.objectContaining({ baseUrl: 'http://127.0.0.1:5000/v1', credential: 'key-of-this-start' }),
    ]);
    await registry.setBuiltin(undefined);
    expect(registry.endpointsFor(INSTRUMENT)).toEqual([]);
    expect(await codeOf(registry.add({ ...INPUT, name: 'Built in' }))).toBe('validation_failed');
  });

  it('are no more served when they are suspended, and take no new endpoint', async () => {
    const { database } = await open();
    const { registry } = await openRegistry(database);
    await registry.add(INPUT);
    await database.query({ text: `update suppliers set status = 'suspended'` });
    await registry.reload();
    expect(registry.endpointsFor(INSTRUMENT)).toEqual([]);
    expect(await codeOf(registry.add(INPUT))).toBe('supplier_not_approved');
  });

  it('cannot be opened with another secret', async () => {
    const { database } = await open();
    const { registry, sequencer } = await openRegistry(database);
    await registry.add(INPUT);
    const vault = new Vault(Buffer.alloc(32, 9));
    const openAccount = async () => ({ accountNumber: 1 });
    await expect(SupplierRegistry.open({ database, sequencer, vault, openAccount })).rejects.toThrow(
      VaultError,
    );
  });
});
