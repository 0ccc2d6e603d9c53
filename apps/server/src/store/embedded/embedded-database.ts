/**
 * The embedded database: PGlite in a worker thread, behind an exclusive lock, with one connection that
 * commits and queries share.
 *
 * It survives the death of the process but, unlike a server, not a power cut: PGlite does not flush to the
 * disk.
 */
import pg from 'pg';
import type { Database, Queryable, Rows, Statement, TransactionOptions } from '../database.ts';
import {
  CommitOutcomeUnknown,
  CommitRefused,
  DataFolderInUse,
  DataFolderUnusable,
  DiskFull,
  type StoreError,
  StoreUnavailable,
} from '../errors.ts';
import { typeParsers } from '../pg-types.ts';
import { type Attempt, Session, toRows } from '../session.ts';
import { assertOutsideTransaction, attemptAlone, runTransaction } from '../transaction.ts';
import {
  beginCreation,
  type DataFolder,
  endCreation,
  hasDatabase,
  isDiskFull,
  prepareDataFolder,
} from './data-folder.ts';
import { type Lane, Lanes } from './lanes.ts';
import { checkpointWhenDue, MAINTENANCE_INTERVAL_MS, vacuumWhenDue } from './maintenance.ts';
import { acquireProcessLock, type ProcessLock } from './process-lock.ts';
import { WorkerStream } from './worker-stream.ts';

/** WebAssembly cannot be interrupted: past this limit the thread is ended and the database reopened. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** After a failed reopening, statements fail at once for this long instead of trying again one by one. */
const REOPEN_PAUSE_MS = 2_000;

/** Where the embedded database lives. */
export interface EmbeddedOptions {
  /** Created with mode 0700 when it does not exist. */
  readonly dataFolder: string;
  /** Told in whole sentences what takes time. */
  readonly onProgress?: (message: string) => void;
}

/**
 * Opens the embedded database, and creates it first when there is none.
 *
 * @throws DataFolderInUse when another process has it open; DataFolderUnusable; DiskFull.
 */
export async function openEmbeddedDatabase(options: EmbeddedOptions): Promise<Database> {
  const folder = prepareDataFolder(options.dataFolder);
  const database = new EmbeddedDatabase(folder);
  await database.open(options);
  return database;
}

interface Connection {
  readonly session: Session;
  readonly stream: WorkerStream;
}

class EmbeddedDatabase implements Database {
  readonly engine = 'embedded';
  #folder: DataFolder;
  #lanes = new Lanes();
  #lock: ProcessLock | undefined;
  #connection: Connection | undefined;
  #maintenance: NodeJS.Timeout | undefined;
  #reopenFailure: { readonly error: StoreError; readonly untilMs: number } | undefined;
  /** Set once the database takes no more statements: says why. */
  #end: StoreError | undefined;
  #closing: Promise<void> | undefined;

  constructor(folder: DataFolder) {
    this.#folder = folder;
  }

  async open({ onProgress }: EmbeddedOptions): Promise<void> {
    this.#lock = await acquireProcessLock({
      lockFile: this.#folder.lockFile,
      folder: this.#folder.root,
      onLost: () => this.#abandon(),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    try {
      await this.#createOrOpen(onProgress);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    this.#maintenance = setInterval(() => this.#maintain(), MAINTENANCE_INTERVAL_MS);
    this.#maintenance.unref();
  }

  query<Row>(statement: Statement): Promise<Rows<Row>> {
    return this.#exclusive('query', async () => {
      return toRows<Row>(await this.#attemptOrThrow(statement));
    });
  }

  commit<Row>(statement: Statement): Promise<Rows<Row>> {
    return this.#exclusive('commit', async () => {
      const attempt = await this.#attempt(statement);
      if (attempt.ok) return toRows<Row>(attempt.result);
      if (attempt.certain) throw new CommitRefused(attempt.error);
      throw new CommitOutcomeUnknown(attempt.error.message);
    });
  }

  transaction<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const statementLimitMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    return this.#exclusive('query', async () => {
      const session = await this.#openSession();
      return runTransaction({ session, work, statementLimitMs });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    this.#end ??= new StoreUnavailable('The database is closed.', 'Open it again.');
    clearInterval(this.#maintenance);
    await this.#lanes.idle();
    const connection = this.#connection;
    if (connection !== undefined && !connection.session.isDead) await connection.stream.shutDown();
    await connection?.stream.exited();
    this.#lock?.release();
  }

  async #exclusive<T>(lane: Lane, job: () => Promise<T>): Promise<T> {
    assertOutsideTransaction();
    if (this.#end !== undefined) throw lane === 'commit' ? new CommitRefused(this.#end) : this.#end;
    return this.#lanes.run(lane, job);
  }

  /** A database that cannot be reopened has changed nothing. */
  async #attempt(statement: Statement): Promise<Attempt> {
    let session: Session;
    try {
      session = await this.#openSession();
    } catch (error) {
      return { ok: false, error: error as StoreError, certain: true };
    }
    return attemptAlone(session, statement, STATEMENT_TIMEOUT_MS);
  }

  /** The session, on a new thread when the last one has ended. */
  async #openSession(): Promise<Session> {
    const current = this.#connection;
    if (current !== undefined && !current.session.isDead) return current.session;
    const failure = this.#reopenFailure;
    if (failure !== undefined && failure.untilMs > Date.now()) throw failure.error;
    // Two threads on one folder are as bad as two processes: the old one must be gone.
    await current?.stream.exited();
    try {
      this.#connection = await connect(this.#folder, this.#lock);
    } catch (error) {
      this.#reopenFailure = { error: error as StoreError, untilMs: Date.now() + REOPEN_PAUSE_MS };
      throw error;
    }
    return this.#connection.session;
  }

  async #createOrOpen(onProgress: EmbeddedOptions['onProgress']): Promise<void> {
    const isNew = !hasDatabase(this.#folder);
    if (isNew) {
      onProgress?.('creating the embedded database; the first start takes a few seconds');
      beginCreation(this.#folder);
    }
    await this.#openSession();
    if (isNew) endCreation(this.#folder);
  }

  /** Another process has taken the lock: stop writing at once, whatever is under way. */
  #abandon(): void {
    this.#end = new DataFolderInUse(this.#folder.root, 0);
    clearInterval(this.#maintenance);
    this.#connection?.session.end();
  }

  #maintain(): void {
    for (const job of [checkpointWhenDue, vacuumWhenDue]) {
      // Housekeeping that fails is tried again at the next interval; a broken connection shows at the next
      // statement.
      this.#exclusive('query', () => job(async (text) => (await this.#attemptOrThrow({ text })).rows)).catch(
        () => {},
      );
    }
  }

  async #attemptOrThrow(statement: Statement): Promise<pg.QueryResult> {
    const attempt = await this.#attempt(statement);
    if (!attempt.ok) throw attempt.error;
    return attempt.result;
  }
}

/** Starts a thread on the folder and connects the driver to it. */
async function connect(folder: DataFolder, lock: ProcessLock | undefined): Promise<Connection> {
  if (!lock?.isHeld()) throw new DataFolderInUse(folder.root, 0);
  const stream = new WorkerStream(folder.database);
  const client = new pg.Client({
    stream: () => stream,
    // Fixed, so that PGHOST and its like do not reach the embedded engine.
    host: 'embedded',
    user: 'postgres',
    database: 'postgres',
    password: '',
    ssl: false,
    types: typeParsers,
  });
  const session = new Session({ client, where: folder.root, destroy: () => stream.destroy() });
  try {
    await stream.ready();
    await client.connect();
  } catch (error) {
    session.end();
    await stream.exited();
    throw openError(folder, error);
  }
  return { session, stream };
}

function openError(folder: DataFolder, error: unknown): StoreError {
  if (isDiskFull(folder)) return new DiskFull();
  const reason = error instanceof Error ? error.message : 'unknown reason';
  return new DataFolderUnusable(
    `The embedded database in ${folder.root} cannot be opened: ${reason}.`,
    'Restore the folder from a backup, or choose an empty one.',
  );
}
