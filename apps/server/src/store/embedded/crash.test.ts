import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CommitOutcomeUnknown, type Database, DataFolderInUse, StatementTimeout } from '../database.ts';
import { newDataFolder } from '../testing.ts';
import { openEmbeddedDatabase } from './embedded-database.ts';

/**
 * Another process that commits numbered pairs of rows for ever, and prints each number once it is
 * acknowledged.
 */
const WRITER = `
  const { openEmbeddedDatabase } = await import(process.argv[1]);
  const database = await openEmbeddedDatabase({ dataFolder: process.argv[2] });
  await database.query({ text: 'create table if not exists pair (id int, half int, filler text)' });
  const { rows } = await database.query({ text: 'select coalesce(max(id), 0) as last from pair' });
  for (let id = rows[0].last + 1; ; id += 1) {
    await database.commit({
      name: 'write_pair',
      text: "insert into pair select $1, half, repeat('x', 2000) from generate_series(1, 2) as half",
      values: [id],
    });
    process.stdout.write(id + '\\n');
  }`;

/** The built engine, as a program would run it: Node 20 cannot run the source. */
const BUILT = new URL('../../../dist/store/embedded/embedded-database.js', import.meta.url).href;

const folders: string[] = [];
const children: ChildProcess[] = [];
const databases: Database[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const database of databases.splice(0)) await database.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function newFolder(): Promise<string> {
  const folder = await newDataFolder();
  folders.push(folder);
  return folder;
}

async function open(dataFolder: string): Promise<Database> {
  const database = await openEmbeddedDatabase({ dataFolder });
  databases.push(database);
  return database;
}

interface Writer {
  readonly pid: number;
  /** Resolves when that many more pairs have been acknowledged. */
  acknowledged(pairs: number): Promise<void>;
  /** Kills the process in the middle of its writing and tells the last number it had acknowledged. */
  kill(): Promise<number>;
}

function startWriter(dataFolder: string): Writer {
  const args = ['--input-type=module', '-e', WRITER, BUILT, dataFolder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  let last = 0;
  lines.on('line', (line) => {
    last = Number(line);
  });
  return {
    pid: child.pid ?? 0,
    acknowledged: async (pairs) => {
      for (let count = 0; count < pairs; count += 1) await once(lines, 'line');
    },
    kill: async () => {
      const closed = once(lines, 'close');
      child.kill('SIGKILL');
      await closed;
      return last;
    },
  };
}

describe('the embedded database', () => {
  it('keeps what it acknowledged, whole, when its process is killed in the middle of writing', async () => {
    const folder = await newFolder();
    for (const pairs of [5, 150, 40]) {
      const writer = startWriter(folder);
      await writer.acknowledged(pairs);
      const last = await writer.kill();
      const database = await openEmbeddedDatabase({ dataFolder: folder });
      const { rows } = await database.query<{ last: number; pairs: number; rows: number }>({
        text: 'select max(id) as last, count(distinct id) as pairs, count(*) as rows from pair',
      });
      await database.close();
      const found = rows[0] ?? { last: 0, pairs: 0, rows: 0 };
      // One more than was acknowledged may be there: the process died before it could say so.
      expect(found.last - last === 0 || found.last - last === 1).toBe(true);
      expect(found.pairs).toBe(found.last);
      expect(found.rows).toBe(found.last * 2);
    }
  });

  it('refuses a folder that another process has open, and names that process', async () => {
    const folder = await newFolder();
    const writer = startWriter(folder);
    await writer.acknowledged(1);
    const refused = (await open(folder).catch((error: unknown) => error)) as DataFolderInUse;
    expect(refused).toBeInstanceOf(DataFolderInUse);
    expect(refused.pid).toBe(writer.pid);
    expect(refused.folder).toBe(folder);
  });

  it('starts over when its very first start was interrupted', async () => {
    const folder = await newFolder();
    const database = join(folder, 'pg');
    rmSync(database, { recursive: true });
    mkdirSync(database);
    writeFileSync(join(database, 'PG_VERSION'), '18\n');
    writeFileSync(join(folder, 'pg.creating'), '');
    const told: string[] = [];
    const fresh = await openEmbeddedDatabase({
      dataFolder: folder,
      onProgress: (message) => told.push(message),
    });
    databases.push(fresh);
    expect(told.join()).toContain('creating the embedded database');
    expect((await fresh.query({ text: 'select 1 as one' })).rows).toEqual([{ one: 1 }]);
  });

  it('ends a statement that takes too long, says what is known of it, and carries on', async () => {
    const database = await open(await newFolder());
    await database.query({ text: 'create table mark (id int)' });
    await database.commit({ text: 'insert into mark values ($1)', values: [1] });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const commit = failureOf(database.commit({ text: 'select pg_sleep($1)', values: [600] }));
    const queued = database.query({ text: 'select id from mark' });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await commit).toBeInstanceOf(CommitOutcomeUnknown);
    expect((await queued).rows).toEqual([{ id: 1 }]);
    const query = failureOf(database.query({ text: 'select pg_sleep($1)', values: [600] }));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await query).toBeInstanceOf(StatementTimeout);
    expect((await database.query({ text: 'select id from mark' })).rows).toEqual([{ id: 1 }]);
  });

  it('stops at once when its lock was taken away', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const folder = await newFolder();
    const database = await open(folder);
    const commit = failureOf(database.commit({ text: 'select pg_sleep($1)', values: [600] }));
    // Until it has been handed to the thread, it would be refused for sure.
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(join(folder, 'opengrid.lock'), '{"nonce":"somebody else"}');
    vi.advanceTimersByTime(1_000);
    expect(await commit).toBeInstanceOf(CommitOutcomeUnknown);
    await expect(database.query({ text: 'select 1' })).rejects.toThrow(DataFolderInUse);
    await database.close();
    expect(readFileSync(join(folder, 'opengrid.lock'), 'utf8')).toContain('somebody else');
  });

  it('leaves the main thread free while it works', async () => {
    const database = await open(await newFolder());
    let isDone = false;
    const long = database.query({ text: 'select pg_sleep(1)' }).then(() => {
      isDone = true;
    });
    let turns = 0;
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    await long;
    expect(turns).toBeGreaterThan(100);
  });
});

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
