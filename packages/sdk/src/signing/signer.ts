import { OpenGridError } from '../core/error.ts';
import { fromBase64, toBase64 } from '../internal/base64.ts';
import { nodeCrypto } from './node-crypto.ts';

/** Whatever can sign for one registered key: a key in memory, a vault, a hardware module. */
export interface Signer {
  /** SHA-256 of the raw public key in base64 without padding: 43 characters. */
  readonly fingerprint: string;
  /** The Ed25519 signature of the bytes, 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array> | Uint8Array;
}

/** A new key. Keep the private half where the program that trades can read it, and nobody else. */
export type GeneratedKey = {
  /** Private key as PEM (PKCS #8). */
  privateKeyPem: string;
  /** The same as base64 of its 32-byte seed. */
  seed: string;
  /** Base64 of the raw 32 bytes, which is what gets registered. */
  publicKey: string;
  fingerprint: string;
};

const seedBytes = 32;
/** What stands before the seed in the PKCS #8 form of every Ed25519 key (RFC 8410). */
const pkcs8Prefix = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);
const ed25519 = { name: 'Ed25519' } as const;
const pemPattern = /^\s*-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*$/;

/** The seed in a PEM or base64 text. The text itself must never be part of an error. */
const seedOf = (text: string): Uint8Array<ArrayBuffer> => {
  const pem = pemPattern.exec(text)?.[1];
  const bytes = fromBase64((pem ?? text).replace(/\s/g, ''));
  if (pem === undefined && bytes?.length === seedBytes) return bytes;
  const isPkcs8 = bytes?.length === pkcs8Prefix.length + seedBytes;
  if (isPkcs8 && pkcs8Prefix.every((byte, index) => bytes[index] === byte))
    return bytes.slice(pkcs8Prefix.length);
  throw new OpenGridError('The key is no Ed25519 private key in PEM (PKCS #8) or base64 (32-byte seed).');
};

const pkcs8Of = (seed: Uint8Array): Uint8Array<ArrayBuffer> => {
  const der = new Uint8Array(pkcs8Prefix.length + seed.length);
  der.set(pkcs8Prefix);
  der.set(seed, pkcs8Prefix.length);
  return der;
};

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN PRIVATE KEY-----\n${toBase64(der)}\n-----END PRIVATE KEY-----\n`;

const rawPublicKey = async (der: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
  const key = await crypto.subtle.importKey('pkcs8', der, ed25519, true, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  const bytes = fromBase64(`${x.replaceAll('-', '+').replaceAll('_', '/')}=`);
  if (bytes === null) throw new OpenGridError('The platform cannot derive an Ed25519 public key.');
  return bytes;
};

const fingerprintOf = async (publicKey: Uint8Array): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(publicKey));
  return toBase64(new Uint8Array(digest)).slice(0, -1);
};

/**
 * Makes an Ed25519 key from the platform's random source.
 *
 * ```ts
 * const key = await generateKey();
 * // key.publicKey is registered with the installation; key.privateKeyPem stays here.
 * const grid = new OpenGrid({ baseUrl, signer: await signerFromKey(key.privateKeyPem) });
 * ```
 */
export const generateKey = async (): Promise<GeneratedKey> => {
  const seed = crypto.getRandomValues(new Uint8Array(seedBytes));
  const der = pkcs8Of(seed);
  const publicKey = await rawPublicKey(der);
  return {
    privateKeyPem: pemOf(der),
    seed: toBase64(seed),
    publicKey: toBase64(publicKey),
    fingerprint: await fingerprintOf(publicKey),
  };
};

/**
 * A signer of a private key given as PEM (PKCS #8) or as base64 of its 32-byte seed. In Node it signs with
 * `node:crypto` on one cached key object, elsewhere with WebCrypto on a key that cannot be read back.
 * @throws OpenGridError when the text is no such key; the error does not quote it
 */
export const signerFromKey = async (privateKey: string): Promise<Signer> => {
  const der = pkcs8Of(seedOf(privateKey));
  const fingerprint = await fingerprintOf(await rawPublicKey(der));
  const node = nodeCrypto();
  if (node !== undefined) {
    const sign = node.signerOf(der);
    return { fingerprint, sign };
  }
  const key = await crypto.subtle.importKey('pkcs8', der, ed25519, false, ['sign']);
  return { fingerprint, sign: webSign(key) };
};

const webSign =
  (key: CryptoKey) =>
  async (message: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign(ed25519, key, Uint8Array.from(message)));

/**
 * A signer of a WebCrypto key pair. Made with `extractable: false` and kept in IndexedDB, its private half never
 * leaves the browser, not even to the page's own code.
 * @throws OpenGridError when the pair is not Ed25519
 */
export const signerFromCryptoKeys = async (keys: {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
}): Promise<Signer> => {
  const { privateKey, publicKey } = keys;
  if (privateKey.algorithm.name !== ed25519.name || !privateKey.usages.includes('sign'))
    throw new OpenGridError('The key pair is not an Ed25519 pair that may sign.');
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  return { fingerprint: await fingerprintOf(raw), sign: webSign(privateKey) };
};
