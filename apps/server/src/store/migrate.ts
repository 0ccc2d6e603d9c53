/**
 * Brings a database up to date: runs the numbered files of a folder that have not run yet, in order, each in
 * a transaction of its own. Files are only ever added; one that has run must never change.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database, Queryable } from './database.ts';
import { DatabaseNewer, MigrationChanged, MigrationFailed, StatementRefused } from './errors.ts';

/** The program's own migrations; the path is the same from the source and from the build. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;
/** Rewriting a large table takes minutes; a lock that is never released should still end in an error. */
const MIGRATION_TIMEOUT_MS = 600_000;
/** Any number that no other program on the same database uses for its advisory locks ("ogrd" in ASCII). */
const ADVISORY_LOCK = 0x6f677264;

const CREATE_TABLE = `
  create table if not exists schema_migration (
    number int primary key,
    name text not null,
    checksum text not null,
    applied_at_ms bigint not null
  )`;

/** How to migrate. */
export interface MigrateOptions {
  readonly database: Database;
  /** Folder of `NNNN_name.sql` files; the program's own when left out. */
  readonly folder?: string;
  readonly onProgress?: (message: string) => void;
}

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly checksum: string;
}

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/**
 * Runs the migrations that are missing. Any number of processes may do so at once: each migration runs once.
 *
 * @returns the names of the files that this call ran.
 * @throws MigrationChanged, DatabaseNewer, MigrationFailed (after which the earlier ones stay applied).
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { database, onProgress } = options;
  const migrations = await readMigrations(options.folder ?? MIGRATIONS_FOLDER);
  await exclusively(database, (tx) => tx.query({ text: CREATE_TABLE }));
  const missing = findMissing(migrations, await readApplied(database));
  const ran: string[] = [];
  for (const migration of missing) {
    onProgress?.(`updating the database: ${migration.file} (of ${migrations.length})`);
    if (await runOne(database, migration)) ran.push(migration.file);
  }
  return ran;
}

/** Numbers must run from 1 without a gap, so that two branches cannot both add "the next one" unseen. */
async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const [, digits, name] = FILE_NAME.exec(file) ?? [];
      if (Number(digits) !== index + 1 || name === undefined) {
        throw new MigrationFailed(
          `The migration ${file} is out of sequence: number ${index + 1} was expected.`,
          'Name migrations NNNN_name.sql, numbered from 0001 without gaps.',
        );
      }
      const text = await readFile(join(folder, file), 'utf8');
      return { number: index + 1, name, file, text, checksum: checksumOf(text) };
    }),
  );
}

/** Line endings are left out: a checkout on another system is not another migration. */
function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}

async function readApplied(queryable: Queryable): Promise<Applied[]> {
  const text = 'select number, name, checksum from schema_migration order by number';
  return (await queryable.query<Applied>({ text })).rows;
}

/** Compares what has run with what there is, before anything is changed. */
function findMissing(migrations: Migration[], applied: Applied[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.number, migration]));
  for (const row of applied) {
    const migration = known.get(row.number);
    if (migration === undefined) throw newerError(row);
    assertUnchanged(migration, row);
    known.delete(row.number);
  }
  return [...known.values()];
}

function newerError(row: Applied): DatabaseNewer {
  return new DatabaseNewer(
    `The database has migration ${row.number} (${row.name}), which this program does not know.`,
    'Run the program version that made it, or a newer one.',
  );
}

function assertUnchanged(migration: Migration, row: Applied): void {
  if (row.checksum === migration.checksum && row.name === migration.name) return;
  throw new MigrationChanged(
    `The migration ${migration.file} is not the one that ran on this database (${row.name}).`,
    'Restore the file as it was, and put the change into a new migration.',
  );
}

/** False when another process was faster. */
async function runOne(database: Database, migration: Migration): Promise<boolean> {
  try {
    return await exclusively(database, async (tx) => {
      if (!(await claim(tx, migration))) return false;
      await tx.query({ text: migration.text });
      return true;
    });
  } catch (error) {
    if (error instanceof StatementRefused) throw failure(migration, error);
    throw error;
  }
}

/** The row comes first: whoever inserts it runs the migration, and both stand or fall together. */
async function claim(tx: Queryable, migration: Migration): Promise<boolean> {
  const { number, name, checksum } = migration;
  const inserted = await tx.query({
    text: `insert into schema_migration (number, name, checksum, applied_at_ms) values ($1, $2, $3, $4)
           on conflict (number) do nothing`,
    values: [number, name, checksum, Date.now()],
  });
  if (inserted.rowCount === 1) return true;
  const { rows } = await tx.query<Applied>({
    text: 'select number, name, checksum from schema_migration where number = $1',
    values: [number],
  });
  for (const row of rows) assertUnchanged(migration, row);
  return false;
}

/**
 * One starter at a time. On the embedded engine a transaction is alone anyway; on a server the advisory lock
 * also covers the first `create table if not exists`, which two sessions cannot safely run at once.
 */
function exclusively<T>(database: Database, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return database.transaction(
    async (tx) => {
      await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [ADVISORY_LOCK] });
      return work(tx);
    },
    { statementTimeoutMs: MIGRATION_TIMEOUT_MS },
  );
}

function failure(migration: Migration, error: StatementRefused): MigrationFailed {
  const { line } = error.refusal;
  const where = line === undefined ? '' : ` at line ${line}`;
  return new MigrationFailed(
    `The migration ${migration.file} failed${where} and was rolled back: ${error.message}`,
    'The database is as it was before this migration. Please report it.',
  );
}
