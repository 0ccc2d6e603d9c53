import { createHash } from 'node:crypto';

/** A place in a list: what it is sorted by, and the id that breaks ties. */
export interface Place {
  readonly key: number;
  readonly id: string;
}

const LIFETIME_MS = 24 * 3_600_000;
const DIGEST_LENGTH = 22;
const LONGEST = 512;

function digestOf(payload: string, fingerprint: string): string {
  const hash = createHash('sha256').update(`opengrid cursor\n${payload}\n${fingerprint}`);
  return hash.digest('base64url').slice(0, DIGEST_LENGTH);
}

/** Makes a cursor that is good for one list with one set of filters, for a day. */
export function encodeCursor(place: Place, fingerprint: string, nowMs: number): string {
  const payload = Buffer.from(JSON.stringify([place.key, place.id, nowMs])).toString('base64url');
  return `${payload}.${digestOf(payload, fingerprint)}`;
}

/** The place of a cursor; undefined when it is not one of this list, was changed, or is too old. */
export function decodeCursor(cursor: string, fingerprint: string, nowMs: number): Place | undefined {
  const [payload = '', digest, ...rest] = cursor.split('.');
  if (cursor.length > LONGEST || rest.length > 0 || digest !== digestOf(payload, fingerprint))
    return undefined;
  const parts: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  if (!Array.isArray(parts)) return undefined;
  const [key, id, madeAtMs] = parts as unknown[];
  if (typeof key !== 'number' || typeof id !== 'string' || typeof madeAtMs !== 'number') return undefined;
  return madeAtMs + LIFETIME_MS < nowMs ? undefined : { key, id };
}
