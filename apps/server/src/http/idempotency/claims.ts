import type { Queryable } from '../../store/database.ts';

/** A signed mutation, by key and hash of its decoded signature. */
export interface ClaimSignature {
  readonly keyId: string;
  readonly hash: Buffer;
}

/** Which call of which account, and what it carries, as keyed hashes. */
export interface ClaimScope {
  readonly accountNumber: number;
  readonly scopeHmac: Buffer;
  readonly requestHmac: Buffer;
}

/** One attempt to carry a call out. Times are Unix milliseconds. */
export interface Claim extends ClaimScope {
  readonly claimId: string;
  readonly epoch: number;
  readonly claimedUntilMs: number;
  readonly signature: ClaimSignature | undefined;
  readonly nowMs: number;
  readonly expiresAtMs: number;
}

/** What the store knows of a call. */
export interface ClaimRow {
  readonly requestHmac: Buffer;
  readonly claimId: string;
  readonly epoch: number;
  readonly claimedUntilMs: number;
  readonly keyId: string | null;
  readonly signatureHash: Buffer | null;
  readonly status: number | null;
  readonly response: string | null;
}

const INSERT = `
  insert into idempotency_keys as k (account_number, scope_hmac, request_hmac, claim_id, epoch, claimed_until_ms, key_id,
    signature_hash, created_at_ms, expires_at_ms)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  on conflict (account_number, scope_hmac) do update set request_hmac = excluded.request_hmac,
    claim_id = excluded.claim_id, epoch = excluded.epoch, claimed_until_ms = excluded.claimed_until_ms,
    key_id = excluded.key_id, signature_hash = excluded.signature_hash, status = null, response = null,
    created_at_ms = excluded.created_at_ms, expires_at_ms = excluded.expires_at_ms
  where k.expires_at_ms <= $9
  returning claim_id`;

/** Takes a call that nobody has, or whose time is over; false when another attempt has it or had it. */
export async function insertClaim(store: Queryable, claim: Claim): Promise<boolean> {
  const { rows } = await store.query({
    name: 'idempotency_claim',
    text: INSERT,
    values: [
      claim.accountNumber,
      claim.scopeHmac,
      claim.requestHmac,
      claim.claimId,
      claim.epoch,
      claim.claimedUntilMs,
      claim.signature?.keyId ?? null,
      claim.signature?.hash ?? null,
      claim.nowMs,
      claim.expiresAtMs,
    ],
  });
  return rows.length === 1;
}

export async function readClaim(store: Queryable, scope: ClaimScope): Promise<ClaimRow | undefined> {
  const { rows } = await store.query<ClaimRow>({
    name: 'idempotency_read',
    text: `select request_hmac as "requestHmac", claim_id as "claimId", epoch, claimed_until_ms as "claimedUntilMs",
             key_id as "keyId", signature_hash as "signatureHash", status, response
           from idempotency_keys where account_number = $1 and scope_hmac = $2`,
    values: [scope.accountNumber, scope.scopeHmac],
  });
  return rows[0];
}

/** Takes over from an attempt that ended without an answer; false when somebody else was faster. */
export async function replaceClaim(store: Queryable, claim: Claim, before: ClaimRow): Promise<boolean> {
  const { rows } = await store.query({
    text: `update idempotency_keys set claim_id = $4, epoch = $5, claimed_until_ms = $6, key_id = $7, signature_hash = $8
           where account_number = $1 and scope_hmac = $2 and claim_id = $3 and status is null returning claim_id`,
    values: [
      claim.accountNumber,
      claim.scopeHmac,
      before.claimId,
      claim.claimId,
      claim.epoch,
      claim.claimedUntilMs,
      claim.signature?.keyId ?? null,
      claim.signature?.hash ?? null,
    ],
  });
  return rows.length === 1;
}

/** Keeps the first answer. Another attempt that has taken over meanwhile keeps its own. */
export async function storeAnswer(
  store: Queryable,
  scope: ClaimScope & { readonly claimId: string },
  answer: { readonly status: number; readonly response: string | null },
): Promise<void> {
  await store.query({
    name: 'idempotency_answer',
    text: `update idempotency_keys set status = $4, response = $5
           where account_number = $1 and scope_hmac = $2 and claim_id = $3 and status is null`,
    values: [scope.accountNumber, scope.scopeHmac, scope.claimId, answer.status, answer.response],
  });
}

/** Gives a call back: nothing happened, and a repeat is a first call. */
export async function deleteClaim(
  store: Queryable,
  scope: ClaimScope & { readonly claimId: string },
): Promise<void> {
  await store.query({
    text: `delete from idempotency_keys
           where account_number = $1 and scope_hmac = $2 and claim_id = $3 and status is null`,
    values: [scope.accountNumber, scope.scopeHmac, scope.claimId],
  });
}

/** Leaves a call without an answer: the next one looks whether its command was recorded, and carries it out if not. */
export async function releaseClaim(
  store: Queryable,
  scope: ClaimScope & { readonly claimId: string },
): Promise<void> {
  await store.query({
    text: `update idempotency_keys set claimed_until_ms = 0
           where account_number = $1 and scope_hmac = $2 and claim_id = $3 and status is null`,
    values: [scope.accountNumber, scope.scopeHmac, scope.claimId],
  });
}

export async function deleteExpired(store: Queryable, nowMs: number): Promise<void> {
  await store.query({ text: 'delete from idempotency_keys where expires_at_ms <= $1', values: [nowMs] });
}
