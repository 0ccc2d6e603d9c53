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

/** Column-wise buffer of one table. */
export class TableRows {
  readonly shape: TableShape;
  readonly names: readonly string[];
  count = 0;
  private readonly cells: Cell[][];

  constructor(shape: TableShape) {
    this.shape = shape;
    this.names = Object.keys(shape.columns);
    this.cells = this.names.map(() => []);
  }

  /** Appends a row and returns its index. Every column must be given. */
  add(row: Readonly<Record<string, Cell>>): number {
    for (const [index, name] of this.names.entries()) this.cells[index]!.push(row[name] ?? null);
    this.count += 1;
    return this.count - 1;
  }

  /** Overwrites some columns of an earlier row. */
  change(index: number, row: Readonly<Record<string, Cell>>): void {
    for (const [column, name] of this.names.entries()) {
      const cell = row[name];
      if (cell !== undefined) this.cells[column]![index] = cell;
    }
  }

  /** The columns as PostgreSQL array literals. */
  literals(): string[] {
    return this.cells.map((column) => arrayLiteral(column));
  }
}

function arrayLiteral(column: readonly Cell[]): string {
  let text = '{';
  for (let index = 0; index < column.length; index += 1) {
    if (index > 0) text += ',';
    text += cellLiteral(column[index]!);
  }
  return `${text}}`;
}

function cellLiteral(cell: Cell): string {
  if (cell === null) return 'NULL';
  if (typeof cell === 'string') return `"${cell.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  if (typeof cell === 'boolean') return cell ? 't' : 'f';
  return String(cell);
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
