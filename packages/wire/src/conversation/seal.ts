import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Reasoning that only the endpoint that made it can read. */
export interface Opaque {
  /** A proof that belongs to shown reasoning, or hidden reasoning itself. */
  readonly kind: 'signature' | 'redacted';
  readonly value: string;
}

/** Wraps opaque reasoning for the client and takes back only what the same endpoint made. */
export interface ReasoningSeal {
  wrap(opaque: Opaque): string;
  /** `undefined` for what another endpoint made, or nobody. */
  unwrap(sealed: string): Opaque | undefined;
}

const VERSION = 'og1';
const KINDS: ReadonlyMap<string, Opaque['kind']> = new Map([
  ['s', 'signature'],
  ['r', 'redacted'],
]);

/**
 * A seal for one endpoint: `og1.<kind>.<endpoint>.<mac>.<value>`. The value comes back byte for byte, as it
 * is only preceded by the rest. The MAC (HMAC-SHA-256) covers kind, endpoint and value, so that neither a
 * client nor another endpoint can make one.
 */
export function reasoningSeal(key: Uint8Array | string, endpointId: string): ReasoningSeal {
  const endpoint = Buffer.from(endpointId).toString('base64url');
  const macOf = (letter: string, value: string) =>
    createHmac('sha256', key).update(`${VERSION}.${letter}.${endpoint}.`).update(value).digest();
  return {
    wrap: ({ kind, value }) => {
      const letter = kind === 'signature' ? 's' : 'r';
      return `${VERSION}.${letter}.${endpoint}.${macOf(letter, value).toString('base64url')}.${value}`;
    },
    unwrap: (sealed) => {
      const [version, letter = '', from, mac = '', ...rest] = sealed.split('.');
      const kind = KINDS.get(letter);
      if (version !== VERSION || kind === undefined || from !== endpoint) return undefined;
      const value = rest.join('.');
      const given = Buffer.from(mac, 'base64url');
      const wanted = macOf(letter, value);
      const isGenuine = given.length === wanted.length && timingSafeEqual(given, wanted);
      return isGenuine ? { kind, value } : undefined;
    },
  };
}
