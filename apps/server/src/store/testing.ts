/** Runs one suite of tests on both engines. For tests only: nothing of the program imports this file. */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharedPostgres } from '@opengrid/testing';
import { afterAll, afterEach, describe } from 'vitest';
import type { Database } from './database.ts';
import { openEmbeddedDatabase } from './embedded/embedded-database.ts';
import { openServerDatabase } from './server-database.ts';

/** A database of the test's own, empty and not migrated. */
export interface TestStore {
  readonly database: Database;
  /** Opens the same data again: on a server a second connection, embedded only after the first was closed. */
  reopen(): Promise<Database>;
  /** Closes what was opened and removes the data. Happens after the test, too. */
  close(): Promise<void>;
}

/** Makes a {@link TestStore}. */
export type OpenStore = () => Promise<TestStore>;

/**
 * Declares the suite once for the embedded engine and once for a PostgreSQL server. Stores that a test opens
 * are closed after it.
 */
export function forEachStore(
  name: string,
  suite: (open: OpenStore, engine: Database['engine']) => void,
): void {
  describe(`${name} (embedded)`, () => {
    const embedded = new EmbeddedStores();
    afterAll(() => embedded.close());
    suite(
      closedAfterEach(() => embedded.open()),
      'embedded',
    );
  });
  describe(`${name} (server)`, () => {
    suite(closedAfterEach(openServerStore), 'server');
  });
}

function closedAfterEach(open: OpenStore): OpenStore {
  const stores: TestStore[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  return async () => {
    const store = await open();
    stores.push(store);
    return store;
  };
}

/** An empty database on the test run's PostgreSQL server. */
export async function openServerStore(): Promise<TestStore> {
  const databaseUrl = await (await sharedPostgres()).newDatabase();
  return keep(
    () => openServerDatabase({ databaseUrl }),
    async () => {},
  );
}

/** An empty embedded database in a folder of its own. */
export async function openEmbeddedStore(): Promise<TestStore> {
  const dataFolder = await newDataFolder();
  return keep(
    () => openEmbeddedDatabase({ dataFolder }),
    () => rm(dataFolder, { recursive: true }),
  );
}

/**
 * Opening an embedded database takes a second or more, so the tests of one suite pass it on, emptied. One
 * that its test has closed or reopened is not passed on.
 */
class EmbeddedStores {
  #spare: TestStore | undefined;

  async open(): Promise<TestStore> {
    const store = this.#spare ?? (await openEmbeddedStore());
    this.#spare = undefined;
    let isReusable = true;
    const database = observeClose(store.database, () => {
      isReusable = false;
    });
    return {
      database,
      reopen: () => {
        isReusable = false;
        return store.reopen();
      },
      close: async () => {
        if (!isReusable) return store.close();
        isReusable = false;
        await empty(store.database);
        this.#spare = store;
      },
    };
  }

  async close(): Promise<void> {
    await this.#spare?.close();
    this.#spare = undefined;
  }
}

function observeClose(database: Database, onClose: () => void): Database {
  return {
    engine: database.engine,
    query: (statement) => database.query(statement),
    commit: (statement) => database.commit(statement),
    transaction: (work, options) => database.transaction(work, options),
    close: () => {
      onClose();
      return database.close();
    },
  };
}

async function empty(database: Database): Promise<void> {
  const { rows } = await database.query<{ name: string }>({
    text: `select quote_ident(nspname) as name from pg_namespace
           where nspname not like 'pg\\_%' and nspname <> 'information_schema'`,
  });
  for (const { name } of rows) await database.query({ text: `drop schema ${name} cascade` });
  await database.query({ text: 'create schema public' });
}

/**
 * A data folder with an empty embedded database: a copy of one made once, because making one takes seconds.
 */
export async function newDataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'opengrid-data-'));
  template ??= ensureTemplate();
  await cp(await template, folder, { recursive: true });
  return folder;
}

async function keep(open: () => Promise<Database>, remove: () => Promise<void>): Promise<TestStore> {
  const opened = [await open()];
  let isClosed = false;
  return {
    database: opened[0] as Database,
    reopen: async () => {
      const database = await open();
      opened.push(database);
      return database;
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      for (const database of opened) await database.close();
      await remove();
    },
  };
}

let template: Promise<string> | undefined;

/** Kept between runs, beside the packages, under the version of PGlite that made it. */
async function ensureTemplate(): Promise<string> {
  const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = createRequire(import.meta.url)(join(dirname(pglite), '..', 'package.json'));
  const cache = fileURLToPath(new URL('../../../../node_modules/.cache/opengrid/', import.meta.url));
  const folder = join(cache, `pglite-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  try {
    await (await openEmbeddedDatabase({ dataFolder: draft })).close();
    await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
      // Another test process was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
