import type { Leg } from '@opengrid/exchange';
import { TableRows } from './table-rows.ts';
import { BALANCES, ENTRIES } from './tables.ts';

type OpenLeg = { -readonly [Name in keyof Leg]: Leg[Name] };

/** Kinds of the ledger stay below this. */
const KIND_LIMIT = 128;

/**
 * Legs of one command on the same ledger account are one entry, and none where they cancel out. A command has few legs, so
 * that looking through them costs less than a key for each.
 */
export function mergedLegs(legs: readonly Leg[]): Leg[] {
  const merged: OpenLeg[] = [];
  for (const { kind, account, instrument, amount } of legs) {
    const entry = merged.find(
      (one) => one.kind === kind && one.account === account && one.instrument === instrument,
    );
    if (entry === undefined) merged.push({ kind, account, instrument, amount });
    else entry.amount += amount;
  }
  return merged.every(({ amount }) => amount !== 0) ? merged : merged.filter(({ amount }) => amount !== 0);
}

/** The entries of a batch, and by how much they change each balance. */
export class EntryRows {
  private readonly entries = new TableRows(ENTRIES);
  /** By account, then by kind and instrument in one number. */
  private readonly changes = new Map<number, Map<number, OpenLeg>>();

  add(seq: number, merged: readonly Leg[]): void {
    let position = 0;
    for (const { kind, account, instrument, amount } of merged) {
      this.entries.add({
        command_seq: seq,
        position,
        kind,
        account_number: account,
        instrument_no: instrument,
        amount,
      });
      position += 1;
      this.change({ kind, account, instrument, amount });
    }
  }

  /** Entries, then balances. */
  rows(): TableRows[] {
    const balances = new TableRows(BALANCES);
    for (const ofAccount of this.changes.values()) {
      for (const { kind, account, instrument, amount } of ofAccount.values()) {
        if (amount !== 0) balances.add({ kind, account_number: account, instrument_no: instrument, amount });
      }
    }
    return [this.entries, balances];
  }

  private change(leg: OpenLeg): void {
    let ofAccount = this.changes.get(leg.account);
    if (ofAccount === undefined) {
      ofAccount = new Map();
      this.changes.set(leg.account, ofAccount);
    }
    const key = leg.instrument * KIND_LIMIT + leg.kind;
    const change = ofAccount.get(key);
    if (change === undefined) ofAccount.set(key, leg);
    else change.amount += leg.amount;
  }
}
