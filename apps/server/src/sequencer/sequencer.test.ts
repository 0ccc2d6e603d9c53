import { KIND } from '@opengrid/exchange';
import { describe, expect, it, vi } from 'vitest';
import type { SystemEvent } from '../ports/telemetry.ts';
import { CommitOutcomeUnknown, CommitRefused, type Database, StoreUnavailable } from '../store/database.ts';
import { forEachStore } from '../store/testing.ts';
import { hashState } from './recovery.ts';
import {
  accepted,
  BUYER,
  buy,
  consume,
  INSTRUMENT,
  openSequencer,
  receiptFacts,
  SUPPLIER,
  seedMarket,
  silentTelemetry,
} from './testing.ts';
import { EngineOverloaded, EngineUnavailable, OutcomeUnknown } from './types.ts';
import { verifyLedger } from './verify.ts';

function stateOf(sequencer: { exchange: { export(): unknown } }): string {
  return hashState(JSON.stringify(sequencer.exchange.export()));
}

/** A database whose commits can be made to fail before or after they take effect. */
function faulty(database: Database): { database: Database; failNext: (how: 'before' | 'after') => void } {
  let next: 'before' | 'after' | undefined;
  const wrapped: Database = Object.create(database, {
    commit: {
      value: async (statement: Parameters<Database['commit']>[0]) => {
        const how = next;
        next = undefined;
        if (how === 'before') throw new CommitRefused(new StoreUnavailable('cut', 'wait'));
        const rows = await database.commit(statement);
        if (how === 'after') throw new CommitOutcomeUnknown('cut');
        return rows;
      },
    },
    query: { value: database.query.bind(database) },
    transaction: { value: database.transaction.bind(database) },
  }) as Database;
  return {
    database: wrapped,
    failNext: (how) => {
      next = how;
    },
  };
}

forEachStore('sequencer', (open) => {
  it('commits a purchase and a delivery so that the ledger verifies and a restart finds the same state', async () => {
    const store = await open();
    const first = await openSequencer(store.database);
    await seedMarket(first);
    const bought = await accepted(first, buy(1));
    expect(bought.orderId).toMatch(/^order_[0-9a-hjkmnp-tv-z]{26}$/);
    await consume(first, 'req_a', 1_000);
    await consume(first, 'req_b', 234_567);
    const before = stateOf(first);

    const report = await verifyLedger(store.database);
    expect(report.checks.filter((check) => !check.ok)).toEqual([]);
    expect(report.stateHash).toBe(before);

    const second = await openSequencer(store.database);
    expect(stateOf(second)).toBe(before);
    expect(second.earmarks.freeTokens(BUYER, INSTRUMENT)).toBe(1_000_000 - 235_567);
    const { rows } = await store.database.query({
      text: 'select receipt_no, cost_e10, cost_status from receipts order by receipt_no',
    });
    expect(rows).toEqual([
      { receipt_no: 1, cost_e10: 25_000_000, cost_status: 'reconciled' },
      { receipt_no: 2, cost_e10: 5_864_175_000, cost_status: 'reconciled' },
    ]);
  });

  it('puts everything that queued while a commit ran into the next one', async () => {
    const store = await open();
    const sequencer = await openSequencer(store.database);
    await seedMarket(sequencer);
    const batches: number[] = [];
    sequencer.onCommitted(({ entries }) => batches.push(entries.length));
    const credits = Array.from({ length: 50 }, (_, index) =>
      accepted(sequencer, { kind: 'credit', account: BUYER, origin: 'card', amountMicros: index + 1 }),
    );
    await Promise.all(credits);
    expect(batches.reduce((sum, count) => sum + count, 0)).toBe(50);
    expect(batches.length).toBeLessThan(10);
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });

  it('writes the states of an order that changes twice in one batch as one row', async () => {
    const store = await open();
    const sequencer = await openSequencer(store.database);
    await seedMarket(sequencer);
    await Promise.all([
      accepted(sequencer, buy(1)),
      accepted(sequencer, buy(1)),
      accepted(sequencer, buy(1)),
    ]);
    const { rows } = await store.database.query({
      text: `select side, status, filled_units, remaining_units from orders order by order_seq`,
    });
    expect(rows[0]).toEqual({
      side: 'sell',
      status: 'partially_filled',
      filled_units: 3,
      remaining_units: 97,
    });
    expect(rows).toHaveLength(4);
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });

  it('answers a refusal at once, and it leaves nothing behind', async () => {
    const store = await open();
    const sequencer = await openSequencer(store.database);
    await seedMarket(sequencer);
    const before = stateOf(sequencer);
    await expect(sequencer.submit(buy(10_000))).resolves.toMatchObject({
      ok: false,
      code: 'insufficient_balance',
    });
    expect(stateOf(sequencer)).toBe(before);
  });

  it('is fenced: once another writer has taken over it writes nothing and says so', async () => {
    const store = await open();
    const onLost = vi.fn();
    const old = await openSequencer(store.database, { onLost });
    await seedMarket(old);
    const taken = await openSequencer(store.database);
    await expect(
      old.submit({ kind: 'credit', account: BUYER, origin: 'promotional', amountMicros: 1 }),
    ).rejects.toBeInstanceOf(EngineUnavailable);
    expect(onLost).toHaveBeenCalledExactlyOnceWith('fenced');
    await expect(old.submit(buy(1))).rejects.toBeInstanceOf(EngineUnavailable);
    expect(taken.exchange.availableUsdMicros(BUYER)).toBe(25_000_000);
    await accepted(taken, buy(1));
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });

  it('a commit that certainly failed is undone in memory and answered as not accepted', async () => {
    const store = await open();
    const { database, failNext } = faulty(store.database);
    const told: SystemEvent[] = [];
    const telemetry = { ...silentTelemetry, system: (event: SystemEvent) => void told.push(event) };
    const sequencer = await openSequencer(database, { telemetry });
    await seedMarket(sequencer);
    const before = stateOf(sequencer);
    failNext('before');
    await expect(sequencer.submit(buy(1))).rejects.toBeInstanceOf(EngineUnavailable);
    expect(stateOf(sequencer)).toBe(before);
    const [failed] = told;
    expect(failed).toMatchObject({ event: 'commit_failed', fields: { reason: 'StoreUnavailable' } });
    await accepted(sequencer, buy(1));
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });

  it('a commit whose answer was lost is found in the store and acknowledged once', async () => {
    const store = await open();
    const { database, failNext } = faulty(store.database);
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    failNext('after');
    const bought = await accepted(sequencer, buy(1));
    expect(bought.outcome.order).toBeDefined();
    expect(sequencer.earmarks.freeTokens(BUYER, INSTRUMENT)).toBe(1_000_000);
    const { rows } = await store.database.query({ text: `select count(*) as n from trades` });
    expect(rows).toEqual([{ n: 1 }]);
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });

  it('starts from its snapshot, and a damaged snapshot is noticed', async () => {
    const store = await open();
    const first = await openSequencer(store.database);
    await seedMarket(first);
    await accepted(first, buy(2));
    const before = stateOf(first);
    await first.close();
    await store.database.query({ text: `delete from journal`, values: [] });
    expect(stateOf(await openSequencer(store.database))).toBe(before);
    await store.database.query({ text: `update snapshots set state_hash = 'x'`, values: [] });
    await expect(openSequencer(store.database)).rejects.toThrow(/snapshot/);
  });

  it('ledger verification names the rule that a damaged row breaks', async () => {
    const store = await open();
    const sequencer = await openSequencer(store.database);
    await seedMarket(sequencer);
    await accepted(sequencer, buy(2));
    await consume(sequencer, 'req_a', 5_000);
    const damages: [string, RegExp][] = [
      [`update balances set amount = amount + 1 where kind = ${KIND.userPromotional}`, /sum of its entries/],
      [`update entries set amount = amount + 1 where command_seq = 4 and position = 0`, /sum to zero/],
      [`update lots set tokens_remaining = tokens_remaining - 1`, /tokens left in lots/],
      [`update escrow_ranges set released_micros = released_micros + 1`, /undelivered units/],
      [`update receipt_draws set tokens = tokens + 1`, /drawn from a lot/],
      [`update receipts set cost_e10 = cost_e10 + 1`, /its tokens and its cost/],
      [`update receipts set receipt_no = 7`, /numbered without a gap/],
      [`update orders set filled_units = filled_units + 1`, /equal their trades/],
      [`delete from journal where seq = 3`, /journal is dense/],
    ];
    for (const [damage, rule] of damages) {
      const broken = await damagedRules(store.database, damage);
      expect(
        broken.some((name) => rule.test(name)),
        `${damage} -> ${broken.join('; ')}`,
      ).toBe(true);
    }
    expect((await verifyLedger(store.database)).ok).toBe(true);
  });
});

/** Names of the rules that break under a change which is rolled back afterwards. */
async function damagedRules(database: Database, damage: string): Promise<string[]> {
  const undo = new Error('undo');
  let broken: string[] = [];
  const attempt = database.transaction(async (tx) => {
    await tx.query({ text: damage, values: [] });
    const inside: Database = Object.create(database, {
      transaction: { value: (work: (store: typeof tx) => Promise<unknown>) => work(withoutIsolation(tx)) },
    }) as Database;
    const report = await verifyLedger(inside, undefined).catch((error: Error) => error);
    broken =
      report instanceof Error
        ? ['the journal is dense and reaches the last batch']
        : report.checks.filter((check) => !check.ok).map((check) => check.name);
    throw undo;
  });
  await expect(attempt).rejects.toBe(undo);
  return broken;
}

/** The isolation level cannot change after the damage was done in the same transaction. */
function withoutIsolation(tx: { query: Database['query'] }): { query: Database['query'] } {
  const query: Database['query'] = async (statement) =>
    statement.text.startsWith('set transaction') ? { rows: [], rowCount: 0 } : tx.query(statement);
  return { query };
}

describe('sequencer without a store to rely on', () => {
  it('keeps callers waiting no longer than its patience when the store cannot be reached', async () => {
    const { sequencer, cut } = await onFailingStore();
    cut('unknown');
    await expect(sequencer.submit(buy(1))).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(sequencer.status.isAccepting).toBe(false);
    await expect(sequencer.submit(buy(1))).rejects.toBeInstanceOf(EngineUnavailable);
    // The end must not wait for a store that may never come back.
    await sequencer.close();
  });

  it('refuses more than its queue holds', async () => {
    const { sequencer, hang } = await onFailingStore({ queueLimit: 3 });
    hang();
    const waiting = Array.from({ length: 5 }, () => sequencer.submit(buy(1)).catch((error: Error) => error));
    const results = await Promise.all(waiting.slice(-1));
    expect(results[0]).toBeInstanceOf(EngineOverloaded);
  });
});

/** A sequencer over a store that knows just enough SQL to start, and then fails as told. */
async function onFailingStore(options: { queueLimit?: number } = {}): Promise<{
  sequencer: Awaited<ReturnType<typeof openSequencer>>;
  cut: (how: 'unknown') => void;
  hang: () => void;
}> {
  let state: 'up' | 'unknown' | 'hang' = 'up';
  const lease = { epoch: 1, batch: 0, command_seq: 0, at_ms: 0 };
  const database = {
    engine: 'server',
    query: async ({ text }: { text: string }) => {
      if (state !== 'up') throw new StoreUnavailable('cut', 'wait');
      return { rows: text.includes('writer_lease') ? [lease] : [], rowCount: 1 };
    },
    commit: async () => {
      if (state === 'unknown') throw new CommitOutcomeUnknown('cut');
      if (state === 'hang') return new Promise(() => {});
      return { rows: [{ epoch: 1 }], rowCount: 1 };
    },
    close: async () => {},
  } as unknown as Database;
  const { startSequencer } = await import('./sequencer.ts');
  const { silentTelemetry } = await import('./testing.ts');
  const sequencer = await startSequencer({
    database,
    telemetry: silentTelemetry,
    onLost: () => {},
    recoveryPatienceMs: 50,
    ...options,
  });
  await seedMarket(sequencer);
  return {
    sequencer,
    cut: (how) => {
      state = how;
    },
    hang: () => {
      state = 'hang';
    },
  };
}

describe('receipts of requests that were not billed', () => {
  forEachStore('are kept with a cancelled cost', (open) => {
    it('and number the account like the others', async () => {
      const store = await open();
      const sequencer = await openSequencer(store.database);
      await seedMarket(sequencer);
      const facts = {
        ...receiptFacts('req_x', { input: 5, output: 0 }),
        status: 'error' as const,
        errorCode: 'upstream_error',
      };
      await accepted(
        sequencer,
        { kind: 'settle', account: BUYER, instrument: INSTRUMENT, draws: [], servedBy: 0 },
        { receipt: facts },
      );
      await accepted(sequencer, buy(1));
      await consume(sequencer, 'req_y', 42);
      const { rows } = await store.database.query({
        text: 'select request_id, receipt_no, cost_status, cost_e10 from receipts order by receipt_no',
      });
      expect(rows).toEqual([
        { request_id: 'req_x', receipt_no: 1, cost_status: 'cancelled', cost_e10: null },
        { request_id: 'req_y', receipt_no: 2, cost_status: 'reconciled', cost_e10: 1_050_000 },
      ]);
      expect((await verifyLedger(store.database)).ok).toBe(true);
      expect(sequencer.exchange.balance(KIND.userProceeds, SUPPLIER)).toBeGreaterThan(0);
    });
  });
});
