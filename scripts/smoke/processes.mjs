// Runs commands for the smoke test. Each is the leader of a process group of its own, and no group outlives this process.
import { spawn } from 'node:child_process';

const groups = new Set();
process.once('exit', () => {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
});

/** Signals a whole process group, as a terminal does. A group that is gone is no error. */
export function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** What the commands may inherit: enough to run, nothing that could change what is tested. */
const INHERITED =
  /^(PATH|HOME|USER|LANG|TMPDIR|CI|npm_config_(cache|registry|offline|prefer_offline)|NODE_EXTRA_CA_CERTS|https?_proxy)$/i;

function environment(added) {
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', npm_config_update_notifier: 'false', ...added };
}

/** Starts a command and collects what it writes. */
export function start(words, { folder, env = {} }) {
  const child = spawn(words[0], words.slice(1), {
    cwd: folder,
    env: environment(env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  groups.add(child.pid);
  const running = { pid: child.pid, stdout: '', stderr: '', isOver: false };
  child.stdout.on('data', (bytes) => {
    running.stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    running.stderr += bytes;
  });
  running.exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('close', (code, signal) => {
      running.isOver = true;
      groups.delete(child.pid);
      resolve({ code, signal });
    });
  });
  return running;
}

/** Runs a command to its end, which comes by force after the timeout. */
export async function run(words, { timeoutMs = 60_000, ...options }) {
  const running = start(words, options);
  const timer = setTimeout(() => signalGroup(running.pid, 'SIGKILL'), timeoutMs);
  const { code, signal } = await running.exited;
  clearTimeout(timer);
  return { code, signal, stdout: running.stdout, stderr: running.stderr };
}

/** Waits until `probe` gives something, and says what it waited for when it does not. */
export async function waitFor(what, probe, timeoutMs = 60_000) {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > until) throw new Error(`no ${what} within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
