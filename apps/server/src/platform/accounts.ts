import { randomBytes } from 'node:crypto';
import { KIND, TOKENS_PER_UNIT } from '@opengrid/exchange';
import { gridError, type Result } from '@opengrid/wire';
import { newId } from '../ids.ts';
import type { Sequencer } from '../sequencer/types.ts';
import { type Database, StatementRefused } from '../store/database.ts';
import {
  type AccountMode,
  type AccountSettings,
  accountSettingsSchema,
  defaultSettings,
} from './settings.ts';

export type AccountRole = 'member' | 'operator';

export interface Account {
  /** Random; all that orders, journal, entries and receipts know of the account. */
  readonly accountNumber: number;
  readonly userId: string;
  readonly email: string;
  readonly name: string | null;
  readonly mode: AccountMode;
  readonly role: AccountRole;
  readonly isEmailVerified: boolean;
  readonly settings: AccountSettings;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface NewAccount {
  readonly email: string;
  readonly name?: string;
  /** Easy when left out. */
  readonly mode?: AccountMode;
  /** Member when left out. */
  readonly role?: AccountRole;
  /** Marks the address as verified whatever the installation demands; for accounts that the program itself makes. */
  readonly isEmailVerified?: boolean;
}

export interface AccountsOptions {
  readonly database: Database;
  readonly sequencer: Sequencer;
  /** EMAIL_VERIFICATION: `off` marks every address as verified at once. */
  readonly emailVerification: 'on' | 'off';
  readonly clock?: () => number;
}

const SELECT = `
  select account_number as "accountNumber", user_id as "userId", email, name, mode, role,
    is_email_verified as "isEmailVerified", settings, created_at_ms as "createdAtMs", updated_at_ms as "updatedAtMs"
  from accounts order by created_at_ms, account_number`;

const INSERT = `
  insert into accounts (account_number, user_id, email, name, mode, role, is_email_verified, settings,
    created_at_ms, updated_at_ms)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`;

const UNIQUE_VIOLATION = '23505';
const MAX_EMAIL_LENGTH = 254;
const MAX_NAME_LENGTH = 100;
// Single-user installations use addresses such as `me@localhost`, so no dot is demanded after the at sign.
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;

/** Trims, composes and lower-cases an address; undefined when it cannot be one. */
export function normaliseEmail(text: string): string | undefined {
  const email = text.trim().normalize('NFC').toLowerCase();
  return email.length <= MAX_EMAIL_LENGTH && EMAIL.test(email) ? email : undefined;
}

/** A random account number of exactly 49 bits: not guessable, and far below 2^53. */
export function newAccountNumber(): number {
  return 2 ** 48 + randomBytes(6).readUIntBE(0, 6);
}

function fieldError(field: string, message: string): { ok: false; error: ReturnType<typeof gridError> } {
  return { ok: false, error: gridError('validation_failed', { fields: { [field]: [message] } }) };
}

function isUniqueViolation(error: unknown, column: 'email' | 'account_number'): boolean {
  if (!(error instanceof StatementRefused) || error.sqlState !== UNIQUE_VIOLATION) return false;
  return (error.refusal.constraint ?? '').includes(column === 'email' ? 'email' : 'pkey');
}

/** The accounts of this installation, in memory and in the store. */
export class Accounts {
  private readonly options: AccountsOptions;
  private readonly clock: () => number;
  private byNo = new Map<number, Account>();

  private constructor(options: AccountsOptions) {
    this.options = options;
    this.clock = options.clock ?? Date.now;
  }

  /** Reads the accounts, and opens those in the exchange that a crash left out. */
  static async load(options: AccountsOptions): Promise<Accounts> {
    const accounts = new Accounts(options);
    await accounts.reload();
    for (const { accountNumber } of accounts.list()) await accounts.ensureOpened(accountNumber);
    return accounts;
  }

  /** Reads the accounts anew, for changes that another process made. */
  async reload(): Promise<void> {
    const { rows } = await this.options.database.query<Account>({ text: SELECT });
    const read = rows.map((row) => ({ ...row, settings: accountSettingsSchema.parse(row.settings) }));
    this.byNo = new Map(read.map((account) => [account.accountNumber, account]));
  }

  byNumber(accountNumber: number): Account | undefined {
    return this.byNo.get(accountNumber);
  }

  /** By user id, e-mail address or account number, as an operator may name an account. */
  find(reference: string): Account | undefined {
    const email = normaliseEmail(reference);
    return this.list().find(
      (account) =>
        account.userId === reference ||
        account.email === email ||
        String(account.accountNumber) === reference,
    );
  }

  list(): readonly Account[] {
    return [...this.byNo.values()];
  }

  /** Whether the account may use the exchange; suspension is the exchange's own state. */
  isSuspended(accountNumber: number): boolean {
    return this.options.sequencer.exchange.isSuspended(accountNumber);
  }

  /**
   * Creates an account in the store and in the exchange.
   *
   * @returns `validation_failed` for an address that is malformed or taken, or a name that is too long.
   * @throws EngineUnavailable, EngineOverloaded, OutcomeUnknown; the next start then opens the account in the exchange.
   */
  async create(input: NewAccount): Promise<Result<Account>> {
    const email = normaliseEmail(input.email);
    if (email === undefined) return fieldError('email', 'is not an e-mail address');
    const name = input.name?.trim();
    if ((name ?? '').length > MAX_NAME_LENGTH) return fieldError('name', 'has at most 100 characters');
    const account = await this.insert({ ...input, email, ...(name === undefined ? {} : { name }) });
    if (account === undefined) return fieldError('email', 'is in use');
    this.byNo.set(account.accountNumber, account);
    await this.ensureOpened(account.accountNumber);
    return { ok: true, value: account };
  }

  /**
   * Switches the mode. Switching to easy cancels resting orders and moves free trading units to consumption; switching
   * to advanced changes no balance.
   */
  async setMode(accountNumber: number, mode: AccountMode): Promise<Result<Account>> {
    const account = this.byNo.get(accountNumber);
    if (account === undefined) return { ok: false, error: gridError('account_not_found') };
    if (account.mode === mode) return { ok: true, value: account };
    const updatedAtMs = this.clock();
    await this.options.database.query({
      text: 'update accounts set mode = $2, updated_at_ms = $3 where account_number = $1',
      values: [accountNumber, mode, updatedAtMs],
    });
    const changed = { ...account, mode, updatedAtMs };
    this.byNo.set(accountNumber, changed);
    if (mode === 'easy') await this.simplify(accountNumber);
    return { ok: true, value: changed };
  }

  private async insert(input: NewAccount): Promise<Account | undefined> {
    const nowMs = this.clock();
    const account: Account = {
      accountNumber: newAccountNumber(),
      userId: newId('user', nowMs),
      email: input.email,
      name: input.name ?? null,
      mode: input.mode ?? 'easy',
      role: input.role ?? 'member',
      isEmailVerified: this.options.emailVerification === 'off' || (input.isEmailVerified ?? false),
      settings: defaultSettings(),
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    const { accountNumber, userId, email, name, mode, role, isEmailVerified } = account;
    const settings = JSON.stringify(account.settings);
    try {
      const values = [accountNumber, userId, email, name, mode, role, isEmailVerified, settings, nowMs];
      await this.options.database.query({ text: INSERT, values });
      return account;
    } catch (error) {
      if (isUniqueViolation(error, 'email')) return undefined;
      // Once in 2^48 draws the number is taken: another is drawn.
      if (isUniqueViolation(error, 'account_number')) return this.insert(input);
      throw error;
    }
  }

  private async ensureOpened(accountNumber: number): Promise<void> {
    const { sequencer } = this.options;
    if (sequencer.exchange.hasAccount(accountNumber)) return;
    await sequencer.submit({ kind: 'open_account', account: accountNumber });
  }

  private async simplify(account: number): Promise<void> {
    const { database, sequencer } = this.options;
    const { rows } = await database.query<{ order: number }>({
      text: `select order_seq as "order" from orders
             where account_number = $1 and closed_at_ms is null order by order_seq`,
      values: [account],
    });
    for (const { order } of rows) await sequencer.submit({ kind: 'cancel_order', account, order });
    for (const { instrument, tokens } of await this.tradingTokens(account)) {
      const quantityUnits = Math.floor(tokens / TOKENS_PER_UNIT);
      if (quantityUnits === 0) continue;
      await sequencer.submit({ kind: 'transfer_to_consumption', account, instrument, quantityUnits });
    }
  }

  private async tradingTokens(account: number): Promise<{ instrument: number; tokens: number }[]> {
    const { rows } = await this.options.database.query<{ instrument: number; tokens: number }>({
      text: `select instrument_no as instrument, amount as tokens from balances
             where account_number = $1 and kind = $2 and amount > 0 order by instrument_no`,
      values: [account, KIND.trading],
    });
    return rows;
  }
}
