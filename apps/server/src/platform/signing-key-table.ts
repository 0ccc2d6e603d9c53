import type { Queryable } from '../store/database.ts';

/** A signing key as it may be shown. */
export interface SigningKeyRecord {
  readonly keyId: string;
  readonly accountNumber: number;
  /** The raw 32 bytes. */
  readonly publicKey: Buffer;
  readonly fingerprint: string;
  readonly label: string;
  readonly requireNonce: boolean;
  readonly readOnly: boolean;
  readonly isActive: boolean;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** To the minute. */
  readonly lastUsedAtMs: number | null;
  readonly createdAtMs: number;
}

const SELECT = `
  select key_id as "keyId", account_number as "accountNumber", public_key as "publicKey", fingerprint, label,
    require_nonce as "requireNonce", read_only as "readOnly", is_active as "isActive", expires_at_ms as "expiresAtMs",
    revoked_at_ms as "revokedAtMs", last_used_at_ms as "lastUsedAtMs", created_at_ms as "createdAtMs"
  from signing_keys order by created_at_ms, key_id`;

const INSERT = `
  insert into signing_keys (key_id, account_number, public_key, fingerprint, label, require_nonce, read_only, is_active,
    expires_at_ms, created_at_ms)
  values ($1, $2, $3, $4, $5, $6, $7, true, $8, $9)
  on conflict (public_key) do nothing`;

const REVOKE = 'update signing_keys set is_active = false, revoked_at_ms = $2 where key_id = $1';

const UPDATE_LAST_USED = `
  update signing_keys set last_used_at_ms = greatest(coalesce(last_used_at_ms, 0), used.at_ms)
  from unnest($1::text[], $2::bigint[]) as used (id, at_ms)
  where key_id = used.id`;

export async function readSigningKeys(store: Queryable): Promise<SigningKeyRecord[]> {
  return (await store.query<SigningKeyRecord>({ text: SELECT })).rows;
}

/** False when the public key is registered already, by any account. */
export async function insertSigningKey(store: Queryable, record: SigningKeyRecord): Promise<boolean> {
  const { keyId, accountNumber, publicKey, fingerprint, label, requireNonce, readOnly } = record;
  const { expiresAtMs, createdAtMs } = record;
  const flags = [label, requireNonce, readOnly, expiresAtMs, createdAtMs];
  const values = [keyId, accountNumber, publicKey, fingerprint, ...flags];
  const { rowCount } = await store.query({ text: INSERT, values });
  return rowCount === 1;
}

export async function revokeSigningKey(store: Queryable, keyId: string, revokedAtMs: number): Promise<void> {
  await store.query({ text: REVOKE, values: [keyId, revokedAtMs] });
}

export async function updateSigningKeysUsed(
  store: Queryable,
  used: readonly (readonly [string, number])[],
): Promise<void> {
  const values = [used.map(([keyId]) => keyId), used.map(([, atMs]) => atMs)];
  await store.query({ text: UPDATE_LAST_USED, values });
}
