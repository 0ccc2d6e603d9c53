/**
 * One connection to PostgreSQL, whichever engine is behind it: runs one statement at a time, translates what
 * goes wrong, and ends the connection when a statement takes too long.
 */
import pg from 'pg';
import type { Rows, Statement } from './database.ts';
import { StatementTimeout, StoreError, StoreUnavailable } from './errors.ts';
import { isCertainRefusal, translateRefusal } from './refusals.ts';

/** What became of a statement. `certain` says that it changed nothing; without it, nobody can tell. */
export type Attempt =
  | { readonly ok: true; readonly result: pg.QueryResult }
  | { readonly ok: false; readonly error: StoreError; readonly certain: boolean };

/** How a session reaches its connection. */
export interface SessionOptions {
  readonly client: pg.ClientBase;
  /** For messages: `127.0.0.1:5432`, or the data folder. Never a password. */
  readonly where: string;
  /** Ends the connection at once, without a goodbye. */
  readonly destroy: () => void;
}

export class Session {
  readonly client: pg.ClientBase;
  readonly where: string;
  #destroy: () => void;
  #isDead = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.client = options.client;
    this.where = options.where;
    this.#destroy = options.destroy;
    // Without a listener, a connection that breaks while idle would end the process.
    this.client.on('error', () => this.end());
    this.client.on('end', () => this.end());
  }

  /** True when the connection is gone: open another one. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** True inside a transaction block, healthy or failed. */
  get isInTransaction(): boolean {
    return this.client.getTransactionStatus() !== 'I';
  }

  /** Ends the connection without a goodbye; a statement under way fails. */
  end(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#destroy();
  }

  /** Runs one statement after those already waiting on this connection. Never rejects. */
  attempt(statement: Statement, limitMs: number): Promise<Attempt> {
    const attempt = this.#last.then(() => this.#attemptNow(statement, limitMs));
    this.#last = attempt;
    return attempt;
  }

  /** Like {@link attempt}, but rejects with the translated error. */
  async run(statement: Statement, limitMs: number): Promise<pg.QueryResult> {
    const attempt = await this.attempt(statement, limitMs);
    if (!attempt.ok) throw attempt.error;
    return attempt.result;
  }

  async #attemptNow(statement: Statement, limitMs: number): Promise<Attempt> {
    if (this.#isDead) return { ok: false, error: this.#unavailable('it was closed'), certain: true };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.end();
    }, limitMs);
    try {
      return { ok: true, result: await this.client.query(toQueryConfig(statement)) };
    } catch (error) {
      if (isLate) return { ok: false, error: lateError(statement, limitMs), certain: false };
      return { ok: false, ...this.#translate(error, statement) };
    } finally {
      clearTimeout(timer);
    }
  }

  #translate(error: unknown, statement: Statement): { error: StoreError; certain: boolean } {
    if (error instanceof pg.DatabaseError) {
      const translated = translateRefusal(error, statement) ?? this.#unavailable(`it said ${error.code}`);
      const certain = isCertainRefusal(error);
      if (!certain) this.end();
      return { error: translated, certain };
    }
    // A value that could not be read back: the statement has run, and the connection is in order.
    if (error instanceof StoreError) return { error, certain: false };
    const wasDead = this.#isDead;
    // The driver gives up on values it cannot send in the middle of a message: nothing may follow on this
    // connection.
    this.end();
    const broken = this.#unavailable('the connection broke');
    return { error: wasDead ? broken : driverError(error, statement), certain: false };
  }

  #unavailable(detail: string): StoreUnavailable {
    return new StoreUnavailable(
      `The database at ${this.where} cannot be used: ${detail}.`,
      'Check that the database is running; the program reconnects by itself.',
    );
  }
}

/** The rows of a driver's result, as the port shows them. */
export function toRows<Row>(result: pg.QueryResult): Rows<Row> {
  return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
}

/**
 * Without values the driver may use the simple protocol, which is what allows several statements in one text.
 */
function toQueryConfig(statement: Statement): pg.QueryConfig {
  const { text, name, values } = statement;
  return {
    text,
    ...(name === undefined ? {} : { name }),
    ...(values === undefined ? {} : { values: values as unknown[] }),
  };
}

function lateError(statement: Statement, limitMs: number): StatementTimeout {
  return new StatementTimeout(
    `${label(statement)} took longer than ${limitMs} ms, so its connection was ended.`,
    'Read less in one statement, or look at what keeps the database busy.',
  );
}

/**
 * A fault of the driver or of its caller. Conversion errors may quote a value, so only plain messages are
 * kept.
 */
function driverError(error: unknown, statement: Statement): StoreError {
  const isPlain = error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
  const detail = isPlain ? (error as Error).message : 'a value could not be sent or read';
  return new StoreError(`${label(statement)} failed in the driver: ${detail}.`, 'Please report this fault.');
}

function label(statement: Statement): string {
  return statement.name === undefined ? 'A statement' : `Statement "${statement.name}"`;
}
