import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CommitOutcomeUnknown, CommitRefused, type Database, DiskFull } from '../database.ts';
import { newDataFolder } from '../testing.ts';
import { openEmbeddedDatabase } from './embedded-database.ts';

/**
 * Rows that grow a table, and rows that grow the write-ahead log alone: PostgreSQL fails differently on each.
 */
const GROW_TABLE = `insert into mark select $1, repeat('x', 2000) from generate_series(1, 500)`;
const GROW_LOG = `insert into mark select $1, pg_logical_emit_message(true, '', repeat('x', 1000000))::text`;

const disk = mkdtempSync(join(tmpdir(), 'opengrid-disk-'));
const canMount = tryMount();

/** A disk of 170 MB needs a privilege that test machines in containers often, and others seldom, have. */
function tryMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=170m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

afterAll(() => {
  if (canMount) execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

/** Commits numbered batches until the disk is full; tells how many were acknowledged, and the failure. */
async function fill(database: Database, text: string): Promise<{ acknowledged: number; error: unknown }> {
  for (let acknowledged = 0; ; acknowledged += 1) {
    try {
      await database.commit({ text, values: [acknowledged] });
    } catch (error) {
      return { acknowledged, error };
    }
  }
}

describe.runIf(canMount).each([
  ['a table', GROW_TABLE],
  ['the write-ahead log', GROW_LOG],
])('a disk that %s has filled', (_, text) => {
  const folder = join(disk, 'data');
  const ballast = join(disk, 'ballast');
  let database: Database;

  beforeAll(async () => {
    const template = await newDataFolder();
    mkdirSync(folder);
    cpSync(template, folder, { recursive: true });
    rmSync(template, { recursive: true });
    writeFileSync(ballast, Buffer.alloc(40_000_000));
    database = await openEmbeddedDatabase({ dataFolder: folder });
    await database.query({ text: 'create table mark (id int, filler text)' });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await database.close();
    rmSync(folder, { recursive: true });
  });

  it('is named, loses nothing that was acknowledged, and is written again once there is room', async () => {
    const { acknowledged, error } = await fill(database, text);
    expect(acknowledged).toBeGreaterThan(10);
    if (error instanceof CommitRefused) expect(error.reason).toBeInstanceOf(DiskFull);
    else expect(error).toBeInstanceOf(CommitOutcomeUnknown);
    expect((error as Error).message).toContain('disk of the database is full');
    const again = await database
      .commit({ text: GROW_TABLE, values: [-1] })
      .catch((refused: unknown) => refused);
    expect((again as CommitRefused).reason).toBeInstanceOf(DiskFull);

    rmSync(ballast);
    // Past the pause in which a database that would not open is not tried again.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    const { rows } = await database.query<{ last: number; count: number }>({
      text: 'select max(id) as last, count(distinct id) as count from mark',
    });
    const found = rows[0]?.count ?? 0;
    expect(rows[0]?.last).toBe(found - 1);
    expect([acknowledged, acknowledged + 1]).toContain(found);
    expect((await database.commit({ text: GROW_TABLE, values: [found] })).rowCount).toBe(500);
  });
});

it.runIf(canMount)('a disk that is full from the start is named', async () => {
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(150_000_000));
  await expect(openEmbeddedDatabase({ dataFolder: join(disk, 'fresh') })).rejects.toThrow(DiskFull);
});
