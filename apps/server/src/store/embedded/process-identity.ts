/** Tells whether the process that wrote a lock is still the one that has its number now. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Enough to recognise a process later. Empty strings where the platform does not say. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks since boot. Elsewhere: what `ps` prints. */
  readonly startedAt: string;
  /** One boot of one kernel; the host name where the kernel does not say. */
  readonly boot: string;
  /** Process ids mean something only inside of one namespace (a container has its own). */
  readonly namespace: string;
}

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    startedAt: startTimeOf(process.pid),
    boot: tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) || hostname(),
    namespace: tryRead(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** `unknown` when the owner lived in another container, on another host, or before a reboot. */
export function isSameProcessAlive(owner: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (owner.pid === 0) return 'dead';
  const here = thisProcess();
  if (owner.boot !== here.boot || owner.namespace !== here.namespace) return 'unknown';
  if (!exists(owner.pid)) return 'dead';
  const startedAt = startTimeOf(owner.pid);
  // Where no start time can be had, the living number alone must do: better refused than two at once.
  return startedAt === '' || startedAt === owner.startedAt ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function startTimeOf(pid: number): string {
  if (process.platform === 'linux') return tryRead(() => linuxStartTime(pid));
  if (process.platform === 'win32') return '';
  return tryRead(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim());
}

/** Field 22 of /proc/<pid>/stat; the command in parentheses may itself hold spaces and parentheses. */
function linuxStartTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has let go of its files: it is as good as gone.
  return fields[0] === 'Z' ? 'gone' : (fields[19] ?? '');
}

function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
