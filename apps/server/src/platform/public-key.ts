import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

/** A public key that passed every check. */
export interface CheckedPublicKey {
  readonly bytes: Buffer;
  /** 43 characters of base64: SHA-256 of the bytes, without padding. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

const BASE64_32_BYTES = /^[A-Za-z0-9+/]{43}=?$/;
const BASE64_64_BYTES = /^[A-Za-z0-9+/]{86}==$/;

/** SHA-256 of a raw public key as 43 characters of base64. */
export function fingerprintOf(publicKey: Buffer): string {
  return createHash('sha256').update(publicKey).digest('base64').slice(0, 43);
}

/** The verifying key of 32 bytes that were checked when they were registered. */
export function keyObjectOf(publicKey: Buffer): KeyObject {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}

/**
 * Reads base64 of 32 bytes and checks the point: canonical, on the curve, not of small order, in the prime-order
 * subgroup. OpenSSL alone would take points for which signatures can be forged.
 */
export function checkPublicKey(text: string): CheckedPublicKey | undefined {
  if (!BASE64_32_BYTES.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const isCanonicalText = bytes.toString('base64').slice(0, 43) === text.slice(0, 43);
  if (!isCanonicalText || !isStrongPoint(bytes)) return undefined;
  return { bytes, fingerprint: fingerprintOf(bytes), key: keyObjectOf(bytes) };
}

function isStrongPoint(bytes: Buffer): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes, false);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false;
  }
}

/** What a holder of a private key signs to prove that it has it. */
export function proofMessage(challenge: string, fingerprint: string): string {
  return `opengrid-key-registration\n${challenge}\n${fingerprint}`;
}

/** Whether `proof` (base64) is the key's signature over the registration of `challenge`. */
export function isProof(publicKey: CheckedPublicKey, challenge: string, proof: string): boolean {
  if (!BASE64_64_BYTES.test(proof)) return false;
  const message = Buffer.from(proofMessage(challenge, publicKey.fingerprint), 'utf8');
  return verify(null, message, publicKey.key, Buffer.from(proof, 'base64'));
}
