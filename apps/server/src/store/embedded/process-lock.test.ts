import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataFolderInUse } from '../errors.ts';
import { thisProcess } from './process-identity.ts';
import { acquireProcessLock, type ProcessLock } from './process-lock.ts';

let folder: string;
let lockFile: string;
const held: ProcessLock[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opengrid-lock-'));
  lockFile = join(folder, 'opengrid.lock');
});
afterEach(() => {
  vi.useRealTimers();
  for (const lock of held.splice(0)) lock.release();
  rmSync(folder, { recursive: true });
});

async function acquire(onLost = () => {}): Promise<ProcessLock> {
  const lock = await acquireProcessLock({ lockFile, folder, onLost });
  held.push(lock);
  return lock;
}

function writeOwner(owner: Record<string, unknown>): void {
  writeFileSync(lockFile, JSON.stringify({ ...thisProcess(), nonce: 'somebody-else', ...owner }));
}

describe('the lock on the data folder', () => {
  it('is exclusive, names its owner, and can be taken again after its release', async () => {
    const lock = await acquire();
    const refused = acquire();
    await expect(refused).rejects.toThrow(DataFolderInUse);
    await expect(refused).rejects.toThrow(`process ${process.pid}`);
    await expect(refused).rejects.toThrow(folder);
    lock.release();
    expect(existsSync(lockFile)).toBe(false);
    expect((await acquire()).isHeld()).toBe(true);
    expect(readdirSync(folder)).toEqual(['opengrid.lock']);
  });

  it('goes to one only when many want a dead owner’s', async () => {
    writeOwner({ startedAt: 'before this process' });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquire()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['opengrid.lock']);
  });

  it('is taken over from a number that now belongs to another process', async () => {
    writeOwner({ pid: process.ppid, startedAt: 'before that process' });
    expect((await acquire()).isHeld()).toBe(true);
  });

  it.runIf(process.platform === 'linux')('is taken over from a process that was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ');
    writeOwner({ pid: child.pid, startedAt: stat[21] });
    await expect(acquire()).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await acquire()).isHeld()).toBe(true);
  });

  it('is taken over when it cannot be read', async () => {
    writeFileSync(lockFile, 'not a lock');
    expect((await acquire()).isHeld()).toBe(true);
  });

  it('of another container counts while its heartbeat goes on, and not after', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    writeOwner({ namespace: 'pid:[elsewhere]', pid: 1 });
    const refused = expect(acquire()).rejects.toThrow(DataFolderInUse);
    await vi.advanceTimersByTimeAsync(3_000);
    utimesSync(lockFile, new Date(), new Date(1_000));
    await vi.advanceTimersByTimeAsync(8_000);
    await refused;
    const taken = acquire();
    await vi.advanceTimersByTimeAsync(8_000);
    expect((await taken).isHeld()).toBe(true);
  });

  it('tells its owner when it was taken away', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const onLost = vi.fn();
    const lock = await acquire(onLost);
    vi.advanceTimersByTime(3_000);
    expect(onLost).not.toHaveBeenCalled();
    writeOwner({});
    vi.advanceTimersByTime(3_000);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(lock.isHeld()).toBe(false);
    lock.release();
    expect(existsSync(lockFile)).toBe(true);
  });
});
