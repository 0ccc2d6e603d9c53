import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pause } from './clock.ts';

/** How a program is run. */
export type ProgramOptions = {
  /** Added behind the options that the other members stand for. */
  args?: readonly string[];
  /** Added to a small fixed environment: nothing else is inherited, so that a shell cannot change a test. */
  env?: Readonly<Record<string, string>>;
  /** Becomes `--data`. */
  dataFolder?: string;
  /** Becomes `--database-url`. */
  databaseUrl?: string;
  /** Default 0, any free port. Becomes `--port`. */
  port?: number;
  /** The script to run with Node. Default: the built server. */
  entry?: string;
  /** Default: the root of the repository. */
  workingFolder?: string;
  /** How long the program may take until it is ready. Default 60 s. */
  readyTimeoutMs?: number;
};

/** How a program ended: an exit code, or the signal that ended it. */
export type ProgramExit = { code: number | null; signal: NodeJS.Signals | null };

/** A running program. */
export type Program = {
  readonly url: string;
  /** The buyer's key, which the program shows only once: `null` on later starts and without demo market. */
  readonly key: string | null;
  /** Everything the program said with its ready line. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** All that the program wrote so far, both streams, in order of arrival. */
  output(): string;
  readonly exited: Promise<ProgramExit>;
  /** SIGTERM, and SIGKILL when it has not ended after `timeoutMs` (40 s). */
  stop(timeoutMs?: number): Promise<ProgramExit>;
  /** SIGKILL: what a power cut would do to the process. */
  kill9(): Promise<ProgramExit>;
};

const repositoryFolder = fileURLToPath(new URL('../../', import.meta.url));
const serverEntry = fileURLToPath(new URL('../../apps/server/dist/main.js', import.meta.url));
const readyPrefix = 'OPENGRID_READY ';
const defaultReadyTimeoutMs = 60_000;
const defaultStopTimeoutMs = 40_000;
const inheritedNames = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot'];

/**
 * Starts the program and waits for its line `OPENGRID_READY {"url":…,"key":…}`, which it prints where
 * `OPENGRID_READY_LINE=1` is set. The program is killed when this process ends before it.
 * @throws when the program ends or the time is over before it is ready, with the end of its output.
 */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const running = launch(options);
  const timeoutMs = options.readyTimeoutMs ?? defaultReadyTimeoutMs;
  const timer = setTimeout(() => running.fail(`was not ready after ${timeoutMs} ms`), timeoutMs);
  try {
    const ready = await running.ready;
    return makeProgram(running, ready);
  } catch (error) {
    running.child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program that should end by itself, such as one that cannot start. Killed after the timeout. */
export async function runProgram(options: ProgramOptions = {}): Promise<ProgramExit & { output: string }> {
  const running = launch(options);
  running.ready.catch(() => undefined);
  const timer = setTimeout(
    () => running.child.kill('SIGKILL'),
    options.readyTimeoutMs ?? defaultReadyTimeoutMs,
  );
  const exit = await running.exited;
  clearTimeout(timer);
  return { ...exit, output: running.output() };
}

type Running = {
  child: ChildProcess;
  output(): string;
  exited: Promise<ProgramExit>;
  ready: Promise<Record<string, unknown>>;
  fail(reason: string): void;
};

function launch(options: ProgramOptions): Running {
  const child = spawn(process.execPath, [options.entry ?? serverEntry, ...programArgs(options)], {
    cwd: options.workingFolder ?? repositoryFolder,
    env: programEnv(options.env ?? {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: Buffer[] = [];
  const output = () => Buffer.concat(parts).toString('utf8');
  let fail: Running['fail'] = () => undefined;
  const exited = watchExit(child);
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    fail = (reason) =>
      reject(new Error(`the program ${reason}; its output ended with:\n${output().slice(-2000)}`));
    // Standard output by itself, so that a warning cannot land in the middle of the line.
    let heard = '';
    let isReady = false;
    child.stdout.on('data', (bytes: Buffer) => {
      parts.push(bytes);
      if (isReady) return;
      heard += bytes.toString('utf8');
      const line = readyLine(heard);
      isReady = line !== undefined;
      if (line !== undefined) parseReady(line, { resolve, reject });
    });
    child.stderr.on('data', (bytes: Buffer) => parts.push(bytes));
    child.once('error', (error) => fail(`could not be run (${error.message})`));
    void exited.then(({ code, signal }) => fail(`ended with ${code ?? signal} before it was ready`));
  });
  return { child, output, exited, ready, fail };
}

/** `close` rather than `exit`: it comes when the output is complete as well. */
function watchExit(child: ChildProcess): Promise<ProgramExit> {
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', killWithUs);
      resolve({ code, signal });
    });
  });
}

function programArgs(options: ProgramOptions): string[] {
  const args = ['--port', String(options.port ?? 0)];
  if (options.dataFolder !== undefined) args.push('--data', options.dataFolder);
  if (options.databaseUrl !== undefined) args.push('--database-url', options.databaseUrl);
  return [...args, ...(options.args ?? [])];
}

function programEnv(added: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: '1', OPENGRID_READY_LINE: '1' };
  for (const name of inheritedNames) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...added };
}

type Settle = { resolve: (ready: Record<string, unknown>) => void; reject: (error: Error) => void };

function parseReady(line: string, { resolve, reject }: Settle): void {
  try {
    resolve(JSON.parse(line) as Record<string, unknown>);
  } catch {
    reject(new Error('the ready line of the program is not JSON'));
  }
}

/** The JSON of the ready line, once the line is complete. */
function readyLine(output: string): string | undefined {
  const start = output.startsWith(readyPrefix) ? 0 : output.indexOf(`\n${readyPrefix}`) + 1;
  if (!output.startsWith(readyPrefix, start)) return undefined;
  const end = output.indexOf('\n', start);
  if (end < 0) return undefined;
  return output.slice(start + readyPrefix.length, end);
}

function makeProgram(running: Running, ready: Record<string, unknown>): Program {
  const { child, exited, output } = running;
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    url: String(ready.url),
    key: typeof ready.key === 'string' ? ready.key : null,
    ready,
    pid: child.pid ?? 0,
    output,
    exited,
    kill9: () => end('SIGKILL'),
    stop: async (timeoutMs = defaultStopTimeoutMs) => {
      const patience = new AbortController();
      const overdue = pause(timeoutMs, patience.signal).then(() => {
        if (!patience.signal.aborted) child.kill('SIGKILL');
      });
      const exit = await end('SIGTERM');
      patience.abort();
      await overdue;
      return exit;
    },
  };
}
