import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import type { SigningKey } from '../../ports/identity.ts';
import { Nonces } from './nonces.ts';
import { type SignedRequest, verifySignature } from './signature.ts';
import { isStrictSignature } from './strict-signature.ts';

const SEED = Buffer.from('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', 'base64');
const FINGERPRINT = 'Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw';
const TIMESTAMP = '1767225600';
const NOW_MS = 1_767_225_600_000;
const READ = 'bRrtQTOoRRwirhPAyOVXBv20x8LojJrxNBQKxqa3K8gDZFjrhgcnfDHuI2CBE84Fm/UE0tap65c0chjsSFWJCg==';
const BODY =
  '{"market_id":"market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514","side":"buy","type":"limit","quantity":"10","price":"2.5","time_in_force":"gtc"}';
const PLACE = 'eT7i3oXzo1zUJe6FgSKAw6oTRUFyQkUrs0R9Q2dh0afDgNJmpfSp15PLSRctdXiVsei46D1D2u+H2qqIHfbCAg==';
const STRICT = 'HbFN9y392AtI1tqtMGz8NNvNLlghZ/KTcgNeg7GnkXA5lmwq/pbSaDCrXFdYthnkm4tRrTlJkcikl42kLwkFCw==';

const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]),
  format: 'der',
  type: 'pkcs8',
});

const KEY: SigningKey = {
  keyId: 'skey_1',
  accountNumber: 1,
  publicKey: createPublicKey(privateKey),
  requiresNonce: false,
  isReadOnly: false,
  isLive: true,
  createdAtMs: 0,
};

const HEADERS = {
  'X-TheGrid-Timestamp': TIMESTAMP,
  'x-thegrid-fingerprint': FINGERPRINT,
  'x-thegrid-signature': READ,
};

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly extra?: readonly string[];
  readonly body?: string;
}

function requestOf(sent: Sent): SignedRequest {
  const headers = Object.entries({ ...HEADERS, ...sent.headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    method: sent.method ?? 'GET',
    target: sent.target ?? '/v1/orders?status=filled',
    rawHeaders: [...headers.flat(), ...(sent.extra ?? [])],
    body: Buffer.from(sent.body ?? ''),
  };
}

function verdict(
  sent: Sent,
  options: { key?: Partial<SigningKey>; nowMs?: number; nonces?: Nonces } = {},
): string {
  const { key = {}, nowMs = NOW_MS, nonces = new Nonces() } = options;
  const keys = {
    find: (fingerprint: string) => (fingerprint === FINGERPRINT ? { ...KEY, ...key } : undefined),
    admit: () => {
      throw new Error('not asked');
    },
  };
  const result = verifySignature(requestOf(sent), { keys, nonces, nowMs });
  return result.ok ? 'ok' : result.error.code;
}

const PLACED: Sent = {
  method: 'POST',
  target: '/v1/orders',
  headers: { 'x-thegrid-signature': PLACE },
  body: BODY,
};
const NONCED: Sent = {
  ...PLACED,
  headers: { 'x-thegrid-signature': STRICT, 'x-thegrid-nonce': '4f1c2a9be07d4c55', Host: 'LocalHost:4000' },
};

describe('the published vectors', () => {
  it('hold', () => {
    expect(verdict({})).toBe('ok');
    expect(verdict(PLACED)).toBe('ok');
    expect(verdict(NONCED)).toBe('ok');
    expect(verdict(NONCED, { key: { requiresNonce: true } })).toBe('ok');
  });

  it('do not cover the query in scheme 1, and nothing but it', () => {
    expect(verdict({ target: '/v1/orders?status=open' })).toBe('ok');
    expect(verdict({ target: '/v1/orders/' })).toBe('invalid_signature');
    expect(verdict({ target: '/v1/trading/orders' })).toBe('invalid_signature');
    expect(verdict({ target: '/v1/%6Frders' })).toBe('invalid_signature');
    expect(verdict({ method: 'POST' })).toBe('invalid_signature');
    expect(verdict({ ...PLACED, body: `${BODY} ` })).toBe('invalid_signature');
    expect(verdict({ headers: { 'X-TheGrid-Timestamp': '1767225601' } })).toBe('invalid_signature');
  });

  it('cover host, query and nonce in scheme 2', () => {
    expect(verdict({ ...NONCED, target: '/v1/orders?x=1' })).toBe('invalid_signature');
    expect(verdict({ ...NONCED, headers: { ...NONCED.headers, Host: 'localhost:4001' } })).toBe(
      'invalid_signature',
    );
    const other = { ...NONCED.headers, 'x-thegrid-nonce': '4f1c2a9be07d4c56' };
    expect(verdict({ ...NONCED, headers: other })).toBe('invalid_signature');
  });
});

describe('the order of checks', () => {
  it('wants all three headers, each once', () => {
    expect(verdict({ headers: { 'x-thegrid-signature': undefined } })).toBe('missing_signature_headers');
    expect(verdict({ extra: ['X-THEGRID-SIGNATURE', READ] })).toBe('invalid_signature');
    expect(verdict({ extra: ['x-thegrid-recv-window', '1', 'x-thegrid-recv-window', '1'] })).toBe(
      'invalid_signature',
    );
  });

  it.each([
    '',
    ' 1767225600',
    '01767225600',
    '0767225600',
    '1767225600.0',
    '1.7672256e9',
    '1767225600000',
    '-176722560',
  ])('refuses the timestamp %j before it looks at the key', (timestamp) => {
    const headers = { 'X-TheGrid-Timestamp': timestamp, 'x-thegrid-fingerprint': 'x' };
    expect(verdict({ headers })).toBe('timestamp_invalid');
  });

  it('holds the window to the millisecond, on both sides', () => {
    expect(verdict({}, { nowMs: NOW_MS + 30_000 })).toBe('ok');
    expect(verdict({}, { nowMs: NOW_MS + 30_001 })).toBe('timestamp_expired');
    expect(verdict({}, { nowMs: NOW_MS - 30_001 })).toBe('timestamp_expired');
    const headers = { 'x-thegrid-recv-window': '500' };
    expect(verdict({ headers }, { nowMs: NOW_MS + 500 })).toBe('ok');
    expect(verdict({ headers }, { nowMs: NOW_MS + 501 })).toBe('timestamp_expired');
  });

  it.each(['0', '30001', '-1', '1e3', '', '05'])('refuses the window %j', (window) => {
    expect(verdict({ headers: { 'x-thegrid-recv-window': window } })).toBe('timestamp_invalid');
  });

  it('looks at the key before the signature', () => {
    const bad = { 'x-thegrid-signature': 'x' };
    expect(verdict({ headers: { ...bad, 'x-thegrid-fingerprint': 'short' } })).toBe('unknown_key');
    expect(verdict({ headers: { ...bad, 'x-thegrid-fingerprint': 'A'.repeat(43) } })).toBe('unknown_key');
    expect(verdict({ headers: bad }, { key: { isLive: false } })).toBe('key_revoked');
    expect(verdict({ headers: bad }, { key: { requiresNonce: true } })).toBe('nonce_required');
    expect(verdict({ headers: bad })).toBe('invalid_signature');
    expect(verdict({ headers: { 'x-thegrid-fingerprint': `${FINGERPRINT}=` } })).toBe('ok');
    expect(verdict({ headers: { 'x-thegrid-fingerprint': `${FINGERPRINT}==` } })).toBe('unknown_key');
  });

  it('takes a nonce once, and only a signature that holds uses it up', () => {
    const nonces = new Nonces(() => NOW_MS);
    const forged = { ...NONCED, body: `${BODY} ` };
    expect(verdict(forged, { nonces })).toBe('invalid_signature');
    expect(verdict(NONCED, { nonces })).toBe('ok');
    expect(verdict(NONCED, { nonces })).toBe('nonce_reused');
    const odd = { ...NONCED.headers, 'x-thegrid-nonce': 'too short' };
    expect(verdict({ ...NONCED, headers: odd })).toBe('invalid_signature');
  });
});

describe('strict signatures', () => {
  const bytes = Buffer.from(READ, 'base64');

  it('refuse base64 that is not the one encoding of its bytes', () => {
    const refuse = (text: string) =>
      expect(verdict({ headers: { 'x-thegrid-signature': text } })).toBe('invalid_signature');
    refuse(READ.slice(0, -1));
    refuse(READ.replace(/==$/, ''));
    refuse(READ.replace(/g==$/, 'h=='));
    refuse(READ.replaceAll('/', '_'));
    refuse(` ${READ}`);
  });

  it('refuse S plus the group order, which satisfies the equation', () => {
    const order = ed25519.Point.Fn.ORDER;
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order;
    const malleable = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    expect(isStrictSignature(Buffer.concat([bytes.subarray(0, 32), malleable]))).toBe(false);
    expect(isStrictSignature(bytes)).toBe(true);
  });

  it('refuse every R of small order and every R that is not canonical', () => {
    const generator = ed25519.Point.fromHex(
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    );
    let point = ed25519.Point.ZERO;
    for (let count = 0; count < 8; count += 1) {
      const r = Buffer.from(point.toBytes());
      expect(isStrictSignature(Buffer.concat([r, bytes.subarray(32)]))).toBe(false);
      point = point.add(generator);
    }
    expect(point.is0()).toBe(true);
    const unreduced = Buffer.from(`f0${'ff'.repeat(30)}7f`, 'hex');
    expect(isStrictSignature(Buffer.concat([unreduced, bytes.subarray(32)]))).toBe(false);
  });

  it('hold for fresh signatures of the same key', () => {
    const signature = sign(null, Buffer.from(`${TIMESTAMP}GET/v1/me`), privateKey).toString('base64');
    expect(verdict({ target: '/v1/me', headers: { 'x-thegrid-signature': signature } })).toBe('ok');
  });
});
