import { type KeyObject, verify } from 'node:crypto';

/** Order of the prime-order subgroup and the field's prime, little-endian as signatures carry them. */
const GROUP_ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');
const FIELD_PRIME = Buffer.from('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'hex');
/** The y coordinates of the eight points of small order. */
const SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;
const SIGN_BIT = 0x80;

function isBelow(value: Buffer, bound: Buffer): boolean {
  for (let index = 31; index >= 0; index -= 1) {
    if (value[index]! !== bound[index]!) return value[index]! < bound[index]!;
  }
  return false;
}

/** 64 bytes of strict base64, or undefined: exactly the text that these bytes encode to. */
export function decodeSignature(text: string): Buffer | undefined {
  if (!SIGNATURE.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Whether R is a canonical point encoding of large order and S is below the group order. */
export function isStrictSignature(signature: Buffer): boolean {
  const y = Buffer.from(signature.subarray(0, 32));
  y[31] = y[31]! & ~SIGN_BIT;
  const isCanonical = isBelow(y, FIELD_PRIME);
  return isCanonical && !SMALL_ORDER.has(y.toString('hex')) && isBelow(signature.subarray(32), GROUP_ORDER);
}

/**
 * Strict verification. The public key was checked at its registration; Node's verification is the cofactorless
 * equation, which leaves R and S to be checked.
 */
export function verifyStrictly(message: Buffer, signature: Buffer, publicKey: KeyObject): boolean {
  return isStrictSignature(signature) && verify(null, message, publicKey, signature);
}
