import type { RoutingMode } from '../ports/identity.ts';
import type { Queryable } from '../store/database.ts';

/** A consumption key as it may be shown: never the key itself. */
export interface ConsumptionKey {
  readonly keyId: string;
  readonly accountNumber: number;
  readonly name: string;
  /** The first 17 characters. */
  readonly keyPrefix: string;
  readonly scopes: readonly string[];
  /** How inference with this key is routed; null follows the installation. */
  readonly routingMode: RoutingMode | null;
  /** Tokens it may use in a calendar month; null is no limit. */
  readonly monthlyTokenLimit: number | null;
  /** False while suspended, and for ever once revoked. */
  readonly isActive: boolean;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** To the minute. */
  readonly lastUsedAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A key as the store has it: its keyed hash beside what may be shown. */
export interface StoredKey {
  readonly hmac: Buffer;
  readonly record: ConsumptionKey;
}

const SELECT = `
  select key_id as "keyId", account_number as "accountNumber", key_hmac as hmac, key_prefix as "keyPrefix", name, scopes,
    routing_mode as "routingMode", monthly_token_limit as "monthlyTokenLimit", is_active as "isActive", expires_at_ms as "expiresAtMs", revoked_at_ms as "revokedAtMs",
    last_used_at_ms as "lastUsedAtMs", created_at_ms as "createdAtMs", updated_at_ms as "updatedAtMs"
  from consumption_keys order by created_at_ms, key_id`;

const INSERT = `
  insert into consumption_keys (key_id, account_number, key_hmac, key_prefix, name, scopes, is_active, expires_at_ms,
    created_at_ms, updated_at_ms, routing_mode, monthly_token_limit)
  values ($1, $2, $3, $4, $5, $6, true, $7, $8, $8, $9, $10)`;

const UPDATE_STATE = `
  update consumption_keys set is_active = $2, revoked_at_ms = $3, updated_at_ms = $4 where key_id = $1`;

const UPDATE_LAST_USED = `
  update consumption_keys set last_used_at_ms = greatest(coalesce(last_used_at_ms, 0), used.at_ms)
  from unnest($1::text[], $2::bigint[]) as used (id, at_ms)
  where key_id = used.id`;

export async function readKeys(store: Queryable): Promise<StoredKey[]> {
  const { rows } = await store.query<ConsumptionKey & { hmac: Buffer }>({ text: SELECT });
  return rows.map(({ hmac, ...record }) => ({ hmac, record }));
}

export async function insertKey(store: Queryable, { hmac, record }: StoredKey): Promise<void> {
  const { keyId, accountNumber, keyPrefix, name, scopes, expiresAtMs, createdAtMs } = record;
  const limits = [record.routingMode, record.monthlyTokenLimit];
  const values = [keyId, accountNumber, hmac, keyPrefix, name, scopes, expiresAtMs, createdAtMs, ...limits];
  await store.query({ text: INSERT, values });
}

export async function updateState(
  store: Queryable,
  state: Pick<ConsumptionKey, 'keyId' | 'isActive' | 'revokedAtMs' | 'updatedAtMs'>,
): Promise<void> {
  const { keyId, isActive, revokedAtMs, updatedAtMs } = state;
  await store.query({ text: UPDATE_STATE, values: [keyId, isActive, revokedAtMs, updatedAtMs] });
}

export async function updateLastUsed(
  store: Queryable,
  used: readonly (readonly [string, number])[],
): Promise<void> {
  const values = [used.map(([keyId]) => keyId), used.map(([, atMs]) => atMs)];
  await store.query({ text: UPDATE_LAST_USED, values });
}
