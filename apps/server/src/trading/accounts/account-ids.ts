import { createHash } from 'node:crypto';
import { ID_RANDOM_BYTES, type IdPrefix, makeId } from '@opengrid/wire';

/** Whose account of what. */
export interface AccountOwner {
  readonly userId: string;
  readonly createdAtMs: number;
}

/**
 * The public id of an account per instrument. It is derived, so that it is the same for ever without being stored; the
 * user id in it is random, so nobody else can make it up.
 */
export function accountIdOf(prefix: IdPrefix, owner: AccountOwner, instrumentNo: number): string {
  const digest = createHash('sha256').update(`${prefix}:${owner.userId}:${instrumentNo}`).digest();
  return makeId(prefix, owner.createdAtMs, digest.subarray(0, ID_RANDOM_BYTES));
}
