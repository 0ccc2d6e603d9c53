import { describe, expect, it } from 'vitest';
import { CommitOutcomeUnknown, CommitRefused, type Database, StoreUnavailable } from '../store/database.ts';
import { openEmbeddedStore } from '../store/testing.ts';
import { accepted, BUYER, buy, consume, INSTRUMENT, openSequencer, SUPPLIER, seedMarket } from './testing.ts';
import type { AccountEvent, CommittedBatch, Sequencer } from './types.ts';

interface Told {
  readonly account: number;
  readonly userSeq: number;
  readonly what: string;
}

function whatOf(event: AccountEvent): string {
  if (event.kind === 'order') return `order ${event.event.status}`;
  return event.kind === 'trade' ? `trade ${event.side}` : `balance ${event.cause}`;
}

/** Keeps what an account is told, in the order in which it is published. */
function listen(sequencer: Sequencer): Told[] {
  const told: Told[] = [];
  sequencer.onCommitted(({ entries, notices }: CommittedBatch) => {
    for (const { accountEvents } of entries)
      for (const event of accountEvents)
        told.push({ account: event.account, userSeq: event.userSeq, what: whatOf(event) });
    for (const { account, userSeq, cause } of notices)
      told.push({ account, userSeq, what: `notice ${cause}` });
  });
  return told;
}

function of(told: readonly Told[], account: number): Told[] {
  return told.filter((one) => one.account === account);
}

function numbers(told: readonly Told[], account: number): number[] {
  return of(told, account).map(({ userSeq }) => userSeq);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('events of accounts', () => {
  it('are orders, then trades, then balances of each command, numbered densely per account', async () => {
    const store = await openEmbeddedStore();
    const sequencer = await openSequencer(store.database);
    const told = listen(sequencer);
    await seedMarket(sequencer);
    await accepted(sequencer, buy(1));
    expect(of(told, BUYER)).toEqual([
      { account: BUYER, userSeq: 1, what: 'balance adjustment' },
      { account: BUYER, userSeq: 2, what: 'order filled' },
      { account: BUYER, userSeq: 3, what: 'trade buy' },
      { account: BUYER, userSeq: 4, what: 'balance trade' },
    ]);
    expect(of(told, SUPPLIER).map(({ what }) => what)).toEqual([
      'balance transfer',
      'order active',
      'balance order',
      'order partially_filled',
      'trade sell',
      'balance trade',
    ]);
    expect(numbers(told, SUPPLIER)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(sequencer.lastUserSeq(BUYER)).toBe(4);
    await sequencer.close();
    const again = await openSequencer(store.database);
    expect(again.lastUserSeq(BUYER)).toBe(4);
    expect(again.lastUserSeq(SUPPLIER)).toBe(6);
    expect(again.lastUserSeq(999)).toBe(0);
    await store.close();
  });

  it('tell of deliveries once a second and account, also when nothing else happens', async () => {
    const store = await openEmbeddedStore();
    let nowMs = 1_767_225_600_000;
    const sequencer = await openSequencer(store.database, { clock: () => nowMs });
    await seedMarket(sequencer);
    await accepted(sequencer, buy(1));
    const told = listen(sequencer);
    const isNotice = ({ what }: Told): boolean => what.startsWith('notice');
    await consume(sequencer, 'req_1', 100);
    await until(() => told.filter(isNotice).length === 2);
    expect(told.map(({ what }) => what)).toEqual(['notice consumption', 'notice escrow_release']);
    for (let count = 2; count < 6; count += 1) await consume(sequencer, `req_${count}`, 100);
    expect(told.filter(isNotice)).toHaveLength(2);
    nowMs += 1_000;
    await until(() => told.filter(isNotice).length === 4);
    expect(numbers(told, BUYER)).toEqual([5, 6]);
    // What is owed at the end is told before it.
    await consume(sequencer, 'req_6', 100);
    await sequencer.close();
    expect(numbers(told, BUYER)).toEqual([5, 6, 7]);
    const again = await openSequencer(store.database);
    expect(again.lastUserSeq(BUYER)).toBe(7);
    expect(again.exchange.balance(104, BUYER, INSTRUMENT)).toBe(1_000_000 - 600);
    await store.close();
  });

  it('are never numbered alike, whatever becomes of a commit', async () => {
    const store = await openEmbeddedStore();
    let next: 'refused' | 'unknown and done' | undefined;
    const database: Database = {
      engine: store.database.engine,
      query: (statement) => store.database.query(statement),
      transaction: (work, options) => store.database.transaction(work, options),
      close: () => store.database.close(),
      commit: async (statement: Parameters<Database['commit']>[0]) => {
        const how = next;
        next = undefined;
        if (how === 'refused') throw new CommitRefused(new StoreUnavailable('cut', 'wait'));
        const rows = await store.database.commit(statement);
        if (how === 'unknown and done') throw new CommitOutcomeUnknown('cut');
        return rows as never;
      },
    };
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    const told = listen(sequencer);
    next = 'refused';
    await expect(sequencer.submit(buy(1))).rejects.toThrow();
    next = 'unknown and done';
    await accepted(sequencer, buy(1));
    await accepted(sequencer, buy(1));
    const [first = 0, ...rest] = numbers(told, BUYER);
    // The refused command leaves a gap, which clients see.
    expect(first).toBe(5);
    expect(rest).toEqual(rest.map((_, index) => first + 1 + index));
    // The commit that follows the delivery is that of its notice.
    const failures: string[] = [];
    sequencer.onCommitted(({ entries, notices }) => {
      if (entries.some(({ receipt }) => receipt !== undefined)) next = 'refused';
      if (notices.length > 0) failures.push(next ?? 'happened');
    });
    await consume(sequencer, 'req_1', 100);
    await until(() => told.some(({ what }) => what === 'notice consumption'));
    expect(failures).toEqual(['happened']);
    expect(new Set(numbers(told, BUYER)).size).toBe(numbers(told, BUYER).length);
    await sequencer.close();
    const again = await openSequencer(store.database);
    expect(again.lastUserSeq(BUYER)).toBe(Math.max(...numbers(told, BUYER)));
    await store.close();
  });
});
