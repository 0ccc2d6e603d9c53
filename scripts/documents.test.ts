// The documents agree with the code they describe.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_CATALOGUE, ERROR_CODES } from '@opengrid/wire';
import { describe, expect, it } from 'vitest';
import { DATA_INVENTORY } from '../apps/server/src/store/inventory.ts';
import { errorPage } from './docs/error-page.mjs';
import { inventoryPage } from './docs/inventory-page.mjs';
import { type LockFile, lockProblems } from './docs/lock-rules.ts';
import { brokenLinks, dependencyProblems, type Manifest } from './docs/rules.ts';
import { listFiles } from './tidy/source-file.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const paths = listFiles(root);
const manifests = new Map<string, Manifest>(
  paths
    .filter((path) => /(^|\/)package\.json$/.test(path))
    .map((path) => [path, JSON.parse(read(path)) as Manifest]),
);

describe('pages made from code', () => {
  it('lists every error code, as the catalogue has it', () => {
    expect(read('docs/reference/errors.md')).toBe(errorPage(ERROR_CATALOGUE));
    for (const code of ERROR_CODES)
      expect(read('docs/reference/errors.md')).toMatch(new RegExp(`^\\| \`${code}\` +\\|`, 'm'));
  });

  it('loses no code whose status has no section', () => {
    const entry = { ...ERROR_CATALOGUE.not_found, httpStatus: 418 };
    expect(() => errorPage({ teapot: entry })).toThrow('teapot');
  });

  it('lists every column, as the inventory has it', () => {
    expect(read('docs/reference/data-inventory.md')).toBe(inventoryPage(DATA_INVENTORY));
  });
});

describe('settings', () => {
  const source = read('apps/server/src/program/config.ts');
  const flags = [...source.matchAll(/new Option\('(--[a-z-]+)/g)].map((match) => match[1] as string);
  const variables = [...source.matchAll(/(?:env\(|environment(?:Switch|Number)\(|env\.)\s*'?([A-Z_]{4,})/g)];
  const names = [...flags, ...variables.map((match) => match[1] as string)];

  it('are all in the page about configuration', () => {
    expect(names).toEqual(
      expect.arrayContaining(['--port', 'DATABASE_URL', 'INFERENCE_RPM', 'OPENGRID_SECRET']),
    );
    const page = read('docs/reference/configuration.md');
    expect(names.filter((name) => name !== '--json' && !page.includes(`\`${name}`))).toEqual([]);
  });
});

describe('dependencies', () => {
  const page = read('docs/dependencies.md');

  it('are exact, and have a line with reason and exit each', () => {
    expect(manifests.size).toBeGreaterThan(7);
    expect(dependencyProblems(manifests, page)).toEqual([]);
  });

  it('are complained about when they are not', () => {
    const manifest = (version: string, name = 'pg'): Map<string, Manifest> =>
      new Map([['apps/x/package.json', { name: 'x', dependencies: { [name]: version } }]]);
    const line = '| `pg` | driver | another driver behind the port |';
    expect(dependencyProblems(manifest('8.23.1'), line)).toEqual([]);
    expect(dependencyProblems(manifest('^8'), line)).toEqual(['apps/x/package.json: pg is not exact: ^8']);
    expect(dependencyProblems(manifest('git+https://example.com/x'), line)).toHaveLength(1);
    expect(dependencyProblems(manifest('1.0.0', 'left'), line)).toEqual([
      'apps/x/package.json: left has no line in docs/dependencies.md',
      'docs/dependencies.md: pg is not a dependency any more',
    ]);
    expect(dependencyProblems(manifest('8.23.1'), '| `pg` | driver |  |')).toEqual([
      'docs/dependencies.md: pg lacks its reason or its exit',
    ]);
  });
});

describe('the lock file', () => {
  const byFolder = new Map(
    [...manifests].map(([path, manifest]) => [path.replace(/\/?package\.json$/, ''), manifest]),
  );

  it('has every package of every platform and agrees with the manifests, so that npm ci accepts it', () => {
    const lock = JSON.parse(read('package-lock.json')) as LockFile;
    expect(Object.keys(lock.packages).length).toBeGreaterThan(200);
    expect(lockProblems(lock, byFolder)).toEqual([]);
  });

  it('is complained about when it does not', () => {
    const lock: LockFile = {
      packages: {
        '': { dependencies: { a: '1.0.0' } },
        'apps/x': { dependencies: { b: '1.0.0' }, bin: { x: 'x.mjs' } },
        'apps/x/node_modules/b': { optionalDependencies: { 'b-win32-x64': '1.0.0' } },
        'node_modules/a': { dependencies: { c: '1.0.0' } },
        'node_modules/c': {},
      },
    };
    const manifest = new Map([
      ['', { dependencies: { a: '1.0.0' } }],
      ['apps/x', { dependencies: { b: '2.0.0' } }],
    ]);
    expect(lockProblems(lock, manifest)).toEqual([
      'apps/x/node_modules/b: b-win32-x64 is not in the lock file',
      'apps/x: dependencies differ from the lock file',
      'apps/x: bin differ from the lock file',
    ]);
  });
});

describe('links', () => {
  const pages = paths.filter((path) => path.endsWith('.md'));
  const isThere = (path: string): boolean => existsSync(join(root, path));

  it('lead to files and headings that exist', () => {
    expect(pages.length).toBeGreaterThan(10);
    expect(pages.flatMap((path) => brokenLinks({ path, read, isThere }))).toEqual([]);
  });

  it('are complained about when they lead nowhere', () => {
    const text =
      '# A b\n[x](c.md) [y](#a-b) [z](#q) [w](https://example.com/) ![p](img/no.png)\n`[code](none.md)`\n';
    const found = brokenLinks({
      path: 'docs/a.md',
      read: () => text,
      isThere: (path) => path === 'docs/c.md',
    });
    expect(found).toEqual(['docs/a.md: #q', 'docs/a.md: img/no.png']);
  });
});
