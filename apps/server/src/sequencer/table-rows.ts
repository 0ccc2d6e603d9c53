/**
 * Rows of a batch, column by column, and the one statement that writes them all behind the writer's fence.
 * Only the tables that a batch touches take part, so a statement has a name per set of tables and is prepared once.
 */

type ColumnType =
  | 'bigint'
  | 'integer'
  | 'text'
  | 'boolean'
  | 'double precision'
  | 'jsonb'
  | 'numeric'
  | 'bytea';

export interface TableShape {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** What follows `insert … select …`, or a whole update when `kind` is 'update'. */
  readonly kind: 'insert' | 'update';
  readonly onConflict?: string;
  /** Updates: the column that identifies the row. */
  readonly key?: string;
  /** Updates: columns that stay what they are unless the flag is true. The flag itself is no column of the table. */
  readonly onlyIf?: { readonly flag: string; readonly columns: readonly string[] };
}

export type Cell = number | string | boolean | bigint | null;

/** Rows of one table on their way into a statement. */
export class TableRows {
  readonly shape: TableShape;
  private readonly rows: Record<string, Cell>[] = [];

  constructor(shape: TableShape) {
    this.shape = shape;
  }

  get names(): readonly string[] {
    return Object.keys(this.shape.columns);
  }

  get count(): number {
    return this.rows.length;
  }

  /** Appends a row, which becomes this table's own, and returns its index. Every column must be given. */
  add(row: Record<string, Cell>): number {
    return this.rows.push(row) - 1;
  }

  /** Overwrites some columns of an earlier row. */
  change(index: number, row: Readonly<Record<string, Cell>>): void {
    Object.assign(this.rows[index]!, row);
  }

  /** The columns as PostgreSQL array literals. */
  literals(): string[] {
    return Object.entries(this.shape.columns).map(([name, type]) => this.literalOf(name, type));
  }

  private literalOf(name: string, type: ColumnType): string {
    const { rows } = this;
    const cells = new Array<string | number>(rows.length);
    for (let index = 0; index < rows.length; index += 1) {
      const cell = rows[index]![name];
      cells[index] = typeof cell === 'number' ? cell : cellLiteral(cell, type);
    }
    return `{${cells.join(',')}}`;
  }
}

/** Words and ids, which are most texts, need no escape. */
const PLAIN = /^[\w.:/-]*$/;

function cellLiteral(cell: Cell | undefined, type: ColumnType): string {
  if (cell === null || cell === undefined) return 'NULL';
  if (typeof cell === 'boolean') return cell ? 't' : 'f';
  if (typeof cell !== 'string') return String(cell);
  // JSON has no bare control characters, and in what is left a JSON string is escaped as an element of an array is.
  if (type === 'jsonb') return JSON.stringify(cell);
  if (PLAIN.test(cell)) return `"${cell}"`;
  return `"${cell.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

const FENCE = `with fence as (
  update writer_lease set batch = $2, command_seq = $3, at_ms = $4
  where id = 1 and epoch = $1 and batch = $2 - 1
  returning epoch
)`;
const FENCE_VALUES = 4;

function partOf(shape: TableShape, firstValue: number): string {
  const names = Object.keys(shape.columns);
  const types = Object.values(shape.columns);
  const arrays = types.map((type, index) => `$${firstValue + index}::${type}[]`).join(', ');
  const source = `fence, unnest(${arrays}) as u(${names.join(', ')})`;
  if (shape.kind === 'insert') {
    const list = names.map((name) => `u.${name}`).join(', ');
    return `insert into ${shape.name} (${names.join(', ')}) select ${list} from ${source} ${shape.onConflict ?? ''}`;
  }
  const { key, onlyIf } = shape;
  const changed = names.filter((name) => name !== key && name !== onlyIf?.flag);
  const changes = changed.map((name) => {
    if (onlyIf?.columns.includes(name) !== true) return `${name} = u.${name}`;
    return `${name} = case when u.${onlyIf.flag} then u.${name} else t.${name} end`;
  });
  return `update ${shape.name} t set ${changes.join(', ')} from ${source} where t.${shape.key} = u.${shape.key}`;
}

const statements = new Map<string, { name: string; text: string }>();

/** The statement for a set of tables. Its first four values are epoch, batch, last command sequence and its time. */
function statementFor(shapes: readonly TableShape[]): { name: string; text: string } {
  const key = shapes.map((shape) => `${shape.name}/${shape.kind}`).join(' ');
  let statement = statements.get(key);
  if (statement === undefined) {
    let value = FENCE_VALUES + 1;
    const parts = shapes.map((shape, index) => {
      const part = `w${index} as (${partOf(shape, value)})`;
      value += Object.keys(shape.columns).length;
      return part;
    });
    const text = `${[FENCE, ...parts].join(',\n')}\nselect epoch from fence`;
    statement = { name: `commit_${statements.size}`, text };
    statements.set(key, statement);
  }
  return statement;
}

export interface FenceValues {
  readonly epoch: number;
  readonly batch: number;
  readonly lastSeq: number;
  readonly atMs: number;
}

/** One statement that writes all rows, or none when the fence does not hold (it then returns no row). */
export function fencedStatement(
  tables: readonly TableRows[],
  fence: FenceValues,
): { name: string; text: string; values: unknown[] } {
  const used = tables.filter((table) => table.count > 0);
  const statement = statementFor(used.map((table) => table.shape));
  const values: unknown[] = [fence.epoch, fence.batch, fence.lastSeq, fence.atMs];
  for (const table of used) values.push(...table.literals());
  return { ...statement, values };
}
