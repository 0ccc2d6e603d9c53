import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { randomHex } from '../../ids.ts';

/** What a routing token is good for. Identities and sizes only: no content, and no digest of any. */
export interface RoutingGrant {
  /** Which parked request; random, so that it cannot be guessed. */
  readonly holdId: string;
  readonly requestId: string;
  readonly accountNumber: number;
  /** Null for credentials that are no consumption key. */
  readonly keyId: string | null;
  readonly instrumentNo: number;
  readonly method: string;
  /** Route template of the request, such as `/v1/chat/completions`. */
  readonly path: string;
  readonly bodyBytes: number;
  /** The endpoint that was first in line when the request was admitted. */
  readonly endpointId: string;
}

interface SigningSecret {
  readonly id: string;
  readonly secret: Buffer;
  readonly madeAtMs: number;
}

const ROTATE_AFTER_MS = 3_600_000;
/** Longest token that is looked at. */
const LONGEST_TOKEN = 1_024;

/**
 * Signs and checks routing tokens: `<key id>.<payload>.<HMAC-SHA-256>`. What a token stands for lives in the memory of this
 * process, so its secrets do too; they are replaced every hour, and the one before still counts.
 */
export class RoutingTokens {
  private readonly clock: () => number;
  private secrets: SigningSecret[] = [];

  constructor(clock: () => number) {
    this.clock = clock;
  }

  sign(grant: RoutingGrant): string {
    const { id, secret } = this.current();
    const payload = Buffer.from(JSON.stringify(grant)).toString('base64url');
    return `${id}.${payload}.${macOf(secret, `${id}.${payload}`).toString('base64url')}`;
  }

  /** The grant of a genuine token; undefined for anything else. */
  read(token: string): RoutingGrant | undefined {
    if (token.length > LONGEST_TOKEN) return undefined;
    const [id = '', payload = '', mac = '', ...rest] = token.split('.');
    const known = this.secrets.find((candidate) => candidate.id === id);
    if (known === undefined || rest.length > 0) return undefined;
    const expected = macOf(known.secret, `${id}.${payload}`);
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as RoutingGrant;
  }

  private current(): SigningSecret {
    const nowMs = this.clock();
    const [newest] = this.secrets;
    if (newest !== undefined && nowMs - newest.madeAtMs < ROTATE_AFTER_MS) return newest;
    const made = { id: randomHex(8), secret: randomBytes(32), madeAtMs: nowMs };
    this.secrets = newest === undefined ? [made] : [made, newest];
    return made;
  }
}

function macOf(secret: Buffer, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}
