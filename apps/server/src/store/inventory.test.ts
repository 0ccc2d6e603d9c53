import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DATA_INVENTORY, REQUEST_SOURCES, RETENTION } from './inventory.ts';
import { migrate } from './migrate.ts';
import { openEmbeddedStore, type TestStore } from './testing.ts';

const COLUMNS = `
  select c.relname || '.' || a.attname as name, format_type(a.atttypid, a.atttypmod) as type
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`;

/** Compares the live schema with the inventory, both ways. */
async function differences(store: TestStore): Promise<string[]> {
  const { rows } = await store.database.query<{ name: string; type: string }>({ text: COLUMNS });
  const live = new Set(rows.map(({ name, type }) => `${name} ${type}`));
  const listed = new Set(DATA_INVENTORY.map(({ table, column, type }) => `${table}.${column} ${type}`));
  return [
    ...[...live].filter((column) => !listed.has(column)).map((column) => `not in the inventory: ${column}`),
    ...[...listed].filter((column) => !live.has(column)).map((column) => `not in the schema: ${column}`),
  ].sort();
}

describe('the data inventory', () => {
  let store: TestStore;
  beforeAll(async () => {
    store = await openEmbeddedStore();
    await migrate({ database: store.database });
  });
  afterAll(() => store.close());

  it('lists every column of the schema with its type, and no other', async () => {
    expect(await differences(store)).toEqual([]);
  });

  it('notices a column that nobody classified, one that is gone, and a changed type', async () => {
    await store.database.query({ text: 'alter table receipts add column prompt text' });
    await store.database.query({ text: 'alter table lots drop column acquisition' });
    await store.database.query({ text: 'alter table trades alter column aggressor type varchar(9)' });
    expect(await differences(store)).toEqual([
      'not in the inventory: receipts.prompt text',
      'not in the inventory: trades.aggressor character varying(9)',
      'not in the schema: lots.acquisition bigint',
      'not in the schema: trades.aggressor text',
    ]);
  });

  it('lists no column twice', () => {
    const names = DATA_INVENTORY.map((row) => `${row.table}.${row.column}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('has no free text that an inference request could fill', () => {
    const reachable = DATA_INVENTORY.filter((row) => REQUEST_SOURCES.has(row.source));
    expect(reachable.filter((row) => row.freeText !== null)).toEqual([]);
    expect(reachable.map((row) => row.table)).toContain('receipts');
  });

  it('gives every row the retention of its class', () => {
    expect(DATA_INVENTORY.filter((row) => row.retention !== RETENTION[row.class])).toEqual([]);
  });

  it('erases or unlinks everything that names an account or a person', () => {
    const personal = DATA_INVENTORY.filter((row) =>
      /(^|_)account(_number)?$|email|^user_id$/.test(row.column),
    );
    expect(personal.length).toBeGreaterThan(10);
    expect(personal.filter((row) => row.erasure === 'keep')).toEqual([]);
  });
});
