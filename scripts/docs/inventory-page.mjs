// docs/reference/data-inventory.md, written from the data inventory of the store.
import { table } from './table.mjs';

const INTRODUCTION = `# Data inventory

<!-- Written by scripts/generate-docs.mjs from apps/server/src/store/inventory.ts. Do not edit by hand. -->

Every column of every table, with the reason it exists. A test compares this list with the live schema, and fails when a
column is missing here, or when an inference request could reach a column that takes a user's text.

- _Free text_: the longest text a user can put in, in characters.
- _Erasure_: what erasing an account does. \`unlink\` keeps the row, which carries a random account number only, and destroys
  the one row that maps the number to a person.
- _Export_: part of the export of an account.

The job that deletes what has reached the end of its period, and the routes for export and erasure, are not in the program
yet: the periods and acts below are what they will do.
`;

function row(entry) {
  const freeText = entry.freeText === null ? 'no' : String(entry.freeText);
  return [
    `\`${entry.column}\``,
    `\`${entry.type}\``,
    entry.class,
    entry.source,
    freeText,
    entry.retention,
    entry.erasure,
    entry.export ? 'yes' : 'no',
  ];
}

const HEAD = ['Column', 'Type', 'Class', 'Filled by', 'Free text', 'Kept', 'Erasure', 'Export'];

function section(rows, name) {
  const lines = rows.filter((entry) => entry.table === name).map(row);
  return `\n## ${name}\n\n${table(HEAD, lines)}\n`;
}

/** The page, from the rows of the inventory. */
export function inventoryPage(rows) {
  const tables = [...new Set(rows.map((entry) => entry.table))];
  return INTRODUCTION + tables.map((name) => section(rows, name)).join('');
}
