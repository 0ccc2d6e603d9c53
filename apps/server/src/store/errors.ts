/**
 * What the store can fail with. Every class carries a `hint`: one sentence on what a person should do next.
 *
 * No message ever holds a parameter value, a password or a row: PostgreSQL likes to quote values in its
 * messages and details, and these errors end up in logs.
 */
export class StoreError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** No connection to the database could be had, or it broke. Nothing is known to be wrong with the data. */
export class StoreUnavailable extends StoreError {}

/** Another living process has the data folder open; two at once would lose data silently. */
export class DataFolderInUse extends StoreError {
  readonly folder: string;
  /** Zero when it is not known. */
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(
      `The data folder ${folder} is in use by ${pid === 0 ? 'another process' : `process ${pid}`}.`,
      pid === process.pid
        ? 'This process has opened the folder already: close that database first.'
        : 'Stop that process, choose another data folder, or set DATABASE_URL to share a PostgreSQL server.',
    );
    this.folder = folder;
    this.pid = pid;
  }
}

/** The data folder cannot be created, read or written. */
export class DataFolderUnusable extends StoreError {}

/** The disk below the database is full: nothing can be written until there is room. */
export class DiskFull extends StoreError {
  constructor() {
    super('The disk of the database is full.', 'Free some space on it; writing resumes by itself.');
  }
}

/** A statement or transaction took longer than its limit and was rolled back. */
export class StatementTimeout extends StoreError {}

/** What PostgreSQL says about a refused statement, without any value of a row. */
export interface Refusal {
  /** The five characters of the SQLSTATE, for instance `23505`. */
  readonly sqlState: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
  /** Line of the SQL text where the fault is, from 1, when PostgreSQL says. */
  readonly line?: number;
  /** Name of the statement, when it has one. */
  readonly statement?: string;
}

/** The database understood the statement and refused it: it changed nothing. */
export class StatementRefused extends StoreError {
  readonly refusal: Refusal;

  constructor(message: string, refusal: Refusal) {
    super(message, 'This is a fault in the program or its data, not in the set-up: please report it.');
    this.refusal = refusal;
  }

  get sqlState(): string {
    return this.refusal.sqlState;
  }
}

/** The sequencer's commit certainly did not happen: the database refused it, or it was never sent. */
export class CommitRefused extends StoreError {
  /**
   * Why: a {@link StatementRefused}, {@link DiskFull}, {@link StatementTimeout} or {@link StoreUnavailable}.
   */
  readonly reason: StoreError;

  constructor(reason: StoreError) {
    super(`The commit was refused: ${reason.message}`, reason.hint);
    this.reason = reason;
  }
}

/** The connection broke after the commit was sent: it may or may not have happened. Read it back to know. */
export class CommitOutcomeUnknown extends StoreError {
  constructor(detail: string) {
    super(
      `The connection broke during a commit (${detail}): it may or may not have happened.`,
      'Reconnect, read the last committed batch, and carry on from there.',
    );
  }
}

/** A migration that has run on this database reads differently now. */
export class MigrationChanged extends StoreError {}

/** The database was migrated by a newer program than this one. */
export class DatabaseNewer extends StoreError {}

/** A migration failed and was rolled back. */
export class MigrationFailed extends StoreError {}
