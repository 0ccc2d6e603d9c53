/** The data folder: made private, and protected from the traces of an interrupted first start. */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DataFolderUnusable } from '../errors.ts';

/** Less than two segments of write-ahead log: PostgreSQL cannot even start with it. */
const FULL_BELOW_BYTES = 33_554_432;

/** The places inside of a data folder. */
export interface DataFolder {
  readonly root: string;
  /** PGlite's own folder; nobody else writes into it. */
  readonly database: string;
  readonly lockFile: string;
  /** Exists only while the database is being created. */
  readonly creationMark: string;
}

/**
 * Creates the folder, readable by its owner only. A folder that exists keeps its mode, because somebody may
 * share it on purpose; PGlite's own folder in it is always private.
 *
 * @throws DataFolderUnusable when it cannot be created or written.
 */
export function prepareDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const database = join(path, 'pg');
    if (existsSync(database)) chmodSync(database, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DataFolderUnusable(
      `The data folder ${path} cannot be used (${code}).`,
      'Choose a folder that this user may write, or correct its owner and permissions.',
    );
  }
  return {
    root: path,
    database: join(path, 'pg'),
    lockFile: join(path, 'opengrid.lock'),
    creationMark: join(path, 'pg.creating'),
  };
}

/** True when there is a complete database in the folder. */
export function hasDatabase(folder: DataFolder): boolean {
  return !existsSync(folder.creationMark) && existsSync(join(folder.database, 'PG_VERSION'));
}

/**
 * Starts a creation. A start that was killed while it copied the first files left half a database, in
 * which nothing can have been acknowledged: it goes.
 */
export function beginCreation(folder: DataFolder): void {
  if (existsSync(folder.creationMark)) rmSync(folder.database, { recursive: true, force: true });
  writeFileSync(folder.creationMark, '');
  mkdirSync(folder.database, { recursive: true, mode: 0o700 });
}

export function endCreation(folder: DataFolder): void {
  rmSync(folder.creationMark, { force: true });
}

/** True when the disk below the folder has too little room for PostgreSQL to start. */
export function isDiskFull(folder: DataFolder): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder.root);
    return bavail * bsize < FULL_BELOW_BYTES;
  } catch {
    return false;
  }
}
