import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedPostgres } from '@opengrid/testing';
import { afterEach, expect, it } from 'vitest';
import { type Database, DatabaseNewer, MigrationChanged, MigrationFailed } from './database.ts';
import { MIGRATIONS_FOLDER, migrate } from './migrate.ts';
import { openDatabase } from './open.ts';
import { forEachStore, newDataFolder } from './testing.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'opengrid-migrations-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function tables(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>({
    text: `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
           order by relname`,
  });
  return rows.map((row) => row.name).filter((name) => name !== 'schema_migration');
}

const FIRST = { '0001_first.sql': 'create table first (id int);\ninsert into first values (1);' };
const SECOND = {
  '0002_second.sql': `
    create table second (id int);
    create function twice(n int) returns int language plpgsql as $$ begin return n * 2; end; $$;
    insert into second values (twice(4));`,
};

forEachStore('migrations', (open) => {
  it('run once, in order, function bodies included, and later ones are added', async () => {
    const { database } = await open();
    const folder = await folderOf(FIRST);
    const told: string[] = [];
    const onProgress = (message: string) => told.push(message);
    expect(await migrate({ database, folder, onProgress })).toEqual(['0001_first.sql']);
    await writeFile(join(folder, '0002_second.sql'), SECOND['0002_second.sql']);
    expect(await migrate({ database, folder, onProgress })).toEqual(['0002_second.sql']);
    expect(await migrate({ database, folder, onProgress })).toEqual([]);
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('0002_second.sql');
    expect((await database.query({ text: 'select id from second' })).rows).toEqual([{ id: 8 }]);
    expect((await database.query({ text: 'select id from first' })).rows).toEqual([{ id: 1 }]);
  });

  it('refuse a file that has changed since it ran, whatever its line endings', async () => {
    const { database } = await open();
    const text = FIRST['0001_first.sql'];
    await migrate({ database, folder: await folderOf(FIRST) });
    const windows = await folderOf({ '0001_first.sql': text.replaceAll('\n', '\r\n') });
    expect(await migrate({ database, folder: windows })).toEqual([]);
    const changed = await folderOf({ '0001_first.sql': `${text} `, ...SECOND });
    await expect(migrate({ database, folder: changed })).rejects.toThrow(MigrationChanged);
    const renamed = await folderOf({ '0001_other.sql': text });
    await expect(migrate({ database, folder: renamed })).rejects.toThrow(MigrationChanged);
    expect(await tables(database)).toEqual(['first']);
  });

  it('refuse a database from a newer program', async () => {
    const { database } = await open();
    await migrate({ database, folder: await folderOf({ ...FIRST, ...SECOND }) });
    await expect(migrate({ database, folder: await folderOf(FIRST) })).rejects.toThrow(DatabaseNewer);
  });

  it('are undone as a whole when one statement fails, and say where', async () => {
    const { database } = await open();
    const folder = await folderOf({
      ...FIRST,
      '0002_bad.sql': 'create table half (id int);\nselect nonsense;',
    });
    const failed = migrate({ database, folder });
    await expect(failed).rejects.toThrow(MigrationFailed);
    await expect(failed).rejects.toThrow('0002_bad.sql failed at line 2');
    expect(await tables(database)).toEqual(['first']);
    await writeFile(join(folder, '0002_bad.sql'), 'create table whole (id int);');
    expect(await migrate({ database, folder })).toEqual(['0002_bad.sql']);
  });

  it('must be numbered without gaps', async () => {
    const { database } = await open();
    const gap = await folderOf({ ...FIRST, '0003_third.sql': 'select 1' });
    await expect(migrate({ database, folder: gap })).rejects.toThrow('number 2 was expected');
    const twins = await folderOf({ ...FIRST, '0001_twin.sql': 'select 1' });
    await expect(migrate({ database, folder: twins })).rejects.toThrow('out of sequence');
  });

  it('run once when several start at the same time', async () => {
    const { database } = await open();
    const folder = await folderOf({ ...FIRST, ...SECOND });
    const ran = await Promise.all([1, 2, 3].map(() => migrate({ database, folder })));
    expect(ran.flat().sort()).toEqual(['0001_first.sql', '0002_second.sql']);
    expect((await database.query({ text: 'select id from first' })).rowCount).toBe(1);
  });

  it('of the program itself are complete', async () => {
    const { database } = await open();
    expect((await migrate({ database, folder: MIGRATIONS_FOLDER })).length).toBeGreaterThan(0);
    expect((await tables(database)).length).toBeGreaterThan(5);
  });
});

it('two servers on one database migrate it once', async () => {
  const databaseUrl = await (await sharedPostgres()).newDatabase();
  const migrationsFolder = await folderOf({ ...FIRST, ...SECOND });
  const options = { databaseUrl, dataFolder: 'unused', migrationsFolder };
  const databases = await Promise.all([openDatabase(options), openDatabase(options)]);
  expect((await databases[0].query({ text: 'select id from first' })).rows).toEqual([{ id: 1 }]);
  for (const database of databases) await database.close();
});

it('a failed migration leaves the data folder unlocked', async () => {
  const dataFolder = await newDataFolder();
  folders.push(dataFolder);
  const bad = await folderOf({ '0001_bad.sql': 'nonsense' });
  await expect(openDatabase({ dataFolder, migrationsFolder: bad })).rejects.toThrow(MigrationFailed);
  const database = await openDatabase({ dataFolder, migrationsFolder: await folderOf(FIRST) });
  expect(database.engine).toBe('embedded');
  expect(await tables(database)).toEqual(['first']);
  await database.close();
});
