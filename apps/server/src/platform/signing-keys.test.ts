import { createPrivateKey, sign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, it } from 'vitest';
import { forEachStore } from '../store/testing.ts';
import { checkPublicKey, fingerprintOf, isProof, proofMessage } from './public-key.ts';
import { type NewSigningKey, SigningKeys } from './signing-keys.ts';
import { account, openPlatform } from './testing.ts';

const PUBLIC_KEY = 'A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=';
const FINGERPRINT = 'Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw';
const SEED = Buffer.from('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', 'base64');
const VECTOR_PROOF =
  'xk6wwyP68lKwEeCsYiqlVYPPQC4BzW/aREgAHx7KEuKtas8Y2UOdmfejRUZF/+2fc1cuO+OtvuJkXEb1Ucp3CQ==';

function proofOf(challenge: string): string {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const key = createPrivateKey({ key: Buffer.concat([prefix, SEED]), format: 'der', type: 'pkcs8' });
  return sign(null, Buffer.from(proofMessage(challenge, FINGERPRINT)), key).toString('base64');
}

function randomKey(): string {
  return Buffer.from(ed25519.keygen().publicKey).toString('base64');
}

/** A point of the curve outside of the prime-order subgroup: a good one plus one of order 2. */
function mixedOrderKey(): string {
  const small = ed25519.Point.fromBytes(Buffer.from(`ec${'ff'.repeat(30)}7f`, 'hex'));
  return Buffer.from(ed25519.Point.BASE.add(small).toBytes()).toString('base64');
}

it('takes the key of the published vectors, padded or not, and knows its fingerprint and proof', () => {
  const checked = checkPublicKey(PUBLIC_KEY)!;
  expect(checked.fingerprint).toBe(FINGERPRINT);
  expect(checkPublicKey(PUBLIC_KEY.slice(0, 43))?.fingerprint).toBe(FINGERPRINT);
  expect(isProof(checked, 'chal_demo_0001', VECTOR_PROOF)).toBe(true);
  expect(isProof(checked, 'chal_demo_0002', VECTOR_PROOF)).toBe(false);
});

it.each([
  ['PEM', '-----BEGIN PUBLIC KEY-----'],
  ['an empty text', ''],
  ['31 bytes', Buffer.alloc(31, 9).toString('base64')],
  ['33 bytes', Buffer.alloc(33, 9).toString('base64')],
  ['hexadecimal', Buffer.from(PUBLIC_KEY, 'base64').toString('hex')],
  ['url-safe base64', Buffer.from(PUBLIC_KEY, 'base64').toString('base64url').replace(/^./, '-')],
  ['loose last bits', `${PUBLIC_KEY.slice(0, 42)}h=`],
  ['y not below the field prime', Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex').toString('base64')],
  ['a point off the curve', Buffer.from(`02${'00'.repeat(31)}`, 'hex').toString('base64')],
  ['the neutral point', Buffer.from(`01${'00'.repeat(31)}`, 'hex').toString('base64')],
  ['a point of order 4', Buffer.alloc(32).toString('base64')],
  ['a point of mixed order', mixedOrderKey()],
])('refuses %s', (_what, text) => {
  expect(checkPublicKey(text)).toBeUndefined();
});

forEachStore('signing keys', (open) => {
  async function setUp() {
    const { database } = await open();
    const platform = await openPlatform(database);
    const owner = await account(platform);
    const load = () =>
      SigningKeys.load({ database, accounts: platform.accounts, clock: platform.clock.read });
    const keys = await load();
    const create = (input: Partial<NewSigningKey> = {}) =>
      keys.create(owner.accountNumber, { label: 'desk', publicKey: PUBLIC_KEY, ...input });
    return { platform, clock: platform.clock, owner, keys, load, create };
  }

  it('registers a key once, finds it after a restart, and ends it for ever', async () => {
    const { keys, load, create, owner } = await setUp();
    const created = await create();
    if (!created.ok) throw new Error(created.error.code);
    expect(created.value).toMatchObject({ fingerprint: FINGERPRINT, isActive: true, lastUsedAtMs: null });
    const again = await create();
    expect(!again.ok && again.error.code).toBe('public_key_invalid');
    const found = keys.find(FINGERPRINT)!;
    expect(found).toMatchObject({ accountNumber: owner.accountNumber, isLive: true, requiresNonce: false });
    const admitted = keys.admit(found);
    expect(admitted.ok && admitted.caller.scopes.has('trade:write')).toBe(true);
    await keys.flushLastUsed();
    const restarted = await load();
    expect(restarted.list(owner.accountNumber)[0]?.lastUsedAtMs).not.toBeNull();
    await keys.revoke(created.value.keyId);
    expect(keys.find(FINGERPRINT)?.isLive).toBe(false);
    expect((await load()).find(FINGERPRINT)?.isLive).toBe(false);
    expect((await create()).ok).toBe(false);
  });

  it('gives a read-only key no writing scope, and no key to a suspended or unverified account', async () => {
    const { keys, create, platform } = await setUp();
    await create({ readOnly: true });
    const admitted = keys.admit(keys.find(FINGERPRINT)!);
    expect(admitted.ok && [...admitted.caller.scopes]).toEqual(['trade:read', 'account:read', 'supply:read']);
    const stranger = await account(platform, { email: 'b@example.com', isEmailVerified: false });
    const publicKey = randomKey();
    await keys.create(stranger.accountNumber, { label: 'x', publicKey });
    const refused = keys.admit(keys.find(fingerprintOf(Buffer.from(publicKey, 'base64')))!);
    expect(!refused.ok && refused.error.code).toBe('email_unverified');
  });

  it('expires a key on time', async () => {
    const { keys, create, clock } = await setUp();
    expect(!(await create({ expiresAtMs: clock.nowMs })).ok).toBe(true);
    await create({ expiresAtMs: clock.nowMs + 1_000 });
    expect(keys.find(FINGERPRINT)?.isLive).toBe(true);
    clock.nowMs += 1_000;
    expect(keys.find(FINGERPRINT)?.isLive).toBe(false);
  });

  it('keeps an account to twenty live keys', async () => {
    const { keys, create } = await setUp();
    for (let count = 0; count < 20; count += 1)
      expect((await create({ publicKey: randomKey() })).ok).toBe(true);
    expect((await create()).ok).toBe(false);
    await keys.revoke(keys.list()[0]!.keyId);
    expect((await create()).ok).toBe(true);
  });

  it('takes a proof for an open challenge, once', async () => {
    const { keys, create, clock } = await setUp();
    const { challenge } = keys.newChallenge();
    const late = keys.newChallenge().challenge;
    const proof = { challenge, signature: proofOf(challenge) };
    const wrong = await create({ proof: { challenge: 'chal_demo_0001', signature: VECTOR_PROOF } });
    expect(!wrong.ok && wrong.error.code).toBe('proof_of_possession_invalid');
    expect((await create({ proof })).ok).toBe(true);
    expect((await create({ publicKey: randomKey(), proof })).ok).toBe(false);
    clock.nowMs += 600_000;
    const expired = await create({
      publicKey: randomKey(),
      proof: { challenge: late, signature: proofOf(late) },
    });
    expect(!expired.ok && expired.error.code).toBe('proof_of_possession_invalid');
  });
});
