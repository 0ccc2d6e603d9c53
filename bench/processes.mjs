// Starting, pinning and measuring the processes of a benchmark. Everything is ended again by `stopAll`.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const children = [];
const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString() || 100);

function spawnPinned({ args, core, env = {} }, stdio) {
  const command = hasTaskset && core !== undefined ? 'taskset' : process.execPath;
  const prefix = hasTaskset && core !== undefined ? ['-c', String(core), process.execPath] : [];
  const child = spawn(command, [...prefix, ...args], { stdio, env: { ...process.env, ...env } });
  children.push(child);
  return child;
}

/** Starts `node …args` on one core and waits for a line `NAME {json}` on its standard output. */
export function start({ args, core, env, readyWord }) {
  const child = spawnPinned({ args, core, env }, ['pipe', 'pipe', 'inherit']);
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

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answersAt(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Starts somebody else's server, `args` given its port, and waits until something listens there. */
export async function startAt({ args, core, env, timeoutMs = 30_000 }) {
  const port = await freePort();
  const child = spawnPinned({ args: args(port), core, env }, 'ignore');
  const until = Date.now() + timeoutMs;
  while (!(await answersAt(port))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (Date.now() > until) throw new Error(`it did not listen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { child, pid: child.pid, url: `http://127.0.0.1:${port}` };
}

/** The name, state, parent, … of a process, as Linux has them. */
function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const end = text.lastIndexOf(') ');
  const fields = text.slice(end + 2).split(' ');
  const micros = ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
  return { name: text.slice(text.indexOf('(') + 1, end), parent: Number(fields[1]), micros };
}

/** CPU time of a process with all its threads, in microseconds. Linux only; NaN elsewhere. */
export function cpuMicros(pid) {
  try {
    return statOf(pid).micros;
  } catch {
    return Number.NaN;
  }
}

/** CPU time of the PostgreSQL servers that this process started, in microseconds. Linux only; NaN elsewhere. */
export function postgresCpuMicros() {
  try {
    const stats = new Map();
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        stats.set(Number(name), statOf(name));
      } catch {
        // It ended between the list and the look.
      }
    }
    const isOurs = (pid) => pid === process.pid || (stats.has(pid) && isOurs(stats.get(pid).parent));
    const servers = [...stats].filter(([pid, { name }]) => name === 'postgres' && isOurs(pid));
    return servers.reduce((sum, [, { micros }]) => sum + micros, 0);
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
