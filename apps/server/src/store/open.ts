/** Opens the database that the configuration asks for, and brings it up to date. */
import type { Database } from './database.ts';
import { openEmbeddedDatabase } from './embedded/embedded-database.ts';
import { migrate } from './migrate.ts';
import { openServerDatabase } from './server-database.ts';

/** Where the database is. */
export interface OpenOptions {
  /** A PostgreSQL server; the embedded engine is used when it is left out. */
  readonly databaseUrl?: string | undefined;
  /** Folder of the embedded engine; not touched when there is a server. */
  readonly dataFolder: string;
  /** Told, in short phrases, what takes time. */
  readonly onProgress?: (message: string) => void;
  /** Folder of the migrations; the program's own when left out. */
  readonly migrationsFolder?: string;
}

/**
 * Connects without migrating: for tools that only look.
 *
 * @throws StoreUnavailable, DataFolderInUse, DataFolderUnusable, DiskFull.
 */
export function connectDatabase(options: OpenOptions): Promise<Database> {
  const { databaseUrl, dataFolder, onProgress } = options;
  if (databaseUrl !== undefined && databaseUrl !== '') return openServerDatabase({ databaseUrl });
  return openEmbeddedDatabase({ dataFolder, ...(onProgress === undefined ? {} : { onProgress }) });
}

/**
 * Connects and migrates: afterwards the schema is the one this program was written for.
 *
 * @throws what {@link connectDatabase} throws; MigrationChanged, DatabaseNewer, MigrationFailed.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const database = await connectDatabase(options);
  try {
    await migrate({
      database,
      ...(options.migrationsFolder === undefined ? {} : { folder: options.migrationsFolder }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}
