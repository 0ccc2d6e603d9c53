import { expect, it } from 'vitest';
import { forEachStore } from '../store/testing.ts';
import { TableRows, type TableShape } from './table-rows.ts';

const SHAPE: TableShape = {
  name: 'anything',
  kind: 'insert',
  columns: { n: 'bigint', big: 'numeric', word: 'text', flag: 'boolean', body: 'jsonb' },
};
const TEXTS = [
  '',
  'NULL',
  'a,b',
  '{}',
  '"quoted"',
  'back\\slash',
  'two\nlines\ttab',
  " '; --",
  'ü 😀 \u2028',
  'x.y/z:1',
];

forEachStore('rows of a batch', (open) => {
  it('reach the database as they are, whatever their texts hold', async () => {
    const { database } = await open();
    const rows = new TableRows(SHAPE);
    const given = TEXTS.map((text, index) => ({ text, index, body: { [text]: [text, null, 1.5] } }));
    for (const { text, index, body } of given) {
      const flag = index % 2 === 0;
      rows.add({ n: index, big: 10n ** 15n + 1n, word: text, flag, body: JSON.stringify(body) });
    }
    rows.add({ n: null, big: null, word: null, flag: null, body: null });
    rows.change(0, { word: 'changed', flag: false });
    const columns = Object.entries(SHAPE.columns);
    const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
    const text = `select * from unnest(${arrays}) as u(${columns.map(([name]) => name).join(', ')})`;
    const { rows: found } = await database.query({ text, values: rows.literals() });
    const expected = given.map(({ text: word, index, body }) => {
      return { n: index, big: 10 ** 15 + 1, word, flag: index % 2 === 0, body };
    });
    expected[0] = { ...expected[0]!, word: 'changed', flag: false };
    const empty = { n: null, big: null, word: null, flag: null, body: null };
    expect(found).toEqual([...expected, empty]);
  });
});
