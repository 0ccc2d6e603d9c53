/**
 * A real PostgreSQL server for tests, from npm alone: started in a temporary folder, reached over a unix
 * socket, and gone when the process that started it is gone, however that ended.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findPostgresBinaries, isRoot, type PostgresBinaries, UNPRIVILEGED_ID } from './postgres-binaries.ts';

const START_LIMIT_MS = 30_000;
const POLL_MS = 20;
const ADMIN_DATABASE = 'postgres';
const USER = 'opengrid';

/** How to start a server. */
export interface PostgresOptions {
  /**
   * `off` trades safety against power cuts for speed; a killed process loses nothing either way. Default
   * `on`.
   */
  readonly fsync?: 'on' | 'off';
  /** More settings, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running server. */
export interface TestPostgres {
  /** Connection URL of its administrative database. */
  readonly url: string;
  /** Creates an empty database with a name of its own and returns its URL. */
  newDatabase(): Promise<string>;
  /** Kills the server and all its processes with SIGKILL, as a crash would. The data stays. */
  kill9(): Promise<void>;
  /** Starts it again on the same data and the same URL, after {@link kill9}. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts a server of this process's own.
 *
 * @throws Error when there is no PostgreSQL for this platform, or when it does not start.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const server = new LocalPostgres(options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** The server at the URL, with databases that are dropped again at `stop`. It cannot be killed. */
export function attachPostgres(url: string): TestPostgres {
  const created: string[] = [];
  const refuse = (): Promise<void> => Promise.reject(new Error('This server is not ours to kill.'));
  return {
    url,
    newDatabase: async () => {
      const databaseUrl = await createDatabase(url);
      created.push(databaseUrl);
      return databaseUrl;
    },
    kill9: refuse,
    restart: refuse,
    stop: async () => {
      for (const databaseUrl of created.splice(0)) await dropDatabase(url, databaseUrl);
    },
  };
}

async function createDatabase(adminUrl: string): Promise<string> {
  const name = `opengrid_test_${randomBytes(8).toString('hex')}`;
  await administer(adminUrl, `create database ${name} template template0 encoding 'UTF8'`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function dropDatabase(adminUrl: string, databaseUrl: string): Promise<void> {
  const name = new URL(databaseUrl).pathname.slice(1);
  await administer(adminUrl, `drop database if exists ${name} with (force)`);
}

async function administer(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

class LocalPostgres implements TestPostgres {
  readonly url: string;
  #settings: string[];
  #binaries: PostgresBinaries;
  #root: string;
  #server: ChildProcess | undefined;
  #watcher: ChildProcess | undefined;
  #endWithProcess = () => this.#endNow();

  constructor(options: PostgresOptions) {
    this.#binaries = findPostgresBinaries();
    this.#root = mkdtempSync(join(tmpdir(), 'opengrid-pg-'));
    if (isRoot()) chownSync(this.#root, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    chmodSync(this.#root, 0o700);
    this.url = `postgres://${USER}@localhost/${ADMIN_DATABASE}?host=${encodeURIComponent(this.#root)}`;
    this.#settings = toArguments({
      listen_addresses: '',
      unix_socket_directories: this.#root,
      fsync: options.fsync ?? 'on',
      max_connections: '200',
      ...options.settings,
    });
  }

  async start(): Promise<void> {
    const auth = ['-U', USER, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions'];
    const initdb = this.#spawn(this.#binaries.initdb, ['-D', this.#data, ...auth, '--no-sync']);
    const failure = await outputOnFailure(initdb);
    if (failure !== undefined) throw new Error(`initdb failed: ${failure}`);
    await this.restart();
    process.once('exit', this.#endWithProcess);
  }

  newDatabase(): Promise<string> {
    return createDatabase(this.url);
  }

  async restart(): Promise<void> {
    const server = this.#spawn(this.#binaries.postgres, ['-D', this.#data, ...this.#settings]);
    this.#server = server;
    let log = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      log = `${log}${chunk}`.slice(-4_000);
    });
    this.#watcher = watchOver(server.pid ?? 0, this.#root);
    for (let waitedMs = 0; !(await this.#answers()); waitedMs += POLL_MS) {
      if (server.exitCode !== null || waitedMs > START_LIMIT_MS) throw new Error(`PostgreSQL: ${log}`);
      await sleep(POLL_MS);
    }
  }

  async kill9(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const processes = [server.pid, ...childrenOf(server.pid)];
    const exited = new Promise((resolve) => server.once('exit', resolve));
    this.#dismissWatcher();
    for (const pid of processes) kill(pid, 'SIGKILL');
    await exited;
    while (processes.some(isRunning)) await sleep(POLL_MS);
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#endWithProcess);
    const server = this.#server;
    this.#dismissWatcher();
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const exited = new Promise((resolve) => server.once('exit', resolve));
      // SIGINT is PostgreSQL's "fast" shutdown: it ends open connections.
      server.kill('SIGINT');
      await exited;
    }
    this.#removeFiles();
  }

  get #data(): string {
    return join(this.#root, 'data');
  }

  async #answers(): Promise<boolean> {
    try {
      await administer(this.url, 'select 1');
      return true;
    } catch {
      return false;
    }
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const user = isRoot() ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {};
    return spawn(program, args, {
      ...user,
      cwd: this.#root,
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A Ctrl-C in the terminal is for the tests; they stop the server themselves.
      detached: true,
    });
  }

  #dismissWatcher(): void {
    this.#watcher?.kill('SIGKILL');
    this.#watcher = undefined;
  }

  /** For the exit of the process, when nothing can be awaited any more. */
  #endNow(): void {
    this.#dismissWatcher();
    const pid = this.#server?.pid;
    if (pid !== undefined) for (const each of [pid, ...childrenOf(pid)]) kill(each, 'SIGKILL');
    this.#removeFiles();
  }

  #removeFiles(): void {
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
    if (this.#binaries.copy !== undefined) rmSync(this.#binaries.copy, { recursive: true, force: true });
  }
}

/**
 * A shell that waits for our end of its input to close, which happens however this process dies, and then
 * ends the server and removes its files.
 */
function watchOver(serverPid: number, root: string): ChildProcess {
  const script = 'read -r _; kill -QUIT "$0"; sleep 1; rm -rf "$1"';
  const watcher = spawn('sh', ['-c', script, String(serverPid), root], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  return watcher;
}

function toArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function outputOnFailure(child: ChildProcess): Promise<string | undefined> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return code === 0 ? undefined : output;
}

function childrenOf(pid: number): number[] {
  return listProcesses()
    .filter((each) => each.parent === pid)
    .map((each) => each.pid);
}

function listProcesses(): { pid: number; parent: number }[] {
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
    return lines.map((line) => {
      const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent };
    });
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => ({ pid: Number(pid), parent: Number(linuxStat(pid)[1] ?? 0) }));
}

/** State and parent of a process; empty when it has just gone. */
function linuxStat(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** An orphan may stay a zombie when nobody collects it; a zombie holds no files. */
function isRunning(pid: number): boolean {
  if (process.platform === 'linux') return !['Z', undefined].includes(linuxStat(String(pid))[0]);
  return kill(pid, 0);
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
