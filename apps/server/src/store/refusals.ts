/** Turns what PostgreSQL answers into the store's own errors, and leaves every value behind. */
import type pg from 'pg';
import type { Statement } from './database.ts';
import { DiskFull, type Refusal, StatementRefused, StatementTimeout, type StoreError } from './errors.ts';

/** SQLSTATEs with a name that helps a reader; the others are shown by their number. */
const CONDITION_NAMES = new Map([
  ['22003', 'numeric value out of range'],
  ['22012', 'division by zero'],
  ['22P02', 'invalid text representation'],
  ['23502', 'not-null violation'],
  ['23503', 'foreign-key violation'],
  ['23505', 'unique violation'],
  ['23514', 'check violation'],
  ['25P02', 'the transaction had already failed'],
  ['40001', 'serialization failure'],
  ['40P01', 'deadlock'],
  ['55P03', 'lock not available'],
]);

const DISK_FULL = '53100';
const TIMEOUTS = new Set(['57014', '25P03', '25P04']);

/**
 * Connection exceptions, operator interventions, shortage of connections, recovery, damage: the session is
 * over.
 */
const SESSION_OVER = /^(08|57P|53300|58|F0)/;

/** Errors about the text of the SQL itself: their messages name tables and columns, never a value. */
const ABOUT_THE_TEXT = /^(42|0A|3F)/;

/**
 * True when PostgreSQL promises that the statement changed nothing. FATAL and PANIC end the session and may
 * come after the commit record was written; a server that speaks another language is believed as little.
 */
export function isCertainRefusal(error: pg.DatabaseError): boolean {
  return error.severity === 'ERROR';
}

/** The store's error for a refused statement; undefined when the session itself is over. */
export function translateRefusal(error: pg.DatabaseError, statement: Statement): StoreError | undefined {
  const sqlState = error.code ?? 'XX000';
  if (sqlState === DISK_FULL) return new DiskFull();
  if (TIMEOUTS.has(sqlState)) {
    return new StatementTimeout(
      'The database cancelled a statement that took too long.',
      'Read less in one statement, or look at what keeps the database busy.',
    );
  }
  if (SESSION_OVER.test(sqlState) || error.severity === 'PANIC') return undefined;
  return new StatementRefused(describe(error, statement, sqlState), toRefusal(error, statement, sqlState));
}

function toRefusal(error: pg.DatabaseError, statement: Statement, sqlState: string): Refusal {
  const line = lineOf(statement.text, error.position);
  return {
    sqlState,
    ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    ...(error.table === undefined ? {} : { table: error.table }),
    ...(error.column === undefined ? {} : { column: error.column }),
    ...(statement.name === undefined ? {} : { statement: statement.name }),
    ...(line === undefined ? {} : { line }),
  };
}

function describe(error: pg.DatabaseError, statement: Statement, sqlState: string): string {
  const what = ABOUT_THE_TEXT.test(sqlState) ? error.message : (CONDITION_NAMES.get(sqlState) ?? 'refused');
  const names = [
    statement.name && `statement "${statement.name}"`,
    error.table && `table "${error.table}"`,
    error.column && `column "${error.column}"`,
    error.constraint && `constraint "${error.constraint}"`,
  ].filter(Boolean);
  return [`The database refused a statement: ${what} (${sqlState})`, ...names].join(', ');
}

/** PostgreSQL counts characters from 1; a person looks for a line. */
function lineOf(text: string, position: string | undefined): number | undefined {
  if (position === undefined) return undefined;
  return text.slice(0, Number(position) - 1).split('\n').length;
}
