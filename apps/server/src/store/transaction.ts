/** Transactions over one session, the same for both engines. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Queryable, Rows, Statement } from './database.ts';
import { CommitOutcomeUnknown, StatementTimeout, StoreError } from './errors.ts';
import { type Attempt, type Session, toRows } from './session.ts';

/**
 * How long a transaction may sit between two of its statements. It holds the only embedded connection, or row
 * locks on a server, so work that waits for the network inside a transaction is a fault to be found early.
 */
const IDLE_LIMIT_MS = 10_000;

interface Scope {
  isOpen: boolean;
}

const scopes = new AsyncLocalStorage<Scope>();
let openScopes = 0;

/**
 * Once used, async local storage makes every promise of the process dearer on Node 20. It is therefore switched off
 * again when the last transaction ends.
 */
async function inScope<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
  openScopes += 1;
  try {
    return await scopes.run(scope, work);
  } finally {
    openScopes -= 1;
    if (openScopes === 0) scopes.disable();
  }
}

/**
 * Refuses the use of the database itself inside a transaction: on the embedded engine it would wait for
 * itself, on a server it would silently run outside of the transaction.
 */
export function assertOutsideTransaction(): void {
  if (!scopes.getStore()?.isOpen) return;
  throw new StoreError(
    'The database was used directly inside a transaction.',
    'Run the statement on the transaction that the work was given.',
  );
}

/** What a transaction runs on and how long its statements may take. */
export interface TransactionRun<T> {
  readonly session: Session;
  readonly work: (tx: Queryable) => Promise<T>;
  readonly statementLimitMs: number;
  /** Sent before the work, for instance a `set local`. */
  readonly prologue?: string;
}

/** Begins, runs the work, commits when it resolves and rolls back when it rejects. */
export async function runTransaction<T>(run: TransactionRun<T>): Promise<T> {
  const { session, statementLimitMs } = run;
  await session.run({ text: `begin;${run.prologue ?? ''}` }, statementLimitMs);
  const open = new OpenTransaction(session, statementLimitMs);
  let value: T;
  try {
    value = await Promise.race([inScope(open.scope, () => run.work(open)), open.expired]);
  } catch (error) {
    open.close();
    await rollBack(session, statementLimitMs);
    throw error;
  }
  open.close();
  await commit(session, statementLimitMs);
  return value;
}

/**
 * Runs one statement outside of a transaction, and leaves the connection clean for the next one: only a text
 * without values can hold a `begin`, and after a failure the driver learns too late whether one is still
 * open.
 */
export async function attemptAlone(
  session: Session,
  statement: Statement,
  limitMs: number,
): Promise<Attempt> {
  const attempt = await session.attempt(statement, limitMs);
  const isDoubtful = !attempt.ok && statement.values === undefined;
  if (!session.isDead && (isDoubtful || session.isInTransaction)) await rollBack(session, limitMs);
  return attempt;
}

/** Leaves no transaction open. A connection that cannot roll back is of no further use. */
export async function rollBack(session: Session, limitMs: number): Promise<void> {
  const attempt = await session.attempt({ text: 'rollback' }, limitMs);
  if (!attempt.ok) session.end();
}

async function commit(session: Session, limitMs: number): Promise<void> {
  const attempt = await session.attempt({ text: 'commit' }, limitMs);
  if (!attempt.ok) {
    if (!attempt.certain) throw new CommitOutcomeUnknown(attempt.error.message);
    await rollBack(session, limitMs);
    throw attempt.error;
  }
  // PostgreSQL answers COMMIT with ROLLBACK when a statement failed before it and the work caught the error.
  if (attempt.result.command !== 'COMMIT') {
    throw new StoreError(
      'The transaction was rolled back, because a statement in it had failed.',
      'Let the error of a failed statement end the transaction.',
    );
  }
}

/** The transaction as its work sees it. */
class OpenTransaction implements Queryable {
  readonly scope: Scope = { isOpen: true };
  /** Rejects when the work left the transaction idle for too long. */
  readonly expired: Promise<never>;
  #session: Session;
  #limitMs: number;
  #running = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #expire!: (error: StoreError) => void;

  constructor(session: Session, limitMs: number) {
    this.#session = session;
    this.#limitMs = limitMs;
    this.expired = new Promise((_, reject) => {
      this.#expire = reject;
    });
    this.#startIdleTimer();
  }

  async query<Row>(statement: Statement): Promise<Rows<Row>> {
    if (!this.scope.isOpen) {
      throw new StoreError('A transaction was used after its end.', 'Await every statement of the work.');
    }
    clearTimeout(this.#idleTimer);
    this.#running += 1;
    try {
      return toRows<Row>(await this.#session.run(statement, this.#limitMs));
    } finally {
      this.#running -= 1;
      if (this.#running === 0 && this.scope.isOpen) this.#startIdleTimer();
    }
  }

  close(): void {
    this.scope.isOpen = false;
    clearTimeout(this.#idleTimer);
  }

  #startIdleTimer(): void {
    this.#idleTimer = setTimeout(() => {
      this.#expire(
        new StatementTimeout(
          `A transaction sat idle for ${IDLE_LIMIT_MS} ms and was rolled back.`,
          'Do the slow work before the transaction, not inside it.',
        ),
      );
    }, IDLE_LIMIT_MS);
  }
}
