// Starting, pinning and measuring the processes of a benchmark. Everything is ended again by `stopAll`.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const children = [];
const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString() || 100);

/** Starts `node …args` on one core and waits for a line `NAME {json}` on its standard output. */
export function start({ args, core, env = {}, readyWord }) {
  const command = hasTaskset && core !== undefined ? 'taskset' : process.execPath;
  const prefix = hasTaskset && core !== undefined ? ['-c', String(core), process.execPath] : [];
  const child = spawn(command, [...prefix, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}\n${text.slice(-2000)}`)));
    child.stdout.on('data', (data) => {
      text += data;
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${readyWord} `));
      if (line !== undefined)
        resolve({ child, pid: child.pid, ...JSON.parse(line.slice(readyWord.length + 1)) });
    });
  });
}

/** CPU time of a process with all its threads, in microseconds. Linux only; NaN elsewhere. */
export function cpuMicros(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Resident memory in MB. */
export function residentMb(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

export async function stopAll() {
  for (const child of children.reverse()) {
    if (child.exitCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10_000).unref())]);
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}

/** Runs the load generator in a process of its own and returns what it printed. */
export function load(job, core) {
  return new Promise((resolve, reject) => {
    const file = new URL('./http-load.mjs', import.meta.url).pathname;
    const pinned = hasTaskset && core !== undefined;
    const args = pinned ? ['-c', String(core), process.execPath, file] : [file];
    const child = spawn(pinned ? 'taskset' : process.execPath, [...args, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`load: ${code}`)),
    );
  });
}
