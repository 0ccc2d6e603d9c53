import type { Command, PlaceOrder } from '@opengrid/exchange';
import { expect, it } from 'vitest';
import type { Database } from '../store/database.ts';
import { forEachStore } from '../store/testing.ts';
import { hashState } from './recovery.ts';
import { accepted, BUYER, consume, INSTRUMENT, openSequencer, SUPPLIER, seedMarket } from './testing.ts';
import type { CommittedBatch, Sequencer } from './types.ts';
import { verifyLedger } from './verify.ts';

const START_MS = 1_767_225_600_000;

/** A clock that stands until it is moved. */
function stoppedClock(): { now: () => number; move: (ms: number) => void } {
  let nowMs = START_MS;
  return {
    now: () => nowMs,
    move: (ms) => {
      nowMs += ms;
    },
  };
}

function bid(members: Partial<PlaceOrder> = {}): Command {
  return {
    kind: 'place_order',
    account: BUYER,
    instrument: INSTRUMENT,
    side: 'buy',
    type: 'limit',
    quantityUnits: 2,
    priceTicks: 20_000,
    timeInForce: 'gtc',
    ...members,
  };
}

async function orderRow(database: Database, order: number): Promise<unknown> {
  const { rows } = await database.query({
    text: `select status, closure_reason, time_in_force, price_ticks, quantity_units, expires_at_ms, closed_at_ms
           from orders where order_seq = $1`,
    values: [order],
  });
  return rows[0];
}

async function kinds(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ kind: string }>({ text: 'select kind from journal order by seq' });
  return rows.map((row) => row.kind);
}

async function expectVerified(database: Database, sequencer: Sequencer): Promise<void> {
  const report = await verifyLedger(database);
  expect(report.checks.filter((check) => !check.ok)).toEqual([]);
  expect(report.stateHash).toBe(hashState(JSON.stringify(sequencer.exchange.export())));
}

forEachStore('the life of orders', (open) => {
  it('what is due is done before the next command, in the same batch, and nobody is told twice', async () => {
    const { database } = await open();
    const clock = stoppedClock();
    const sequencer = await openSequencer(database, { clock: clock.now });
    await seedMarket(sequencer);
    const order = await accepted(sequencer, bid({ timeInForce: 'gtd', expiresAtMs: START_MS + 5_000 }));
    await accepted(sequencer, { kind: 'arm_cancel_timer', account: SUPPLIER, timeoutMs: 5_000 });
    clock.move(5_000);
    const batches: CommittedBatch[] = [];
    sequencer.onCommitted((batch) => batches.push(batch));
    const sale = bid({ account: SUPPLIER, side: 'sell', quantityUnits: 1 });
    const { outcome } = await accepted(sequencer, sale);
    expect(outcome.events.filter(({ type }) => type === 'trade')).toEqual([]);
    expect(batches.map(({ entries }) => entries.length)).toEqual([2]);
    expect((await kinds(database)).slice(-2)).toEqual(['elapse', 'place_order']);
    expect(await orderRow(database, order.outcome.order!)).toEqual({
      status: 'expired',
      closure_reason: 'expired',
      time_in_force: 'gtd',
      price_ticks: 20_000,
      quantity_units: 2,
      expires_at_ms: START_MS + 5_000,
      closed_at_ms: START_MS + 5_000,
    });
    expect(await orderRow(database, 1)).toMatchObject({
      status: 'cancelled',
      closure_reason: 'cancel_all_after',
    });
    await expectVerified(database, sequencer);
  });

  it('what is due wakes the sequencer when nothing else does', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    const ended = new Promise<number>((resolve) => {
      sequencer.onCommitted(({ entries }) => {
        for (const { atMs, outcome } of entries) {
          const isEnd = outcome.events.some((event) => event.type === 'order' && event.status === 'expired');
          if (isEnd) resolve(atMs);
        }
      });
    });
    const expiresAtMs = Date.now() + 300;
    await accepted(sequencer, bid({ timeInForce: 'day', expiresAtMs }));
    expect(await ended).toBeGreaterThanOrEqual(expiresAtMs);
    await sequencer.close();
  });

  it('what came due while no writer ran is done by the next start, before it takes a command', async () => {
    const { database } = await open();
    const clock = stoppedClock();
    const first = await openSequencer(database, { clock: clock.now });
    await seedMarket(first);
    await accepted(first, bid());
    await accepted(first, { kind: 'arm_cancel_timer', account: BUYER, timeoutMs: 60_000 });
    await first.close();
    clock.move(60_000);
    const second = await openSequencer(database, { clock: clock.now });
    expect((await kinds(database)).at(-1)).toBe('elapse');
    expect(await orderRow(database, 2)).toMatchObject({ closure_reason: 'cancel_all_after' });
    expect(second.exchange.timerOf(BUYER)).toBeUndefined();
    await expectVerified(database, second);
  });

  it('an amended order has the terms of its last amend, in one batch with others or alone', async () => {
    const { database } = await open();
    const sequencer = await openSequencer(database);
    await seedMarket(sequencer);
    const stock = { account: SUPPLIER, instrument: INSTRUMENT, quantityUnits: 1 };
    await accepted(sequencer, { kind: 'issue', ...stock });
    await accepted(sequencer, { kind: 'transfer_issued', ...stock });
    const expiresAtMs = Date.now() + 600_000;
    const amend = { kind: 'amend_order', account: BUYER, order: 2 } as const;
    await Promise.all([
      accepted(sequencer, bid()),
      accepted(sequencer, { ...amend, quantityUnits: 1, timeInForce: 'gtd', expiresAtMs }),
    ]);
    const terms = { status: 'active', time_in_force: 'gtd', quantity_units: 1, expires_at_ms: expiresAtMs };
    expect(await orderRow(database, 2)).toMatchObject({ ...terms, price_ticks: 20_000 });
    await accepted(sequencer, { ...amend, priceTicks: 21_000 });
    expect(await orderRow(database, 2)).toMatchObject({ ...terms, price_ticks: 21_000 });
    await Promise.all([
      accepted(sequencer, { ...amend, timeInForce: 'gtc' }),
      accepted(sequencer, bid({ account: SUPPLIER, side: 'sell', quantityUnits: 1, priceTicks: 21_000 })),
    ]);
    const filled = { status: 'filled', time_in_force: 'gtc', price_ticks: 21_000, expires_at_ms: null };
    expect(await orderRow(database, 2)).toMatchObject(filled);
    await expectVerified(database, sequencer);
  });

  it('auctions, units brought back and units retired are in the tables, and verify', async () => {
    const { database } = await open();
    const clock = stoppedClock();
    const sequencer = await openSequencer(database, { clock: clock.now });
    await seedMarket(sequencer);
    await accepted(sequencer, { kind: 'set_trading_state', instrument: INSTRUMENT, state: 'auction' });
    await accepted(sequencer, bid({ priceTicks: 30_000, quantityUnits: 5, autotransfer: true }));
    clock.move(30_000);
    await accepted(sequencer, { kind: 'fund_reserve', amountMicros: 1 });
    await consume(sequencer, 'req_first', 1_200_000);
    const runs = [{ lot: 1, unitFrom: 4, unitTo: 5 }];
    const back = await accepted(sequencer, {
      kind: 'transfer_to_trading',
      account: BUYER,
      instrument: INSTRUMENT,
      runs,
    });
    expect(back.transferId).toMatch(/^transfer_/);
    await accepted(sequencer, { kind: 'issue', account: SUPPLIER, instrument: INSTRUMENT, quantityUnits: 9 });
    const retire = {
      kind: 'retire_issued',
      account: SUPPLIER,
      instrument: INSTRUMENT,
      quantityUnits: 4,
    } as const;
    await accepted(sequencer, retire);
    const { rows } = await database.query({
      text: `select (select json_agg(is_auction) from trades) as auctions,
             (select json_agg(json_build_array(unit_from, unit_to)) from retirements) as retired,
             (select json_agg(direction) from transfers where quantity_units = 2) as back`,
    });
    expect(rows).toEqual([{ auctions: [true], retired: [[106, 109]], back: ['consumption_to_trading'] }]);
    expect(sequencer.earmarks.freeTokens(BUYER, INSTRUMENT)).toBe(1_800_000);
    await expectVerified(database, sequencer);
  });

  it('a snapshot in another shape is passed over: the journal says the same', async () => {
    const { database } = await open();
    const first = await openSequencer(database);
    await seedMarket(first);
    await first.close();
    const stale = await database.query({ text: `update snapshots set version = 1, body = '\\x7b7d'::bytea` });
    expect(stale.rowCount).toBe(1);
    const second = await openSequencer(database);
    expect(second.exchange.lastSeq).toBe(first.exchange.lastSeq);
    await expectVerified(database, second);
    await accepted(second, bid());
    await second.close();
    const { rows } = await database.query({ text: 'select version from snapshots order by command_seq' });
    expect(rows).toEqual([{ version: 1 }, { version: 2 }]);
  });
});

forEachStore('settled state', (open) => {
  it('is what was applied, once its commit is durable, and not before', async () => {
    const { database } = await open();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isHeld = false;
    const slow = Object.create(database, {
      commit: {
        value: async (statement: Parameters<Database['commit']>[0]) => {
          if (isHeld) await gate;
          return database.commit(statement);
        },
      },
      query: { value: database.query.bind(database) },
      transaction: { value: database.transaction.bind(database) },
    }) as Database;
    const sequencer = await openSequencer(slow);
    await seedMarket(sequencer);
    await sequencer.settled();
    isHeld = true;
    const order = accepted(sequencer, bid());
    await new Promise((resolve) => setImmediate(resolve));
    expect(sequencer.exchange.openOrderCount(BUYER, INSTRUMENT)).toBe(1);
    let isSettled = false;
    const settled = sequencer.settled().then(() => {
      isSettled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([isSettled, await orderRow(database, 2)]).toEqual([false, undefined]);
    release();
    await settled;
    expect(await orderRow(database, 2)).toMatchObject({ status: 'active' });
    await order;
    await sequencer.close();
  });
});
