import { type Command, KIND, type Leg } from '@opengrid/exchange';
import type { Queryable } from '../store/database.ts';
import type { Applied } from './projection.ts';
import { TableRows } from './table-rows.ts';
import { USER_SEQUENCES } from './tables.ts';
import type { AccountEvent, AccountNotice, BalanceCause } from './types.ts';

/** Ledger kinds that an account sees in its trading, currency and consumption accounts. */
const SEEN: ReadonlySet<number> = new Set([
  KIND.userPromotional,
  KIND.userProceeds,
  KIND.userCard,
  KIND.heldPromotional,
  KIND.heldProceeds,
  KIND.heldCard,
  KIND.refundPending,
  KIND.disputeHeld,
  KIND.disputeHeldProceeds,
  KIND.escrow,
  KIND.badDebt,
  KIND.trading,
  KIND.tradingHeld,
  KIND.consumption,
]);

const CAUSES: Readonly<Partial<Record<Command['kind'], BalanceCause>>> = {
  place_order: 'order',
  amend_order: 'order',
  cancel_order: 'cancel',
  cancel_orders: 'cancel',
  elapse: 'cancel',
  set_standing: 'cancel',
  set_trading_state: 'cancel',
  transfer_issued: 'transfer',
  transfer_to_consumption: 'transfer',
  transfer_to_trading: 'transfer',
  open_refund: 'refund',
  close_refund: 'refund',
  open_dispute: 'dispute',
  close_dispute: 'dispute',
  terminate_supplier: 'buyback',
};

function causeOf(command: Command): BalanceCause {
  if (command.kind === 'credit') return command.origin === 'card' ? 'top_up' : 'adjustment';
  return CAUSES[command.kind] ?? 'adjustment';
}

function accountsOf(legs: readonly Leg[]): Set<number> {
  const accounts = new Set<number>();
  for (const { account, kind } of legs) if (account > 0 && SEEN.has(kind)) accounts.add(account);
  return accounts;
}

const NOTICE_EVERY_MS = 1_000;

/**
 * Numbers what accounts are told, whether anybody listens or not: a client that comes back sees by the next number
 * whether it missed something. Numbers are written with the commit that they belong to. A commit that fails leaves a gap,
 * never a number that is used twice.
 */
export class AccountEvents {
  private readonly last: Map<number, number>;
  /** Accounts whose number moved on since the last statement. */
  private readonly moved = new Set<number>();
  private readonly pending = new Map<string, Omit<AccountNotice, 'userSeq'>>();
  private noticedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(last: Map<number, number>) {
    this.last = last;
  }

  static async load(store: Queryable): Promise<AccountEvents> {
    const { rows } = await store.query<{ account_number: number; last_seq: number }>({
      text: 'select account_number, last_seq from user_sequences',
      values: [],
    });
    return new AccountEvents(new Map(rows.map((row) => [row.account_number, row.last_seq])));
  }

  /** The number of the last event of an account; 0 before the first. */
  lastOf(account: number): number {
    return this.last.get(account) ?? 0;
  }

  /** What a command tells: orders first, then trades, then balances. Deliveries are told later, in notices. */
  number(applied: Applied): AccountEvent[] {
    const { command, outcome, merged = [], tradeIds = [] } = applied;
    const told: AccountEvent[] = [];
    if (command.kind === 'settle') return told;
    const traders = new Set<number>();
    for (const event of outcome.events) {
      if (event.type !== 'order') continue;
      told.push({ kind: 'order', account: event.account, userSeq: this.next(event.account), event });
    }
    let trade = 0;
    for (const event of outcome.events) {
      if (event.type !== 'trade') continue;
      const tradeId = tradeIds[trade] ?? '';
      trade += 1;
      for (const side of ['buy', 'sell'] as const) {
        const account = side === 'buy' ? event.buyer : event.seller;
        traders.add(account);
        told.push({ kind: 'trade', account, userSeq: this.next(account), event, tradeId, side });
      }
    }
    for (const account of accountsOf(merged)) {
      const cause = traders.has(account) ? 'trade' : causeOf(command);
      told.push({ kind: 'balance', account, userSeq: this.next(account), cause });
    }
    return told;
  }

  /** A delivery is durable: its accounts are told within a second. */
  delivered({ command, merged = [] }: Applied): void {
    if (command.kind !== 'settle') return;
    for (const account of accountsOf(merged)) {
      const cause = account === command.account ? 'consumption' : 'escrow_release';
      this.pending.set(`${account}:${cause}`, { account, cause });
    }
  }

  /** Milliseconds until notices are due; undefined when there are none. */
  dueInMs(nowMs: number): number | undefined {
    if (this.pending.size === 0) return undefined;
    const sinceMs = nowMs - this.noticedAtMs;
    // A clock that was set back must not silence the notices.
    return sinceMs < 0 ? 0 : Math.max(0, NOTICE_EVERY_MS - sinceMs);
  }

  takeNotices(nowMs: number): AccountNotice[] {
    const notices = [...this.pending.values()].map((one) => ({ ...one, userSeq: this.next(one.account) }));
    this.pending.clear();
    if (notices.length > 0) this.noticedAtMs = nowMs;
    return notices;
  }

  /** Notices that were not committed are told again, under later numbers. */
  putBack(notices: readonly AccountNotice[]): void {
    for (const { account, cause } of notices) this.pending.set(`${account}:${cause}`, { account, cause });
  }

  /** The numbers that moved since the last call. */
  rows(): TableRows {
    const rows = new TableRows(USER_SEQUENCES);
    for (const account of this.moved) rows.add({ account_number: account, last_seq: this.lastOf(account) });
    this.moved.clear();
    return rows;
  }

  private next(account: number): number {
    const userSeq = this.lastOf(account) + 1;
    this.last.set(account, userSeq);
    this.moved.add(account);
    return userSeq;
  }
}
