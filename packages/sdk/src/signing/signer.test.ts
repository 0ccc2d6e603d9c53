import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { messageOfScheme1, messageOfScheme2, messageOfSocket, signText } from './messages.ts';
import { generateKey, type Signer, signerFromCryptoKeys, signerFromKey } from './signer.ts';

const seed = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const fingerprint = 'Vkdap1RjR0wChd9dvyvKtz2mUTWIOem3dIGy6rEHcIw';
const timestamp = 1767225600;
const order =
  '{"market_id":"market-4bba4a2f-78b3-585a-a4b9-848d2f0a4514","side":"buy","type":"limit","quantity":"10","price":"2.5","time_in_force":"gtc"}';
const read = {
  timestamp,
  method: 'GET',
  path: '/v1/orders',
  query: 'status=filled',
  host: 'localhost:4000',
  body: '',
};
const placed = { ...read, method: 'POST', query: '', body: order };

/** What a browser sees: WebCrypto and nothing of Node. */
const withoutNode = (): void => {
  const original = process.getBuiltinModule;
  Object.assign(process, { getBuiltinModule: undefined });
  onTestFinished(() => void Object.assign(process, { getBuiltinModule: original }));
};

const pairOf = async (): Promise<Signer> => {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const der = Buffer.concat([prefix, Buffer.from(seed, 'base64')]);
  const publicKey = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  return signerFromCryptoKeys({
    privateKey: await crypto.subtle.importKey('pkcs8', der, 'Ed25519', false, ['sign']),
    publicKey: await crypto.subtle.importKey('raw', raw, 'Ed25519', true, ['verify']),
  });
};

const signers: [string, () => Promise<Signer>][] = [
  ['node:crypto', () => signerFromKey(seed)],
  [
    'WebCrypto',
    () => {
      withoutNode();
      return signerFromKey(seed);
    },
  ],
  ['a key pair of WebCrypto that cannot be read', pairOf],
];

describe.each(signers)('the published signatures, made with %s', (_name, open) => {
  it('have the fingerprint of the key', async () => {
    expect((await open()).fingerprint).toBe(fingerprint);
  });

  it('sign requests in scheme 1', async () => {
    const signer = await open();
    expect(await signText(signer, messageOfScheme1(read))).toBe(
      'bRrtQTOoRRwirhPAyOVXBv20x8LojJrxNBQKxqa3K8gDZFjrhgcnfDHuI2CBE84Fm/UE0tap65c0chjsSFWJCg==',
    );
    expect(await signText(signer, messageOfScheme1(placed))).toBe(
      'eT7i3oXzo1zUJe6FgSKAw6oTRUFyQkUrs0R9Q2dh0afDgNJmpfSp15PLSRctdXiVsei46D1D2u+H2qqIHfbCAg==',
    );
  });

  it('sign requests in scheme 2', async () => {
    const message = await messageOfScheme2(placed, '4f1c2a9be07d4c55');
    expect(await signText(await open(), message)).toBe(
      'HbFN9y392AtI1tqtMGz8NNvNLlghZ/KTcgNeg7GnkXA5lmwq/pbSaDCrXFdYthnkm4tRrTlJkcikl42kLwkFCw==',
    );
  });

  it('log sockets in, with and without a challenge', async () => {
    const signer = await open();
    const challenge = 'q3b0m1d8k5s7x2c9';
    expect(await signText(signer, messageOfSocket({ timestamp, fingerprint }))).toBe(
      'BJnnZ1EK8GK93cMkKDANsPC1bCHzMI1uv/syBWDYtT2ol/RyjvsMh9QTAhcpR+d4fXfiZZSXW6HQUVAD4uZjDg==',
    );
    expect(await signText(signer, messageOfSocket({ timestamp, fingerprint, challenge }))).toBe(
      'uZcmYY+swY91nYGDu/ce2DUXMnvpbhLjX7k1fVGTAneQylnwa6/uylgsZk7V+xpM7TScx9hlxDu6utlSB9KjAQ==',
    );
  });
});

describe('a new key', () => {
  it('is one that Node reads, in both of its forms', async () => {
    const key = await generateKey();
    const message = new TextEncoder().encode('text');
    const publicKey = createPublicKey(createPrivateKey(key.privateKeyPem));
    expect(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64')).toBe(
      key.publicKey,
    );
    for (const form of [key.privateKeyPem, key.seed]) {
      const signer = await signerFromKey(form);
      expect(signer.fingerprint).toBe(key.fingerprint);
      expect(verify(null, message, publicKey, await signer.sign(message))).toBe(true);
    }
  });

  it('is another one each time', async () => {
    expect((await generateKey()).seed).not.toBe((await generateKey()).seed);
  });
});

describe('what is no key', () => {
  const secret = 'c0ffee'.repeat(8);
  it.each([
    ['nothing', ''],
    ['a seed that is too short', 'AAECAwQFBgc='],
    ['an API key', `sk-or-v1-${secret}`],
    ['a PEM of something else', `-----BEGIN PRIVATE KEY-----\n${btoa(secret)}\n-----END PRIVATE KEY-----\n`],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n'],
  ])('is refused without being quoted: %s', async (_name, text) => {
    const error = await signerFromKey(text).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'OpenGridError' });
    expect(inspect(error)).not.toContain(secret);
    expect(inspect(error)).not.toContain(btoa(secret));
  });

  it('nor is a pair of another algorithm', async () => {
    const usages: KeyUsage[] = ['sign', 'verify'];
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const pair = (await crypto.subtle.generateKey(algorithm, true, usages)) as CryptoKeyPair;
    await expect(signerFromCryptoKeys(pair)).rejects.toThrow('not an Ed25519 pair');
  });
});
