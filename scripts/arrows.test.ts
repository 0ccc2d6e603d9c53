// The arrows between the rooms: every rule of .dependency-cruiser.cjs finds a planted violation, and lets proper imports be.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** What the lint rule says of a small repository, as "rule: importer". */
function broken(files: Readonly<Record<string, string>>): Set<string> {
  const folder = mkdtempSync(join(tmpdir(), 'opengrid-arrows-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const words = [cruiser, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, [...words, 'apps', 'packages', 'testing'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (stdout === '') throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } };
  return new Set(summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`));
}

/** A repository that keeps to every arrow. */
const FILES = {
  'packages/exchange/src/book.ts': 'export const book = 1;\n',
  'packages/wire/src/chat.ts': 'export const chat = 1;\n',
  'packages/sdk/src/client.ts': 'export const client = 1;\n',
  'apps/cli/src/index.ts': "import '../../../packages/sdk/src/client.ts';\n",
  'apps/server/src/inference/chat.ts': "import '../sequencer/sequencer.ts';\nimport '../store/store.ts';\n",
  'apps/server/src/trading/routes.ts': "import '../../../../packages/wire/src/chat.ts';\n",
  'apps/server/src/sequencer/sequencer.ts': "import '../../../../packages/exchange/src/book.ts';\n",
  'apps/server/src/store/store.ts': 'export const store = 1;\n',
  'apps/server/src/program/start.ts': "import '../inference/chat.ts';\nimport '../trading/routes.ts';\n",
  'apps/server/src/main.ts': "import './program/start.ts';\n",
  'testing/src/double.ts': 'export const double = 1;\n',
};

/** Rule, importer, and what it must not import. */
const PLANTED: readonly (readonly [string, string, string])[] = [
  ['exchange-has-no-dependency', 'packages/exchange/src/book.ts', 'node:fs'],
  ['exchange-and-wire-do-not-know-each-other', 'packages/wire/src/chat.ts', '../../exchange/src/book.ts'],
  ['wire-does-no-io', 'packages/wire/src/chat.ts', 'node:net'],
  ['pure-packages-import-nothing-of-ours', 'packages/wire/src/chat.ts', '../../sdk/src/client.ts'],
  ['sdk-stands-alone', 'packages/sdk/src/client.ts', '../../wire/src/chat.ts'],
  ['clients-speak-through-the-sdk', 'apps/cli/src/index.ts', '../../server/src/store/store.ts'],
  ['surfaces-do-not-reach-sideways', 'apps/server/src/inference/chat.ts', '../trading/routes.ts'],
  ['sequencer-knows-no-surface', 'apps/server/src/sequencer/sequencer.ts', '../trading/routes.ts'],
  ['store-knows-no-room', 'apps/server/src/store/store.ts', '../trading/routes.ts'],
  ['only-main-wires', 'apps/server/src/trading/routes.ts', '../main.ts'],
  [
    'production-code-uses-no-test-doubles',
    'apps/server/src/store/store.ts',
    '../../../../testing/src/double.ts',
  ],
  ['no-circular', 'packages/exchange/src/book.ts', './book.ts'],
];

/** The repository above with every violation planted at once. */
function withViolations(): Record<string, string> {
  const files: Record<string, string> = { ...FILES };
  for (const [, path, target] of PLANTED) files[path] += `import '${target}';\n`;
  return files;
}

describe('the arrows', () => {
  it('let a proper repository be', () => {
    expect([...broken(FILES)]).toEqual([]);
  });

  it('find every planted violation', () => {
    const found = broken(withViolations());
    const missed = PLANTED.filter(([rule, path]) => !found.has(`${rule}: ${path}`));
    expect(missed).toEqual([]);
  });

  it('are all planted', () => {
    const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
      forbidden: readonly { readonly name: string }[];
    };
    const planted = new Set(PLANTED.map(([rule]) => rule));
    expect(forbidden.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([]);
  });
});
