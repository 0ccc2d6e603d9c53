import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type ErrorCode,
  formatConsumptionKey,
  gridError,
  isWellFormedConsumptionKey,
  keyPrefixOf,
  type Result,
} from '@opengrid/wire';
import { newId } from '../ids.ts';
import type {
  Authentication,
  Caller,
  KeyDirectory,
  PresentedCredential,
  RoutingMode,
} from '../ports/identity.ts';
import type { Database } from '../store/database.ts';
import type { Account } from './accounts.ts';
import type { ConsumptionKey } from './key-table.ts';
import * as keyTable from './key-table.ts';
import { readPresented } from './presented.ts';
import { autoBuyOf } from './settings.ts';

export type { ConsumptionKey } from './key-table.ts';

export interface NewKey {
  readonly name: string;
  readonly expiresAtMs?: number | null;
  /** `DEFAULT_KEY_SCOPES` when left out. */
  readonly scopes?: readonly string[];
  /** Null, or left out, follows the installation. */
  readonly routingMode?: RoutingMode | null;
  /** Tokens a calendar month; null, or left out, is no limit. */
  readonly monthlyTokenLimit?: number | null;
}

/** The full key leaves the process here, once. */
export interface CreatedKey {
  readonly key: string;
  readonly record: ConsumptionKey;
}

/** What the directory asks about accounts. */
export interface AccountStanding {
  byNumber(accountNumber: number): Account | undefined;
  isSuspended(accountNumber: number): boolean;
}

export interface KeysOptions {
  readonly database: Database;
  readonly accounts: AccountStanding;
  readonly pepper: Buffer;
  readonly clock?: () => number;
}

export const DEFAULT_KEY_SCOPES = ['inference', 'usage:read', 'trade:read'] as const;

const KNOWN_SCOPES: ReadonlySet<string> = new Set([
  ...DEFAULT_KEY_SCOPES,
  'trade:write',
  'account:read',
  'account:write',
  'supply:read',
  'supply:write',
  'keys:manage',
  'billing:read',
  'billing:write',
]);
const MAX_LIVE_KEYS = 100;
const MAX_NAME_LENGTH = 100;
const MINUTE_MS = 60_000;

/** A key in memory. The record is replaced when it changes. */
interface Entry {
  readonly hmac: Buffer;
  readonly scopes: ReadonlySet<string>;
  record: ConsumptionKey;
}

function refused(code: ErrorCode): { ok: false; error: ReturnType<typeof gridError> } {
  return { ok: false, error: gridError(code) };
}

function fieldError(field: string, message: string): { ok: false; error: ReturnType<typeof gridError> } {
  return { ok: false, error: gridError('validation_failed', { fields: { [field]: [message] } }) };
}

/**
 * Consumption keys. Authentication reads memory only; the store keeps a keyed hash and the first 17 characters. A
 * revocation holds in this process from the moment it is durable, in others from their next `reload`.
 */
export class ConsumptionKeys implements KeyDirectory {
  private readonly options: KeysOptions;
  private readonly clock: () => number;
  private byHmac = new Map<string, Entry>();
  private byId = new Map<string, Entry>();
  private readonly used = new Map<string, number>();

  private constructor(options: KeysOptions) {
    this.options = options;
    this.clock = options.clock ?? Date.now;
  }

  static async load(options: KeysOptions): Promise<ConsumptionKeys> {
    const keys = new ConsumptionKeys(options);
    await keys.reload();
    return keys;
  }

  /** Reads all keys anew, for changes that another process made. */
  async reload(): Promise<void> {
    const rows = await keyTable.readKeys(this.options.database);
    const [byHmac, byId] = [new Map<string, Entry>(), new Map<string, Entry>()];
    for (const { hmac, record } of rows) {
      const entry = { hmac, record, scopes: new Set(record.scopes) };
      byHmac.set(hmac.toString('latin1'), entry);
      byId.set(record.keyId, entry);
    }
    this.byHmac = byHmac;
    this.byId = byId;
  }

  /** Pattern, checksum, keyed hash; then revoked, expired, and the standing of the account. Scopes are left to the surfaces. */
  authenticate(credential: PresentedCredential): Authentication {
    const presented = readPresented(credential);
    if (presented.kind === 'none') return refused('missing_credentials');
    if (presented.kind === 'wrong_type') return refused('wrong_credential_type');
    // Access tokens come from sessions and grants, and this installation has issued none.
    if (presented.kind === 'access_token') return refused('invalid_token');
    const entry = this.lookUp(presented.text);
    return entry === undefined ? refused('invalid_api_key') : this.admit(entry);
  }

  standing(keyId: string): Authentication {
    const entry = this.byId.get(keyId);
    return entry === undefined ? refused('invalid_api_key') : this.admit(entry);
  }

  list(accountNumber?: number): readonly ConsumptionKey[] {
    const records = [...this.byId.values()].map(({ record }) => record);
    return accountNumber === undefined
      ? records
      : records.filter((record) => record.accountNumber === accountNumber);
  }

  find(keyId: string): ConsumptionKey | undefined {
    return this.byId.get(keyId)?.record;
  }

  /**
   * Makes a key.
   *
   * @returns `account_not_found`, or `validation_failed` for its fields and above 100 live keys.
   */
  async create(accountNumber: number, input: NewKey): Promise<Result<CreatedKey>> {
    if (this.options.accounts.byNumber(accountNumber) === undefined) return refused('account_not_found');
    const invalid = this.validate(accountNumber, input);
    if (invalid !== undefined) return invalid;
    const nowMs = this.clock();
    const key = formatConsumptionKey(randomBytes(28).toString('hex'));
    const record: ConsumptionKey = {
      keyId: newId('key', nowMs),
      accountNumber,
      name: input.name.trim(),
      keyPrefix: keyPrefixOf(key),
      scopes: [...new Set(input.scopes ?? DEFAULT_KEY_SCOPES)],
      routingMode: input.routingMode ?? null,
      monthlyTokenLimit: input.monthlyTokenLimit ?? null,
      isActive: true,
      expiresAtMs: input.expiresAtMs ?? null,
      revokedAtMs: null,
      lastUsedAtMs: null,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    const entry = { hmac: this.hmacOf(key), record, scopes: new Set(record.scopes) };
    await keyTable.insertKey(this.options.database, entry);
    this.byHmac.set(entry.hmac.toString('latin1'), entry);
    this.byId.set(record.keyId, entry);
    return { ok: true, value: { key, record } };
  }

  /** Ends a key for ever. Revoking twice is fine and keeps the first time. */
  async revoke(keyId: string): Promise<Result<ConsumptionKey>> {
    const entry = this.byId.get(keyId);
    if (entry === undefined) return refused('not_found');
    if (entry.record.revokedAtMs !== null) return { ok: true, value: entry.record };
    const nowMs = this.clock();
    return this.change(entry, { isActive: false, revokedAtMs: nowMs });
  }

  /** Suspends a key, or undoes that. A revoked key stays revoked. */
  async setState(keyId: string, state: 'active' | 'suspended'): Promise<Result<ConsumptionKey>> {
    const entry = this.byId.get(keyId);
    if (entry === undefined) return refused('not_found');
    if (entry.record.revokedAtMs !== null) return refused('api_key_revoked');
    return this.change(entry, { isActive: state === 'active' });
  }

  /** Writes when keys were last used. Called about once a minute, and before the store closes. */
  async flushLastUsed(): Promise<void> {
    const used = [...this.used];
    this.used.clear();
    if (used.length === 0) return;
    await keyTable.updateLastUsed(this.options.database, used);
  }

  private lookUp(text: string): Entry | undefined {
    if (!isWellFormedConsumptionKey(text)) return undefined;
    const hmac = this.hmacOf(text);
    const entry = this.byHmac.get(hmac.toString('latin1'));
    return entry !== undefined && timingSafeEqual(entry.hmac, hmac) ? entry : undefined;
  }

  private hmacOf(key: string): Buffer {
    return createHmac('sha256', this.options.pepper).update(key, 'latin1').digest();
  }

  private admit(entry: Entry): Authentication {
    const { record } = entry;
    const nowMs = this.clock();
    if (!record.isActive) return refused('api_key_revoked');
    if (record.expiresAtMs !== null && record.expiresAtMs <= nowMs) return refused('api_key_expired');
    const account = this.options.accounts.byNumber(record.accountNumber);
    if (account === undefined) return refused('invalid_api_key');
    if (this.options.accounts.isSuspended(account.accountNumber)) return refused('account_suspended');
    if (!account.isEmailVerified) return refused('email_unverified');
    this.touch(entry, nowMs);
    return { ok: true, caller: callerOf(account, entry) };
  }

  private touch(entry: Entry, nowMs: number): void {
    const minuteMs = nowMs - (nowMs % MINUTE_MS);
    if (entry.record.lastUsedAtMs === minuteMs) return;
    entry.record = { ...entry.record, lastUsedAtMs: minuteMs };
    this.used.set(entry.record.keyId, minuteMs);
  }

  private async change(entry: Entry, change: Partial<ConsumptionKey>): Promise<Result<ConsumptionKey>> {
    const updatedAtMs = this.clock();
    const { isActive, revokedAtMs } = { ...entry.record, ...change };
    const { keyId } = entry.record;
    await keyTable.updateState(this.options.database, { keyId, isActive, revokedAtMs, updatedAtMs });
    entry.record = { ...entry.record, ...change, updatedAtMs };
    return { ok: true, value: entry.record };
  }

  private validate(
    accountNumber: number,
    input: NewKey,
  ): { ok: false; error: ReturnType<typeof gridError> } | undefined {
    const length = input.name.trim().length;
    if (length < 1 || length > MAX_NAME_LENGTH) return fieldError('name', 'has 1 to 100 characters');
    if (input.scopes?.some((scope) => !KNOWN_SCOPES.has(scope)))
      return fieldError('scopes', 'has an unknown scope');
    if (input.scopes?.length === 0) return fieldError('scopes', 'names at least one scope');
    const { expiresAtMs = null } = input;
    if (expiresAtMs !== null && expiresAtMs <= this.clock())
      return fieldError('expires_at', 'is in the past');
    const limit = input.monthlyTokenLimit ?? 1;
    if (!Number.isSafeInteger(limit) || limit < 1)
      return fieldError('monthly_token_limit', 'is a whole number of tokens above 0');
    const live = this.list(accountNumber).filter(({ revokedAtMs }) => revokedAtMs === null);
    if (live.length >= MAX_LIVE_KEYS)
      return fieldError('name', `needs one of the ${MAX_LIVE_KEYS} live keys to be revoked first`);
    return undefined;
  }
}

function callerOf(account: Account, entry: Entry): Caller {
  const { settings, mode } = account;
  return {
    accountNumber: account.accountNumber,
    userId: account.userId,
    keyId: entry.record.keyId,
    scopes: entry.scopes,
    mode,
    autoBuy: autoBuyOf(mode, settings),
    defaultInstrument: settings.defaultInstrument,
    allowedRegions: settings.allowedRegions,
    routingMode: entry.record.routingMode,
    monthlyTokenLimit: entry.record.monthlyTokenLimit,
  };
}
