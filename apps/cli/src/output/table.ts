import type { Row } from '../admin/answer.ts';
import type { Style } from './style.ts';

const GAP = '  ';
const EMPTY = '-';
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Characters that take two cells of a terminal: East Asian wide ones and pictures. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly value: (row: Row) => unknown;
}

/** A value as one line of text. What a server or supplier named itself must not move the cursor of the terminal. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return EMPTY;
  if (Array.isArray(value)) return value.length === 0 ? EMPTY : value.map(cell).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/\p{Cc}|\p{Cf}/gu, ' ');
}

/** `1 order`, `2 orders`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A time of the API (ISO 8601 with milliseconds) to the second; anything else as it is. */
export function shortTime(value: unknown): string {
  return cell(value).replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z$/, '$1 $2Z');
}

/** Lines of a table with a heading, each column as wide as its widest cell. */
export function tableLines(columns: readonly Column[], rows: readonly Row[], style: Style): string[] {
  const cells = rows.map((row) => columns.map((column) => cell(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(width(column.title), ...cells.map((line) => width(line[index] ?? ''))),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => pad(text, { width: widths[index] ?? 0, align: columns[index]?.align ?? 'left' }))
      .join(GAP)
      .trimEnd();
  return [style.bold(line(columns.map((column) => column.title))), ...cells.map(line)];
}

/** Lines of `name  value`, the names of one width. */
export function fieldLines(
  fields: readonly (readonly [name: string, value: unknown])[],
  style: Style,
): string[] {
  const widest = Math.max(0, ...fields.map(([name]) => width(name)));
  return fields.map(([name, value]) => {
    const label = pad(name, { width: widest, align: 'left' });
    return `${style.dim(label)}${GAP}${cell(value)}`;
  });
}

function pad(text: string, { width: cells, align }: { width: number; align: 'left' | 'right' }): string {
  const space = ' '.repeat(Math.max(0, cells - width(text)));
  return align === 'right' ? space + text : text + space;
}

function width(text: string): number {
  let cells = 0;
  for (const { segment } of GRAPHEMES.segment(text)) cells += WIDE.test(segment) ? 2 : 1;
  return cells;
}
