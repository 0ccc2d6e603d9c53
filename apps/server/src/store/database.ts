/**
 * The port between the program and PostgreSQL. One interface, two engines: the embedded one (PGlite in a
 * worker thread, one process, one connection) and a server. The same SQL runs on both.
 *
 * Types both engines return: `bigint` and `numeric` as JavaScript numbers (a value that is not a safe integer
 * is an error, never a rounded number), `bytea` as `Buffer`, `jsonb` parsed, arrays as arrays. Times are
 * stored as `bigint` milliseconds, so no timestamp type is ever read.
 */
export {
  CommitOutcomeUnknown,
  CommitRefused,
  DatabaseNewer,
  DataFolderInUse,
  DataFolderUnusable,
  DiskFull,
  MigrationChanged,
  MigrationFailed,
  type Refusal,
  StatementRefused,
  StatementTimeout,
  StoreError,
  StoreUnavailable,
} from './errors.ts';

/** One SQL statement with its parameters. */
export interface Statement {
  /**
   * The SQL, with `$1`, `$2`, … for the values. Several statements are allowed only when there are no values.
   */
  readonly text: string;
  readonly values?: readonly unknown[];
  /**
   * Prepared once per connection under this name: give hot statements one, and always the same text with it.
   */
  readonly name?: string;
}

/** What a statement returned. */
export interface Rows<Row> {
  readonly rows: Row[];
  /** Rows returned, or rows changed when none are returned. */
  readonly rowCount: number;
}

/** Something that runs statements: the database, or an open transaction. */
export interface Queryable {
  /**
   * Runs one statement.
   *
   * The embedded engine has one connection, and a statement on it cannot be interrupted: reads that could
   * take longer than 50 ms must be cut into pages by their caller, or they hold up the sequencer.
   *
   * @throws StatementRefused when PostgreSQL refuses it (it then changed nothing).
   * @throws StatementTimeout, DiskFull, StoreUnavailable.
   */
  query<Row = Record<string, unknown>>(statement: Statement): Promise<Rows<Row>>;
}

/** Limits of one transaction. */
export interface TransactionOptions {
  /** How long each of its statements may take; the engine's limit (30 s) when left out. */
  readonly statementTimeoutMs?: number;
}

/** An open database. Outside of a transaction every statement is its own transaction. */
export interface Database extends Queryable {
  readonly engine: 'embedded' | 'server';

  /**
   * The sequencer's lane: one statement that goes ahead of every queued query (on a server: over a connection
   * of its own). Calls run in the order in which they were made.
   *
   * @throws CommitRefused when it certainly did not happen.
   * @throws CommitOutcomeUnknown when that cannot be told: the sequencer must then read back what is there.
   */
  commit<Row = Record<string, unknown>>(statement: Statement): Promise<Rows<Row>>;

  /**
   * Runs `work` in one transaction (read committed): committed when it resolves, rolled back when it rejects.
   * `work` must use the `tx` it is given (the database itself throws inside it, because on the embedded
   * engine it would wait for itself) and must not wait for the network: it holds the only embedded
   * connection.
   *
   * @throws whatever `work` throws; CommitOutcomeUnknown when the connection broke during the final commit.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;

  /** Lets what is queued finish, then closes. Later calls are refused. Closing twice is fine. */
  close(): Promise<void>;
}
