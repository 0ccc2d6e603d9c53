/** A store in memory that keeps the promises of the fenced statement: all of it or nothing, and only under the fence. */
import type { Queryable, Rows, Statement } from '../../store/database.ts';
import { StatementRefused } from '../../store/database.ts';
import type { TableShape } from '../table-rows.ts';
import * as shapes from '../tables.ts';

export type Row = Record<string, unknown>;

/** Columns that identify a row. A table that is not here takes every row. */
const KEYS = new Map<string, readonly string[]>([
  ['journal', ['seq']],
  ['orders', ['order_seq']],
  ['trades', ['trade_seq']],
  ['lots', ['lot_seq']],
  ['escrow_ranges', ['range_seq']],
  ['transfers', ['transfer_id']],
  ['issuances', ['issuance_id']],
  ['entries', ['command_seq', 'position']],
  ['balances', ['account_number', 'instrument_no', 'kind']],
  ['user_sequences', ['account_number']],
  ['receipts', ['request_id']],
  ['receipt_draws', ['request_id', 'position']],
  ['signature_replays', ['key_id', 'signature_hash', 'command_seq']],
]);

interface Part {
  readonly shape: TableShape;
  readonly rows: readonly Row[];
}

export class MemoryStore implements Queryable {
  readonly lease = { epoch: 0, batch: 0, command_seq: 0, at_ms: 0 };
  private readonly tables = new Map<string, Map<string, Row>>();
  private snapshots: Row[] = [];

  rowsOf(table: string): Row[] {
    return [...(this.tables.get(table)?.values() ?? [])];
  }

  async query<T = Row>(statement: Statement): Promise<Rows<T>> {
    const rows = this.answer(statement.text, statement.values ?? []) as T[];
    return { rows, rowCount: rows.length };
  }

  private answer(text: string, values: readonly unknown[]): Row[] {
    if (text.startsWith('with fence as')) return this.commit(text, values);
    if (text.startsWith('update writer_lease')) return this.takeEpoch(text, values);
    if (text.includes('from journal')) return this.journalPage(values as number[]);
    if (text.includes('from user_sequences')) return this.rowsOf('user_sequences');
    if (text.startsWith('insert into snapshots')) return this.keepSnapshot(values);
    if (text.startsWith('delete from snapshots')) {
      this.snapshots = this.snapshots.slice(-2);
      return [];
    }
    if (text.includes('from snapshots')) return this.newestSnapshot(values[0] as number);
    throw new Error(`the simulated store does not know this statement: ${text.slice(0, 80)}`);
  }

  private takeEpoch(text: string, [epoch]: readonly unknown[]): Row[] {
    if (text.includes('epoch = $1') && epoch !== this.lease.epoch) return [];
    this.lease.epoch += 1;
    return [{ ...this.lease }];
  }

  private journalPage([after, last, limit]: readonly number[]): Row[] {
    const rows: Row[] = [];
    const journal = this.tables.get('journal');
    for (let seq = after! + 1; seq <= last! && rows.length < limit!; seq += 1) {
      const row = journal?.get(String(seq));
      if (row !== undefined) rows.push({ ...row, body: structuredClone(row.body) });
    }
    return rows;
  }

  private keepSnapshot([commandSeq, atMs, hash, body]: readonly unknown[]): Row[] {
    if (this.snapshots.some((row) => row.command_seq === commandSeq)) return [];
    this.snapshots.push({ command_seq: commandSeq, at_ms: atMs, state_hash: hash, body });
    this.snapshots.sort((a, b) => (a.command_seq as number) - (b.command_seq as number));
    return [];
  }

  private newestSnapshot(lastSeq: number): Row[] {
    return this.snapshots.filter((row) => (row.command_seq as number) <= lastSeq).slice(-1);
  }

  private commit(text: string, values: readonly unknown[]): Row[] {
    const [epoch, batch, commandSeq, atMs] = values as number[];
    if (epoch !== this.lease.epoch || batch !== this.lease.batch + 1) return [];
    const parts = partsOf(text, values);
    for (const part of parts) this.refuseDuplicates(part);
    for (const part of parts) for (const row of part.rows) this.write(part.shape, row);
    Object.assign(this.lease, { batch, command_seq: commandSeq, at_ms: atMs });
    return [{ epoch }];
  }

  private refuseDuplicates({ shape, rows }: Part): void {
    const table = this.tables.get(shape.name);
    if (shape.kind === 'update' || shape.onConflict !== undefined) return;
    if (rows.every((row) => !table?.has(keyOf(shape, row)))) return;
    throw new StatementRefused('a row is there already', { sqlState: '23505', table: shape.name });
  }

  private write(shape: TableShape, row: Row): void {
    let table = this.tables.get(shape.name);
    if (table === undefined) {
      table = new Map();
      this.tables.set(shape.name, table);
    }
    const key = keyOf(shape, row) || String(table.size);
    const before = table.get(key);
    if (before === undefined) {
      if (shape.kind === 'insert') table.set(key, row);
    } else if (shape.onConflict?.includes('+')) {
      before.amount = (before.amount as number) + (row.amount as number);
    } else {
      Object.assign(before, row);
    }
  }
}

function keyOf(shape: TableShape, row: Row): string {
  return (KEYS.get(shape.name) ?? []).map((column) => row[column]).join('/');
}

/** The tables that a fenced statement writes, in the order of their values. */
function partsOf(text: string, values: readonly unknown[]): Part[] {
  const parts: Part[] = [];
  let next = 4;
  for (const [, verb, name] of text.matchAll(/w\d+ as \((insert into|update) (\w+)/g)) {
    const kind = verb === 'update' ? 'update' : 'insert';
    const shape = Object.values(shapes).find((one) => one.name === name && one.kind === kind);
    if (shape === undefined) throw new Error(`the simulated store does not know the table ${name}`);
    const types = Object.entries(shape.columns);
    const columns = types.map(([, type], index) =>
      cellsOf(values[next + index] as string).map((cell) => decode(cell, type)),
    );
    next += types.length;
    const rows = (columns[0] ?? []).map((_, row) =>
      Object.fromEntries(types.map(([column], index) => [column, columns[index]![row]])),
    );
    parts.push({ shape, rows });
  }
  if (next !== values.length) throw new Error('the simulated store has not understood every value');
  return parts;
}

/** Elements of a PostgreSQL array literal of one dimension. */
function cellsOf(literal: string): (string | null)[] {
  const cells: (string | null)[] = [];
  for (const [, quoted, bare] of literal.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)) {
    if (quoted !== undefined) cells.push(quoted.replaceAll(/\\(.)/gs, '$1'));
    else cells.push(bare === 'NULL' ? null : bare!);
  }
  return cells;
}

function decode(cell: string | null, type: string): unknown {
  if (cell === null || type === 'text' || type === 'bytea') return cell;
  if (type === 'jsonb') return JSON.parse(cell);
  return type === 'boolean' ? cell === 't' : Number(cell);
}
