import { createPublicKey } from 'node:crypto';
import type { JsonObject } from '@opengrid/wire';
import { describe, expect, it } from 'vitest';
import type { Authentication, SigningKey, SigningKeyDirectory } from '../../ports/identity.ts';
import { type AuthenticationContext, checkAuthentication } from './authentication.ts';

const TIMESTAMP = '1767225600';
const NOW_MS = 1_767_225_600_000;
const FINGERPRINT = 'Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw';
const CHALLENGE = 'q3b0m1d8k5s7x2c9';
const FIRST = 'BJnnZ1EK8GK93cMkKDANsPC1bCHzMI1uv/syBWDYtT2ol/RyjvsMh9QTAhcpR+d4fXfiZZSXW6HQUVAD4uZjDg==';
const SECOND = 'uZcmYY+swY91nYGDu/ce2DUXMnvpbhLjX7k1fVGTAneQylnwa6/uylgsZk7V+xpM7TScx9hlxDu6utlSB9KjAQ==';
const PUBLIC_KEY = 'A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=';

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const publicKey = createPublicKey({
  key: Buffer.concat([SPKI_PREFIX, Buffer.from(PUBLIC_KEY, 'base64')]),
  format: 'der',
  type: 'spki',
});

function directory(key: Partial<SigningKey> = {}, admitted?: Authentication): SigningKeyDirectory {
  const full: SigningKey = {
    keyId: 'skey_1',
    accountNumber: 7,
    publicKey,
    requiresNonce: false,
    isReadOnly: false,
    isLive: true,
    createdAtMs: 0,
    ...key,
  };
  return {
    find: (fingerprint) => (fingerprint === FINGERPRINT ? full : undefined),
    admit: () => admitted ?? ({ ok: true } as Authentication),
  };
}

function check(payload: JsonObject, context: Partial<AuthenticationContext> = {}) {
  const challenge = { text: CHALLENGE, expiresAtMs: NOW_MS + 60_000 };
  return checkAuthentication(payload, { signingKeys: directory(), challenge, nowMs: NOW_MS, ...context });
}

const one = { timestamp: TIMESTAMP, fingerprint: FINGERPRINT, signature: FIRST };
const two = { timestamp: TIMESTAMP, fingerprint: FINGERPRINT, signature: SECOND, challenge: CHALLENGE };

describe('authentication of a socket', () => {
  it('takes the published vector of method 1, without the right to enter orders', () => {
    expect(check(one)).toMatchObject({
      ok: true,
      credential: { accountNumber: 7, isForOrders: false, cancelsOnDisconnect: false },
    });
    expect(check({ ...one, cancel_on_disconnect: true })).toMatchObject({
      credential: { cancelsOnDisconnect: false },
    });
  });

  it('takes the published vector of method 2, with the right to enter orders', () => {
    expect(check(two)).toMatchObject({ ok: true, credential: { isForOrders: true } });
    expect(check({ ...two, cancel_on_disconnect: true })).toMatchObject({
      credential: { cancelsOnDisconnect: true },
    });
    expect(check(two, { signingKeys: directory({ isReadOnly: true }) })).toMatchObject({
      credential: { isForOrders: false },
    });
  });

  it.each([
    ['a signature of the other method', { ...one, signature: SECOND }, {}],
    ['method 2 with the signature of method 1', { ...two, signature: FIRST }, {}],
    ['a challenge of another socket', two, { challenge: { text: 'other', expiresAtMs: NOW_MS + 1 } }],
    ['a challenge that is over', two, { challenge: { text: CHALLENGE, expiresAtMs: NOW_MS - 1 } }],
    ['a challenge that was used', two, { challenge: undefined }],
    ['an unknown key', { ...one, fingerprint: 'A'.repeat(43) }, {}],
    ['no fingerprint at all', { ...one, fingerprint: 'x' }, {}],
    ['a signature in URL-safe base64', { ...one, signature: FIRST.replaceAll('/', '_') }, {}],
  ])('refuses %s as invalid_signature and ends the socket', (_what, payload, context) => {
    expect(check(payload, context as Partial<AuthenticationContext>)).toMatchObject({
      ok: false,
      reason: 'invalid_signature',
      isFinal: true,
    });
  });

  it('refuses revoked keys, keys that need a nonce, and old and future timestamps', () => {
    const revoked = directory({ isLive: false });
    expect(check(one, { signingKeys: revoked })).toMatchObject({ reason: 'key_revoked', isFinal: true });
    const strict = directory({ requiresNonce: true });
    expect(check(one, { signingKeys: strict })).toMatchObject({ reason: 'nonce_required', isFinal: true });
    expect(check(two, { signingKeys: strict })).toMatchObject({ ok: true });
    for (const nowMs of [NOW_MS + 30_001, NOW_MS - 30_001])
      expect(check(one, { nowMs })).toMatchObject({ reason: 'timestamp_expired', isFinal: true });
    for (const nowMs of [NOW_MS + 30_000, NOW_MS - 30_000])
      expect(check(one, { nowMs })).toMatchObject({ ok: true });
  });

  it('says why an account may not act', () => {
    const error = { code: 'account_suspended' } as const;
    expect(check(one, { signingKeys: directory({}, { ok: false, error }) })).toMatchObject({
      reason: 'account_suspended',
      isFinal: true,
    });
  });

  it.each([
    ['no timestamp', { ...one, timestamp: undefined }],
    ['a timestamp that is a number', { ...one, timestamp: 1_767_225_600 }],
    ['a timestamp in milliseconds', { ...one, timestamp: '1767225600000' }],
    ['no signature', { ...one, signature: undefined }],
    ['a challenge that is no text', { ...two, challenge: 5 }],
    ['a flag that is a word', { ...two, cancel_on_disconnect: 'yes' }],
    ['a token that is no text', { token: 5 }],
    ['nothing', {}],
  ])('refuses %s as invalid_payload and keeps the socket', (_what, payload) => {
    expect(check(payload)).toMatchObject({ ok: false, reason: 'invalid_payload', isFinal: false });
  });

  it('takes no access token yet', () => {
    expect(check({ token: 'og_at_x' })).toMatchObject({ ok: false, reason: 'invalid_token', isFinal: true });
  });
});
