import { invariant } from './integers.ts';

/**
 * Ledger accounts by kind. USD kinds are below 100 and count micro-dollars; token kinds count tokens of one instrument.
 * The numbers are part of the journal and never change.
 */
export const KIND = {
  userPromotional: 1,
  userProceeds: 2,
  userCard: 3,
  heldPromotional: 4,
  heldProceeds: 5,
  heldCard: 6,
  collateral: 7,
  refundPending: 8,
  /** Card money held for a dispute. */
  disputeHeld: 9,
  /** Proceeds of primary sales not yet delivered; owner = issuer, instrument = the instrument sold. */
  escrow: 10,
  /** What an account owes beyond its balance, as a negative amount. */
  badDebt: 11,
  /** Proceeds held for a dispute. */
  disputeHeldProceeds: 12,
  promotions: 20,
  stripe: 21,
  fees: 22,
  reserve: 23,
  stripeFees: 24,
  operatorFunds: 25,
  issuance: 101,
  trading: 102,
  tradingHeld: 103,
  consumption: 104,
  /** Source of tokens: minus everything ever issued. */
  issued: 120,
  consumed: 121,
  retired: 122,
  boughtBack: 123,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Kinds that may go below zero: sources, sinks and receivables of the system. */
const MAY_BE_NEGATIVE: ReadonlySet<number> = new Set([
  KIND.badDebt,
  KIND.promotions,
  KIND.stripe,
  KIND.fees,
  KIND.stripeFees,
  KIND.operatorFunds,
  KIND.issued,
]);

export const FIRST_TOKEN_KIND = 100;

export function isTokenKind(kind: number): boolean {
  return kind >= FIRST_TOKEN_KIND;
}

export function mayBeNegative(kind: number): boolean {
  return MAY_BE_NEGATIVE.has(kind);
}

/** One leg of a double entry. `account` is 0 for system accounts, `instrument` 0 where none is meant. */
export interface Leg {
  readonly kind: Kind;
  readonly account: number;
  readonly instrument: number;
  /** Micro-dollars or tokens, signed. */
  readonly amount: number;
}

const INSTRUMENT_FACTOR = 4096;
const KIND_FACTOR = 128;

/** A balance of the ledger as exported: kind, account, instrument, amount. */
export type BalanceRow = readonly [kind: number, account: number, instrument: number, amount: number];

/**
 * All balances. The only way to change one is {@link post}; a command's legs must sum to zero per asset, which
 * {@link closeTransaction} holds it to.
 */
export class Ledger {
  /** Account number -> balances keyed by kind and instrument. Account 0 is the system. */
  private readonly owners = new Map<number, Map<number, number>>();
  private legs: Leg[] = [];

  balance(kind: Kind, account = 0, instrument = 0): number {
    return this.owners.get(account)?.get(kind + KIND_FACTOR * instrument) ?? 0;
  }

  post(kind: Kind, owner: { account?: number; instrument?: number }, amount: number): void {
    if (amount === 0) return;
    const { account = 0, instrument = 0 } = owner;
    let balances = this.owners.get(account);
    if (balances === undefined) {
      balances = new Map();
      this.owners.set(account, balances);
    }
    const key = kind + KIND_FACTOR * instrument;
    const balance = (balances.get(key) ?? 0) + amount;
    invariant(Number.isSafeInteger(balance), 'ledger: every balance stays below 2^53');
    invariant(balance >= 0 || MAY_BE_NEGATIVE.has(kind), `ledger: kind ${kind} never goes below zero`);
    balances.set(key, balance);
    this.legs.push({ kind, account, instrument, amount });
  }

  /** Ends a command: checks that its legs sum to zero per asset and hands them over. */
  closeTransaction(): Leg[] {
    const { legs } = this;
    this.legs = [];
    let usd = 0;
    let tokens: Map<number, number> | undefined;
    for (const leg of legs) {
      if (isTokenKind(leg.kind)) {
        tokens ??= new Map();
        tokens.set(leg.instrument, (tokens.get(leg.instrument) ?? 0) + leg.amount);
      } else {
        usd += leg.amount;
      }
    }
    invariant(usd === 0, 'ledger: the USD legs of a command sum to zero');
    for (const sum of tokens?.values() ?? []) {
      invariant(sum === 0, 'ledger: the token legs of a command sum to zero per instrument');
    }
    return legs;
  }

  /** Balances that are not zero, in a canonical order. */
  rows(): BalanceRow[] {
    const rows: BalanceRow[] = [];
    for (const [account, balances] of this.owners) {
      for (const [key, amount] of balances) {
        if (amount !== 0) rows.push([key % KIND_FACTOR, account, Math.floor(key / KIND_FACTOR), amount]);
      }
    }
    return rows.sort((a, b) => a[1] - b[1] || a[2] - b[2] || a[0] - b[0]);
  }

  restore(rows: readonly BalanceRow[]): void {
    this.owners.clear();
    for (const [kind, account, instrument, amount] of rows) {
      invariant(instrument < INSTRUMENT_FACTOR, 'ledger: instrument numbers stay below 4096');
      let balances = this.owners.get(account);
      if (balances === undefined) {
        balances = new Map();
        this.owners.set(account, balances);
      }
      balances.set(kind + KIND_FACTOR * instrument, amount);
    }
  }
}
