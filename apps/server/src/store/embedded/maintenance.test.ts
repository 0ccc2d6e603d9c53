import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../database.ts';
import { newDataFolder } from '../testing.ts';
import { openEmbeddedDatabase } from './embedded-database.ts';
import { MAINTENANCE_INTERVAL_MS } from './maintenance.ts';

let folder: string;
let database: Database;

beforeEach(async () => {
  folder = await newDataFolder();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  database = await openEmbeddedDatabase({ dataFolder: folder });
});
afterEach(async () => {
  vi.useRealTimers();
  await database.close();
  rmSync(folder, { recursive: true });
});

async function one(text: string): Promise<unknown> {
  const { rows } = await database.query({ text });
  return Object.values(rows[0] ?? {})[0];
}

/** Lets one interval pass; the lanes run what is due before the next statement of the test. */
async function passInterval(): Promise<void> {
  vi.advanceTimersByTime(MAINTENANCE_INTERVAL_MS);
  await one('select 1');
}

const LOGGED = 'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) from pg_control_checkpoint()';

describe('the housekeeping of the embedded database', () => {
  it('writes a checkpoint once 64 MB have been logged, and not before', async () => {
    const log = (megabytes: number) =>
      one(
        `select count(pg_logical_emit_message(false, '', repeat('x', 1048576)))
         from generate_series(1, ${megabytes})`,
      );
    await log(30);
    await passInterval();
    expect(await one(LOGGED)).toBeGreaterThan(30_000_000);
    await log(40);
    await passInterval();
    expect(await one(LOGGED)).toBeLessThan(1_000_000);
  });

  it('vacuums a table of which many rows are dead, and keeps its statistics fresh', async () => {
    await database.query({
      text: 'create table balance as select id, 0 as amount from generate_series(1, 1000) as id',
    });
    const statistics = async () => {
      const { rows } = await database.query<{ dead: number; vacuums: number; analyzes: number }>({
        text: `select n_dead_tup as dead, vacuum_count as vacuums, analyze_count as analyzes
               from pg_stat_user_tables where relname = 'balance'`,
      });
      return rows[0];
    };
    for (let round = 0; round < 5; round += 1)
      await database.query({ text: 'update balance set amount = amount + 1' });
    // PostgreSQL reports its counters at most once a second.
    await one('select pg_stat_force_next_flush()');
    const before = await statistics();
    // Reading cleans some pages by itself, so fewer than the 5000 that died may be left.
    expect(before?.dead).toBeGreaterThan(1000);
    expect(before?.vacuums).toBe(0);
    await passInterval();
    expect(await statistics()).toEqual({ dead: 0, vacuums: 1, analyzes: 1 });
    await passInterval();
    expect(await statistics()).toEqual({ dead: 0, vacuums: 1, analyzes: 1 });
  });
});
