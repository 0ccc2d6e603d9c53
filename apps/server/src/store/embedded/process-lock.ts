/**
 * An exclusive lock on the data folder. PGlite has none of its own: a second process that opens the same
 * folder commits happily, and its rows vanish without an error.
 *
 * The lock is a file beside PGlite's folder. It names its owner by process id, start time, boot and process
 * namespace, because ids alone are reused, and are all 1 in containers. Where the owner cannot be looked up
 * (another host or container on one volume), the owner's heartbeat decides: it touches the file every second.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { DataFolderInUse } from '../errors.ts';
import { isSameProcessAlive, type ProcessIdentity, thisProcess } from './process-identity.ts';

const HEARTBEAT_MS = 1_000;
/** An owner that we cannot look up counts as dead after this long without a heartbeat. */
const SILENCE_MS = 8_000;
/** How long a killed owner may take to disappear, and how often we look. */
const DYING_MS = 1_500;
const DYING_POLL_MS = 50;
/**
 * Every round ends because somebody else made progress; so many of them mean that something else is wrong.
 */
const MAX_ROUNDS = 20;

interface Owner extends ProcessIdentity {
  /** Tells two locks of one process apart. */
  readonly nonce: string;
}

/** A held lock. */
export interface ProcessLock {
  /**
   * False when another process took the lock away, which only happens to a process that was frozen for long.
   */
  isHeld(): boolean;
  release(): void;
}

/** Where the lock is, and what to do when it is lost. */
export interface LockRequest {
  readonly lockFile: string;
  /** For messages. */
  readonly folder: string;
  readonly onLost: () => void;
  readonly onProgress?: (message: string) => void;
}

/**
 * Takes the lock, also from an owner that has died.
 *
 * @throws DataFolderInUse naming the living owner.
 */
export async function acquireProcessLock(request: LockRequest): Promise<ProcessLock> {
  const owner: Owner = { ...thisProcess(), nonce: randomUUID() };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (tryCreate(request.lockFile, owner)) return hold(request, owner);
    const seen = readOwner(request.lockFile);
    if (seen === 'none') continue;
    if (await outlives(seen, request)) throw new DataFolderInUse(request.folder, seen.pid);
    removeStale(request.lockFile, seen);
  }
  throw new DataFolderInUse(request.folder, 0);
}

/**
 * Creates the complete file or nothing: `link` fails when the name exists, and a reader never sees half a
 * file.
 */
function tryCreate(lockFile: string, owner: Owner): boolean {
  const draft = `${lockFile}.${owner.nonce}`;
  writeFileSync(draft, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, lockFile);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

function readOwner(lockFile: string): Owner | 'none' {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')) as Owner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    // Not one of ours: nobody can be holding it by our rules, so it is stale.
    if (error instanceof SyntaxError) {
      return { pid: 0, startedAt: '', boot: '', namespace: '', nonce: '' };
    }
    throw error;
  }
}

/** Whether the owner lives on. A process that was killed takes a moment to be gone: a restart right behind it waits. */
async function outlives(owner: Owner, request: LockRequest): Promise<boolean> {
  if (isSameProcessAlive(owner) === 'unknown') {
    request.onProgress?.('waiting to see whether another container or host still uses the data folder');
    return hasHeartbeat(request.lockFile);
  }
  for (let waitedMs = 0; waitedMs < DYING_MS; waitedMs += DYING_POLL_MS) {
    if (isSameProcessAlive(owner) === 'dead') return false;
    await sleep(DYING_POLL_MS);
  }
  return true;
}

/** Compares the file's time with itself only: two hosts do not share a clock. */
async function hasHeartbeat(lockFile: string): Promise<boolean> {
  const before = modifiedAtMs(lockFile);
  for (let waitedMs = 0; waitedMs < SILENCE_MS; waitedMs += HEARTBEAT_MS) {
    await sleep(HEARTBEAT_MS);
    if (modifiedAtMs(lockFile) !== before) return true;
  }
  return false;
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

function modifiedAtMs(lockFile: string): number {
  return statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * Moves the stale lock away; a file can be moved by one process only. When what was moved turns out to be the
 * fresh lock of somebody faster, it is put back.
 */
function removeStale(lockFile: string, seen: Owner): void {
  const grave = `${lockFile}.${randomUUID()}`;
  try {
    renameSync(lockFile, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readOwner(grave);
  if (moved !== 'none' && moved.nonce !== seen.nonce) linkBack(grave, lockFile);
  rmSync(grave);
}

function linkBack(grave: string, lockFile: string): void {
  try {
    linkSync(grave, lockFile);
  } catch (error) {
    // A third process was faster still; the owner of the moved lock notices at its next check.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function hold(request: LockRequest, owner: Owner): ProcessLock {
  const { lockFile, onLost } = request;
  const isHeld = () => {
    const current = readOwner(lockFile);
    return current !== 'none' && current.nonce === owner.nonce;
  };
  const timer = setInterval(() => {
    if (isHeld()) return touch(lockFile);
    clearInterval(timer);
    onLost();
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    isHeld,
    release: () => {
      clearInterval(timer);
      if (isHeld()) rmSync(lockFile, { force: true });
    },
  };
}

function touch(lockFile: string): void {
  const now = new Date();
  try {
    utimesSync(lockFile, now, now);
  } catch {
    // A full or vanished disk: the next check of the owner tells which.
  }
}
