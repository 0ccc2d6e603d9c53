/** The database on a PostgreSQL server: a pool for queries, and one connection of its own for commits. */
import { Socket } from 'node:net';
import pg from 'pg';
import type { Database, Queryable, Rows, Statement, TransactionOptions } from './database.ts';
import { CommitOutcomeUnknown, CommitRefused, type StoreError, StoreUnavailable } from './errors.ts';
import { typeParsers } from './pg-types.ts';
import { Session, toRows } from './session.ts';
import { assertOutsideTransaction, attemptAlone, runTransaction } from './transaction.ts';

/** A statement on a request path takes milliseconds; one that takes this long is a fault, and holds locks. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** How much longer we wait before we take the network, not the statement, to be the problem. */
const NETWORK_GRACE_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Behind our own limit: this one works even when our process is frozen. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
const POOL_SIZE = 10;
/** The oldest release that still gets security fixes. */
const OLDEST_SERVER_VERSION = 150_000;

/** How to reach a server. */
export interface ServerOptions {
  /** `postgres://user:password@host:port/database`, with the parameters that `pg` understands. */
  readonly databaseUrl: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Connections for queries; one more is used for commits. */
  readonly poolSize?: number;
}

/**
 * Connects to a server and checks that it can be used.
 *
 * @throws StoreUnavailable naming host and port when the server cannot be reached, refuses the login or is
 * too old.
 */
export async function openServerDatabase(options: ServerOptions): Promise<Database> {
  const database = new ServerDatabase(options);
  try {
    await database.check();
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

class ServerDatabase implements Database {
  readonly engine = 'server';
  #config: pg.PoolConfig;
  #where: string;
  #pool: pg.Pool;
  #sessions = new WeakMap<pg.ClientBase, Session>();
  #commitSession: Session | undefined;
  #lastCommit: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#config = toConfig(options);
    this.#where = locationOf(this.#config);
    this.#pool = new pg.Pool(this.#config);
    // An idle connection that breaks is replaced at its next use; without a listener it would end the
    // process.
    this.#pool.on('error', () => {});
  }

  async query<Row>(statement: Statement): Promise<Rows<Row>> {
    assertOutsideTransaction();
    return this.#withSession(async (session) => {
      const attempt = await attemptAlone(session, statement, STATEMENT_TIMEOUT_MS + NETWORK_GRACE_MS);
      if (!attempt.ok) throw attempt.error;
      return toRows<Row>(attempt.result);
    });
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    assertOutsideTransaction();
    const limitMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    const prologue = options.statementTimeoutMs === undefined ? '' : `set local statement_timeout=${limitMs}`;
    return this.#withSession((session) =>
      runTransaction({ session, work, prologue, statementLimitMs: limitMs + NETWORK_GRACE_MS }),
    );
  }

  async commit<Row>(statement: Statement): Promise<Rows<Row>> {
    assertOutsideTransaction();
    if (this.#closing !== undefined) throw new CommitRefused(closedError());
    const commit = this.#lastCommit.then(() => this.#commitNow<Row>(statement));
    this.#lastCommit = commit.catch(() => {});
    return commit;
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    await this.#lastCommit;
    this.#commitSession?.end();
    await this.#pool.end();
  }

  /** The first contact: proves address, login and version before anything depends on them. */
  async check(): Promise<void> {
    const { rows } = await this.query<{ version: number }>({
      text: `select current_setting('server_version_num')::int as version`,
    });
    const version = rows[0]?.version ?? 0;
    if (version >= OLDEST_SERVER_VERSION) return;
    throw new StoreUnavailable(
      `The PostgreSQL server at ${this.#where} is too old (${version}).`,
      `Use PostgreSQL ${OLDEST_SERVER_VERSION / 10_000} or newer.`,
    );
  }

  async #commitNow<Row>(statement: Statement): Promise<Rows<Row>> {
    const session = await this.#openCommitSession();
    const attempt = await attemptAlone(session, statement, STATEMENT_TIMEOUT_MS + NETWORK_GRACE_MS);
    if (attempt.ok) return toRows<Row>(attempt.result);
    if (attempt.certain) throw new CommitRefused(attempt.error);
    throw new CommitOutcomeUnknown(attempt.error.message);
  }

  async #openCommitSession(): Promise<Session> {
    if (this.#commitSession !== undefined && !this.#commitSession.isDead) return this.#commitSession;
    const socket = new Socket();
    const client = new pg.Client({ ...this.#config, stream: () => socket });
    const session = new Session({ client, where: this.#where, destroy: () => socket.destroy() });
    try {
      await client.connect();
    } catch (error) {
      session.end();
      throw new CommitRefused(connectError(error, this.#where));
    }
    this.#commitSession = session;
    return session;
  }

  async #withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError();
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw connectError(error, this.#where);
    });
    const session = this.#sessionOf(client);
    try {
      return await use(session);
    } finally {
      client.release(session.isDead || session.isInTransaction);
    }
  }

  /** Named statements live as long as their connection, so a connection keeps its session. */
  #sessionOf(client: pg.PoolClient): Session {
    let session = this.#sessions.get(client);
    if (session === undefined) {
      session = new Session({ client, where: this.#where, destroy: () => destroySocket(client) });
      this.#sessions.set(client, session);
    }
    return session;
  }
}

/** `pg` offers no way to drop a connection that does not answer, except through its socket. */
function destroySocket(client: pg.ClientBase): void {
  const { connection } = client as unknown as { connection: { stream: Socket } };
  connection.stream.destroy();
}

function toConfig(options: ServerOptions): pg.PoolConfig {
  return {
    connectionString: options.databaseUrl,
    application_name: options.applicationName ?? 'opengrid',
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types: typeParsers,
    // Parameters of failed statements must not reach the server's log either.
    options: '-c log_parameter_max_length_on_error=0',
  };
}

/** Host and port, and never the rest of the URL: it holds the password. */
function locationOf(config: pg.PoolConfig): string {
  try {
    // The parser takes any text, and finds a host in what was meant for another program.
    if (!/^(postgres(ql)?:\/\/|\/|socket:)/.test(config.connectionString ?? '')) throw new TypeError();
    const { host, port } = new pg.Client(config);
    return `${host}:${port}`;
  } catch {
    // The parser's own message repeats the URL.
    throw new StoreUnavailable(
      'The database URL cannot be read.',
      'Write it as postgres://user:password@host:5432/database, with special characters percent-encoded.',
    );
  }
}

const CONNECT_HINTS = new Map([
  ['ECONNREFUSED', 'Start the server, or correct host and port in DATABASE_URL.'],
  ['ENOENT', 'Start the server, or correct the socket folder in DATABASE_URL.'],
  ['ENOTFOUND', 'Correct the host name in DATABASE_URL.'],
  ['28P01', 'Correct user and password in DATABASE_URL.'],
  ['28000', 'Correct the user in DATABASE_URL, or the server’s pg_hba.conf.'],
  ['3D000', 'Create the database, or correct its name in DATABASE_URL.'],
  ['53300', 'Raise max_connections on the server, or stop other programs that use it.'],
]);

function connectError(error: unknown, where: string): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const { code } = error as { code?: unknown };
  const reason = typeof code === 'string' ? code : 'no answer';
  return new StoreUnavailable(
    `The database at ${where} cannot be reached (${reason}).`,
    CONNECT_HINTS.get(reason) ?? 'Check that the server runs and that DATABASE_URL is right.',
  );
}

function closedError(): StoreError {
  return new StoreUnavailable('The database is closed.', 'Open it again.');
}
