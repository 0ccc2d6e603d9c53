import { randomBytes } from 'node:crypto';
import { ID_RANDOM_BYTES, type IdPrefix, makeId } from '@opengrid/wire';

/** A fresh public id. */
export function newId(prefix: IdPrefix, nowMs: number): string {
  return makeId(prefix, nowMs, randomBytes(ID_RANDOM_BYTES));
}
