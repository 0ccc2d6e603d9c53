import { createHmac } from 'node:crypto';
import { isWellFormedConsumptionKey } from '@opengrid/wire';
import { describe, expect, it } from 'vitest';
import type { Authentication } from '../ports/identity.ts';
import { accepted } from '../sequencer/testing.ts';
import { forEachStore } from '../store/testing.ts';
import { ConsumptionKeys } from './keys.ts';
import { readPresented } from './presented.ts';
import { account, openPlatform, PEPPER, type Platform, START_MS } from './testing.ts';

/** The vector of the public contract: well-formed, and unknown to every installation. */
const UNKNOWN_KEY = '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';
const FINGERPRINT = 'Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw';

function codeOf(authentication: Authentication): string {
  return authentication.ok ? 'ok' : authentication.error.code;
}

async function withKey(platform: Platform, input = {}) {
  const owner = await account(platform);
  const created = await platform.keys.create(owner.accountNumber, { name: ' my-agent ', ...input });
  if (!created.ok) throw new Error(`refused: ${created.error.code}`);
  return { owner, ...created.value };
}

describe('presented credentials', () => {
  it.each([
    [{}, 'none'],
    [{ authorization: '' }, 'none'],
    [{ authorization: 'Bearer ' }, 'none'],
    [{ authorization: 'Basic dTpw' }, 'none'],
    [{ authorization: `Bearer ${UNKNOWN_KEY}` }, 'text'],
    [{ authorization: `bEaReR   ${UNKNOWN_KEY} ` }, 'text'],
    [{ xApiKey: UNKNOWN_KEY, authorization: `Bearer ${FINGERPRINT}` }, 'text'],
    [{ xApiKey: ' ', authorization: `Bearer ${UNKNOWN_KEY}` }, 'text'],
    [{ xApiKey: FINGERPRINT, authorization: `Bearer ${UNKNOWN_KEY}` }, 'wrong_type'],
    [{ authorization: `Bearer ${FINGERPRINT}=` }, 'wrong_type'],
    [{ authorization: `Bearer ${'ab'.repeat(32)}` }, 'wrong_type'],
    [{ authorization: 'Bearer og_rt_2f' }, 'wrong_type'],
    [{ authorization: 'Bearer -----BEGIN PRIVATE KEY-----' }, 'wrong_type'],
    [{ authorization: 'Bearer og_at_6m' }, 'access_token'],
    [{ authorization: 'Bearer sk-proj-something' }, 'text'],
  ])('%j is %s', (credential, kind) => expect(readPresented(credential).kind).toBe(kind));
});

forEachStore('consumption keys', (open) => {
  it('are shown once, and kept as a keyed hash and a prefix', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { owner, key, record } = await withKey(platform);
    expect(isWellFormedConsumptionKey(key)).toBe(true);
    expect(record).toMatchObject({
      name: 'my-agent',
      keyPrefix: key.slice(0, 17),
      scopes: ['inference', 'usage:read', 'trade:read'],
      isActive: true,
      createdAtMs: START_MS,
    });
    const { rows } = await database.query<Record<string, unknown>>({
      text: 'select * from consumption_keys',
    });
    expect(rows[0]?.key_hmac).toEqual(createHmac('sha256', PEPPER).update(key).digest());
    const text = rows.map((row) => Object.values(row).map(String).join()).join();
    expect(text).not.toContain(key.slice(17));
    expect(JSON.stringify(platform.keys.list(owner.accountNumber))).not.toContain(key.slice(17));
  });

  it('open the account they belong to, after a restart as well', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { owner, key, record } = await withKey(platform);
    const again = await openPlatform(database, { sequencer: platform.sequencer });
    for (const keys of [platform.keys, again.keys]) {
      for (const credential of [{ authorization: `Bearer ${key}` }, { xApiKey: key }]) {
        const answer = keys.authenticate(credential);
        expect(answer).toMatchObject({
          ok: true,
          caller: {
            accountNumber: owner.accountNumber,
            keyId: record.keyId,
            mode: 'easy',
            allowedRegions: null,
            routingMode: null,
            monthlyTokenLimit: null,
          },
        });
        expect(answer.ok && [...answer.caller.scopes]).toEqual(record.scopes);
      }
    }
  });

  it('are refused by pattern, checksum, hash and pepper', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { key } = await withKey(platform);
    const wrongChecksum = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
    const refusals = [key.toUpperCase(), key.slice(0, -1), wrongChecksum, UNKNOWN_KEY, 'sk-proj-abc'];
    expect(refusals.map((text) => codeOf(platform.keys.authenticate({ xApiKey: text })))).toEqual(
      refusals.map(() => 'invalid_api_key'),
    );
    const { accounts } = platform;
    const other = await ConsumptionKeys.load({ database, accounts, pepper: Buffer.alloc(32, 8) });
    expect(codeOf(other.authenticate({ xApiKey: key }))).toBe('invalid_api_key');
    expect(codeOf(platform.keys.authenticate({}))).toBe('missing_credentials');
    expect(codeOf(platform.keys.authenticate({ xApiKey: FINGERPRINT }))).toBe('wrong_credential_type');
    expect(codeOf(platform.keys.authenticate({ authorization: 'Bearer og_at_6m' }))).toBe('invalid_token');
  });

  it('stop at once when they are revoked, and stay revoked', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { key, record } = await withKey(platform);
    const other = await openPlatform(database, { sequencer: platform.sequencer });
    platform.clock.nowMs += 1_000;
    expect(await platform.keys.revoke(record.keyId)).toMatchObject({
      ok: true,
      value: { isActive: false, revokedAtMs: START_MS + 1_000 },
    });
    expect(codeOf(platform.keys.authenticate({ xApiKey: key }))).toBe('api_key_revoked');
    platform.clock.nowMs += 1_000;
    expect(await platform.keys.revoke(record.keyId)).toMatchObject({
      value: { revokedAtMs: START_MS + 1_000 },
    });
    expect(await platform.keys.setState(record.keyId, 'active')).toMatchObject({
      error: { code: 'api_key_revoked' },
    });
    expect(await platform.keys.revoke('key_unknown')).toMatchObject({ error: { code: 'not_found' } });
    // Another process learns it with its next reload.
    expect(codeOf(other.keys.authenticate({ xApiKey: key }))).toBe('ok');
    await other.keys.reload();
    expect(codeOf(other.keys.authenticate({ xApiKey: key }))).toBe('api_key_revoked');
  });

  it('can be suspended for a while, and expire', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { key, record } = await withKey(platform, { expiresAtMs: START_MS + 5_000 });
    const answer = () => codeOf(platform.keys.authenticate({ xApiKey: key }));
    await platform.keys.setState(record.keyId, 'suspended');
    expect(answer()).toBe('api_key_revoked');
    await platform.keys.setState(record.keyId, 'active');
    expect(answer()).toBe('ok');
    platform.clock.nowMs += 4_999;
    expect(answer()).toBe('ok');
    platform.clock.nowMs += 1;
    expect(answer()).toBe('api_key_expired');
    await platform.keys.revoke(record.keyId);
    expect(answer()).toBe('api_key_revoked');
  });

  it('need an account in good standing', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { owner, key } = await withKey(platform);
    const at = { account: owner.accountNumber, amountMicros: 1_000_000 } as const;
    await accepted(platform.sequencer, { kind: 'credit', origin: 'card', ...at });
    await accepted(platform.sequencer, { kind: 'open_dispute', ...at });
    expect(codeOf(platform.keys.authenticate({ xApiKey: key }))).toBe('account_suspended');
    await database.query({ text: 'update accounts set is_email_verified = false' });
    await platform.accounts.reload();
    expect(codeOf(platform.keys.authenticate({ xApiKey: key }))).toBe('account_suspended');
    const closing = { operator: owner.accountNumber, processorFeeMicros: 0, outcome: 'won' } as const;
    await accepted(platform.sequencer, { kind: 'close_dispute', ...at, ...closing });
    expect(codeOf(platform.keys.authenticate({ xApiKey: key }))).toBe('email_unverified');
  });

  it('remember the minute of their last use', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { key, record } = await withKey(platform);
    platform.clock.nowMs = START_MS + 90_000;
    platform.keys.authenticate({ xApiKey: key });
    expect(platform.keys.find(record.keyId)?.lastUsedAtMs).toBe(START_MS + 60_000);
    await platform.keys.flushLastUsed();
    await platform.keys.flushLastUsed();
    const again = await openPlatform(database, { sequencer: platform.sequencer });
    expect(again.keys.find(record.keyId)?.lastUsedAtMs).toBe(START_MS + 60_000);
  });

  it('have a name, known scopes and a future, and are at most 100 live ones', async () => {
    const { database } = await open();
    const platform = await openPlatform(database);
    const { owner, record } = await withKey(platform);
    const { accountNumber } = owner;
    const create = async (input: Parameters<ConsumptionKeys['create']>[1]) => {
      const result = await platform.keys.create(accountNumber, input);
      return result.ok ? 'ok' : Object.keys(result.error.fields ?? {})[0];
    };
    expect(await create({ name: ' ' })).toBe('name');
    expect(await create({ name: 'a', scopes: ['root'] })).toBe('scopes');
    expect(await create({ name: 'a', scopes: [] })).toBe('scopes');
    expect(await create({ name: 'a', expiresAtMs: START_MS })).toBe('expires_at');
    expect(await platform.keys.create(1, { name: 'a' })).toMatchObject({
      error: { code: 'account_not_found' },
    });
    for (let count = 1; count < 100; count += 1) expect(await create({ name: 'a' })).toBe('ok');
    expect(await create({ name: 'a' })).toBe('name');
    await platform.keys.revoke(record.keyId);
    expect(await create({ name: 'a' })).toBe('ok');
  });
});
