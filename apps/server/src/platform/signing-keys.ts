import { randomBytes } from 'node:crypto';
import { type ErrorCode, gridError, type Result } from '@opengrid/wire';
import { newId } from '../ids.ts';
import type { Authentication, Caller, SigningKey, SigningKeyDirectory } from '../ports/identity.ts';
import type { Database } from '../store/database.ts';
import type { Account } from './accounts.ts';
import type { AccountStanding } from './keys.ts';
import { checkPublicKey, isProof, keyObjectOf } from './public-key.ts';
import { autoBuyOf } from './settings.ts';
import * as table from './signing-key-table.ts';

export type { SigningKeyRecord } from './signing-key-table.ts';

export interface NewSigningKey {
  readonly label: string;
  /** Base64 of the raw 32 bytes, padding optional. */
  readonly publicKey: string;
  readonly requireNonce?: boolean;
  readonly readOnly?: boolean;
  readonly expiresAtMs?: number | null;
  /** Optional proof of possession: an open challenge, and the key's signature over it in base64. */
  readonly proof?: { readonly challenge: string; readonly signature: string };
}

export interface SigningKeysOptions {
  readonly database: Database;
  readonly accounts: AccountStanding;
  readonly clock?: () => number;
}

interface Entry {
  record: table.SigningKeyRecord;
  readonly publicKey: SigningKey['publicKey'];
}

const MAX_LIVE_KEYS = 20;
const MAX_LABEL_LENGTH = 100;
const CHALLENGE_MS = 600_000;
const MAX_CHALLENGES = 1_000;
const MINUTE_MS = 60_000;
/** What a signature may do: everything of the Trading surface. A read-only key has the reading half. */
const READ_SCOPES = ['trade:read', 'account:read', 'supply:read'];
const WRITE_SCOPES = ['trade:write', 'account:write', 'supply:write'];

function refused(code: ErrorCode): { ok: false; error: ReturnType<typeof gridError> } {
  return { ok: false, error: gridError(code) };
}

function fieldError(field: string, message: string): { ok: false; error: ReturnType<typeof gridError> } {
  return { ok: false, error: gridError('validation_failed', { fields: { [field]: [message] } }) };
}

/** Signing keys. Checks of requests read memory only; a revocation holds from the moment it is durable. */
export class SigningKeys implements SigningKeyDirectory {
  private readonly options: SigningKeysOptions;
  private readonly clock: () => number;
  private byFingerprint = new Map<string, Entry>();
  private byId = new Map<string, Entry>();
  private readonly used = new Map<string, number>();
  private readonly challenges = new Map<string, number>();

  private constructor(options: SigningKeysOptions) {
    this.options = options;
    this.clock = options.clock ?? Date.now;
  }

  static async load(options: SigningKeysOptions): Promise<SigningKeys> {
    const keys = new SigningKeys(options);
    for (const record of await table.readSigningKeys(options.database)) keys.add(record);
    return keys;
  }

  find(fingerprint: string): SigningKey | undefined {
    const entry = this.byFingerprint.get(fingerprint);
    if (entry === undefined) return undefined;
    const { requireNonce, readOnly, isActive, expiresAtMs, ...rest } = entry.record;
    const { keyId, accountNumber, createdAtMs } = rest;
    const isLive = isActive && (expiresAtMs === null || expiresAtMs > this.clock());
    const identity = { keyId, accountNumber, createdAtMs, publicKey: entry.publicKey };
    return { ...identity, requiresNonce: requireNonce, isReadOnly: readOnly, isLive };
  }

  admit(key: SigningKey): Authentication {
    const account = this.options.accounts.byNumber(key.accountNumber);
    if (account === undefined) return refused('unknown_key');
    if (this.options.accounts.isSuspended(key.accountNumber)) return refused('account_suspended');
    if (!account.isEmailVerified) return refused('email_unverified');
    this.touch(key.keyId);
    return { ok: true, caller: callerOf(account, key) };
  }

  list(accountNumber?: number): readonly table.SigningKeyRecord[] {
    const records = [...this.byId.values()].map(({ record }) => record);
    return records.filter((record) => accountNumber === undefined || record.accountNumber === accountNumber);
  }

  /** A text for the holder of a key to sign, good for ten minutes and one registration. */
  newChallenge(): { challenge: string; expiresAtMs: number } {
    const nowMs = this.clock();
    for (const [challenge, endsMs] of this.challenges) {
      if (endsMs <= nowMs || this.challenges.size >= MAX_CHALLENGES) this.challenges.delete(challenge);
    }
    const challenge = `chal_${randomBytes(20).toString('base64url')}`;
    this.challenges.set(challenge, nowMs + CHALLENGE_MS);
    return { challenge, expiresAtMs: nowMs + CHALLENGE_MS };
  }

  /**
   * Registers a public key.
   *
   * @returns `account_not_found`, `public_key_invalid`, `proof_of_possession_invalid`, or `validation_failed` for its fields
   * and above 20 live keys.
   */
  async create(accountNumber: number, input: NewSigningKey): Promise<Result<table.SigningKeyRecord>> {
    if (this.options.accounts.byNumber(accountNumber) === undefined) return refused('account_not_found');
    const invalid = this.validate(accountNumber, input);
    if (invalid !== undefined) return invalid;
    const checked = checkPublicKey(input.publicKey);
    if (checked === undefined || this.byFingerprint.has(checked.fingerprint))
      return refused('public_key_invalid');
    const { proof } = input;
    if (proof !== undefined) {
      const isProven =
        this.takeChallenge(proof.challenge) && isProof(checked, proof.challenge, proof.signature);
      if (!isProven) return refused('proof_of_possession_invalid');
    }
    const nowMs = this.clock();
    const record: table.SigningKeyRecord = {
      keyId: newId('skey', nowMs),
      accountNumber,
      publicKey: checked.bytes,
      fingerprint: checked.fingerprint,
      label: input.label.trim(),
      requireNonce: input.requireNonce ?? false,
      readOnly: input.readOnly ?? false,
      isActive: true,
      expiresAtMs: input.expiresAtMs ?? null,
      revokedAtMs: null,
      lastUsedAtMs: null,
      createdAtMs: nowMs,
    };
    const isNew = await table.insertSigningKey(this.options.database, record);
    if (!isNew) return refused('public_key_invalid');
    this.add(record);
    return { ok: true, value: record };
  }

  /** Ends a key for ever. Revoking twice is fine and keeps the first time. */
  async revoke(keyId: string): Promise<Result<table.SigningKeyRecord>> {
    const entry = this.byId.get(keyId);
    if (entry === undefined) return refused('not_found');
    if (entry.record.revokedAtMs !== null) return { ok: true, value: entry.record };
    const revokedAtMs = this.clock();
    await table.revokeSigningKey(this.options.database, keyId, revokedAtMs);
    entry.record = { ...entry.record, isActive: false, revokedAtMs };
    return { ok: true, value: entry.record };
  }

  /** Writes when keys were last used. Called about once a minute, and before the store closes. */
  async flushLastUsed(): Promise<void> {
    const used = [...this.used];
    this.used.clear();
    if (used.length > 0) await table.updateSigningKeysUsed(this.options.database, used);
  }

  private add(record: table.SigningKeyRecord): void {
    const entry = { record, publicKey: keyObjectOf(record.publicKey) };
    this.byFingerprint.set(record.fingerprint, entry);
    this.byId.set(record.keyId, entry);
  }

  private touch(keyId: string): void {
    const entry = this.byId.get(keyId);
    const nowMs = this.clock();
    const minuteMs = nowMs - (nowMs % MINUTE_MS);
    if (entry === undefined || entry.record.lastUsedAtMs === minuteMs) return;
    entry.record = { ...entry.record, lastUsedAtMs: minuteMs };
    this.used.set(keyId, minuteMs);
  }

  private takeChallenge(challenge: string): boolean {
    const endsMs = this.challenges.get(challenge);
    this.challenges.delete(challenge);
    return endsMs !== undefined && endsMs > this.clock();
  }

  private validate(accountNumber: number, input: NewSigningKey): ReturnType<typeof fieldError> | undefined {
    const length = input.label.trim().length;
    if (length < 1 || length > MAX_LABEL_LENGTH) return fieldError('label', 'has 1 to 100 characters');
    const { expiresAtMs = null } = input;
    const nowMs = this.clock();
    if (expiresAtMs !== null && expiresAtMs <= nowMs) return fieldError('expires_at', 'is in the past');
    const live = this.list(accountNumber).filter(
      (record) => record.revokedAtMs === null && (record.expiresAtMs === null || record.expiresAtMs > nowMs),
    );
    if (live.length >= MAX_LIVE_KEYS)
      return fieldError('public_key', `needs one of the ${MAX_LIVE_KEYS} live keys to be revoked first`);
    return undefined;
  }
}

function callerOf(account: Account, key: SigningKey): Caller {
  const { settings, mode } = account;
  return {
    accountNumber: account.accountNumber,
    userId: account.userId,
    keyId: null,
    scopes: new Set(key.isReadOnly ? READ_SCOPES : [...READ_SCOPES, ...WRITE_SCOPES]),
    mode,
    autoBuy: autoBuyOf(mode, settings),
    defaultInstrument: settings.defaultInstrument,
    allowedRegions: settings.allowedRegions,
    routingMode: null,
    monthlyTokenLimit: null,
  };
}
