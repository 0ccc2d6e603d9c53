import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { startPostgres } from './postgres.ts';
import { usableBinaries } from './postgres-binaries.ts';
import { sharedPostgres } from './postgres-shared.ts';

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query(text)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

describe('the shared server', () => {
  it('gives every caller a database of its own', async () => {
    const server = await sharedPostgres();
    const [first, second] = await Promise.all([server.newDatabase(), server.newDatabase()]);
    await ask(first, 'create table mark (id int)');
    expect(await ask(first, `select to_regclass('mark')::text`)).toBe('mark');
    expect(await ask(second, `select to_regclass('mark')::text`)).toBeNull();
  });
});

describe('a server of its own', () => {
  it('keeps committed rows over a kill, flushes by default, and leaves nothing behind', async () => {
    const server = await startPostgres();
    try {
      const url = await server.newDatabase();
      expect(await ask(url, 'show fsync')).toBe('on');
      await ask(url, 'create table mark as select 7 as id');
      await server.kill9();
      await expect(ask(url, 'select 1')).rejects.toThrow();
      await server.restart();
      expect(await ask(url, 'select id from mark')).toBe(7);
    } finally {
      await server.stop();
    }
    const folder = new URL(server.url).searchParams.get('host') ?? '';
    expect(folder).toContain('opengrid-pg-');
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a package whose install script did not run', () => {
  const home = mkdtempSync(join(tmpdir(), 'opengrid-package-'));
  const native = join(home, 'native');
  mkdirSync(join(native, 'lib'), { recursive: true });
  chmodSync(home, 0o755);
  writeFileSync(join(native, 'lib', 'libpq.so.5.18'), 'library');
  const link = { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' };
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify([link]));
  afterAll(() => rmSync(home, { recursive: true }));

  it('is copied and given its library links', () => {
    const { copy, postgres } = usableBinaries(native);
    expect(copy).toBeDefined();
    const made = join(dirname(postgres), '..', 'lib', 'libpq.so.5');
    expect(lstatSync(made).isSymbolicLink()).toBe(true);
    expect(existsSync(made)).toBe(true);
    expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(false);
    rmSync(copy ?? '', { recursive: true });
  });
});
