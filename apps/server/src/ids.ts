import { randomFillSync } from 'node:crypto';
import { ID_RANDOM_BYTES, type IdPrefix, makeId } from '@opengrid/wire';

const POOL_BYTES = 16_384;

// Random bytes are drawn for many ids at once: one system call each would cost more than the rest of the id.
const pool = Buffer.alloc(POOL_BYTES);
let poolOffset = POOL_BYTES;

function randomPart(size: number): Buffer {
  if (poolOffset + size > POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const part = pool.subarray(poolOffset, poolOffset + size);
  poolOffset += size;
  return part;
}

/** Random bytes in hexadecimal, for ids that others see: not for secrets, which are drawn on their own. */
export function randomHex(bytes: number): string {
  return randomPart(bytes).toString('hex');
}

/** A fresh public id: prefix and a ULID of the given time. */
export function newId(prefix: IdPrefix, nowMs: number): string {
  return makeId(prefix, nowMs, randomPart(ID_RANDOM_BYTES));
}
