import { Exchange } from '@opengrid/exchange';
import { expect, it } from 'vitest';
import type { Database, Statement } from '../store/database.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { silentTelemetry } from './testing.ts';

/** A store that keeps what it is told and answers when it is let. */
function slowStore() {
  const seqs: number[] = [];
  const answers: (() => void)[] = [];
  const faults: unknown[] = [];
  const query = (statement: Statement) => {
    if (statement.text.startsWith('insert')) seqs.push(statement.values?.[0] as number);
    return new Promise((resolve) => answers.push(() => resolve({ rows: [], rowCount: 0 })));
  };
  const answer = async (): Promise<void> => {
    while (answers.length > 0) {
      answers.shift()!();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const telemetry = {
    ...silentTelemetry,
    fault: (_where: string, error: unknown) => void faults.push(error),
  };
  return { database: { query } as unknown as Database, telemetry, seqs, answer, faults };
}

function run(exchange: Exchange, commands: number): void {
  for (let count = 0; count < commands; count += 1) {
    const seq = exchange.lastSeq + 1;
    const outcome = exchange.apply({ seq, atMs: seq, command: { kind: 'open_account', account: seq } });
    expect(outcome.ok).toBe(true);
  }
}

it('a snapshot holds what was durable when it was due, one at a time, and the last one at the end', async () => {
  const store = slowStore();
  const exchange = new Exchange();
  const keeper = new SnapshotKeeper({ ...store, every: 5 });
  run(exchange, 4);
  keeper.count(4, exchange);
  expect(store.seqs).toEqual([]);
  run(exchange, 1);
  keeper.count(1, exchange);
  // Commands go on while it is written, and none of them is in it.
  run(exchange, 9);
  keeper.count(9, exchange);
  expect(store.seqs).toEqual([5]);
  await store.answer();
  run(exchange, 1);
  const closing = keeper.close(exchange);
  await new Promise((resolve) => setImmediate(resolve));
  await store.answer();
  await closing;
  expect(store.seqs).toEqual([5, 15]);
  expect(store.faults).toEqual([]);
});

it('a large state is kept less often, and never so seldom that a start takes long', async () => {
  const store = slowStore();
  const exchange = new Exchange();
  const keeper = new SnapshotKeeper({ ...store, every: 5 });
  run(exchange, 500);
  keeper.count(500, exchange);
  await store.answer();
  for (let count = 0; count < 39; count += 1) {
    run(exchange, 1);
    keeper.count(1, exchange);
  }
  await store.answer();
  expect(store.seqs).toEqual([500]);
  run(exchange, 1);
  keeper.count(1, exchange);
  expect(store.seqs).toEqual([500, 540]);
});
