import { randomFillSync } from 'node:crypto';
import { ID_RANDOM_BYTES, type IdPrefix, makeId } from '@opengrid/wire';

const POOL_IDS = 256;

// Random bytes are drawn for many ids at once: one system call each would cost more than the rest of the id.
const pool = Buffer.alloc(ID_RANDOM_BYTES * POOL_IDS);
let poolOffset = pool.length;

function randomPart(): Uint8Array {
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const part = pool.subarray(poolOffset, poolOffset + ID_RANDOM_BYTES);
  poolOffset += ID_RANDOM_BYTES;
  return part;
}

/** A fresh public id: prefix and a ULID of the given time. */
export function newId(prefix: IdPrefix, nowMs: number): string {
  return makeId(prefix, nowMs, randomPart());
}
