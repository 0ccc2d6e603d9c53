// What others get: the packed package in a folder of its own, and the bundle that a browser loads.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';

const run = promisify(execFile);
const packageFolder = fileURLToPath(new URL('..', import.meta.url));

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'opengrid-sdk-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** Packs the package and puts it where an installation would. @returns the folder, and the paths that were packed */
const installed = async (): Promise<{ folder: string; paths: string[] }> => {
  const folder = await newFolder();
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: packageFolder });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  await run('tar', ['-xzf', filename.split('/').at(-1)!], { cwd: folder });
  await mkdir(join(folder, 'node_modules', '@opengrid'), { recursive: true });
  await cp(join(folder, 'package'), join(folder, 'node_modules/@opengrid/sdk'), { recursive: true });
  // Its one dependency, as an installation would put it beside it.
  const ws = dirname(createRequire(import.meta.url).resolve('ws/package.json'));
  await symlink(ws, join(folder, 'node_modules/ws'));
  return { folder, paths: files.map(({ path }) => path) };
};

describe('the packed package', () => {
  it('has what its entry points need, and no test', async () => {
    const { folder, paths } = await installed();
    expect(paths.filter((path) => /\.test\.|testing\/|^src\//.test(path))).toEqual([]);
    expect(paths).toContain('README.md');
    const { exports } = JSON.parse(await readFile(join(folder, 'package/package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    for (const entry of Object.keys(exports)) {
      const name = `@opengrid/sdk${entry.slice(1)}`;
      const script = `import * as sdk from '${name}'; console.log(Object.keys(sdk).join());
        const live = new sdk.OpenGrid({ baseUrl: 'http://127.0.0.1:9' }).live();
        live.onStatus(({ state }) => { console.log(state); live.close(); });`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
      expect(stdout).toContain('OpenGrid');
      expect(stdout).toContain('signerFromKey');
      // The socket came from `ws`, was refused, and let go of the process.
      expect(stdout).toMatch(/waiting\nclosed\n$/);
    }
  });
});

const consumer = `import { OpenGrid, type BookView, type Order, signerFromKey } from '@opengrid/sdk';
export const use = async (): Promise<[Order, BookView]> => {
  const grid = new OpenGrid({ baseUrl: 'http://localhost:4000', signer: await signerFromKey('') });
  const live = grid.live();
  const order = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 1, price: '0.9000' } as const;
  // @ts-expect-error a price is text, so that it never passes through a float
  await grid.orders.place({ ...order, price: 0.9 });
  return [await live.orders.place(order), await live.book('text-prime').ready()];
};
`;

describe('the types of the packed package', () => {
  it('need no types of Node or of anything else', async () => {
    const { folder } = await installed();
    await writeFile(join(folder, 'consumer.ts'), consumer);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
    const rules = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--skipLibCheck', 'false'];
    const platform = ['--target', 'es2023', '--lib', 'es2023,dom,dom.iterable', '--module', 'nodenext'];
    const words = [join(dirname(compiler), 'bin/tsc'), ...rules, ...platform, '--types', '', 'consumer.ts'];
    const checked = await run(process.execPath, words, { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    expect(checked.stdout).toBe('');
  });
});

const bundled = async (): Promise<{ code: string; warnings: string[] }> => {
  const warnings: string[] = [];
  const output = await build({
    root: packageFolder,
    logLevel: 'silent',
    configFile: false,
    resolve: { conditions: ['opengrid-source', 'browser', 'module', 'import'] },
    build: {
      write: false,
      lib: { entry: join(packageFolder, 'src/index.ts'), formats: ['iife'], name: 'sdk' },
      rolldownOptions: { onwarn: (warning) => void warnings.push(warning.message) },
    },
  });
  const [first] = Array.isArray(output) ? output : [output];
  const chunks = first !== undefined && 'output' in first ? first.output : [];
  const code = chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('\n');
  return { code, warnings };
};

describe('the bundle of a browser', () => {
  it('needs nothing of Node, is small, and works', async () => {
    const { code, warnings } = await bundled();
    expect(warnings.filter((text) => text.includes('externalized'))).toEqual([]);
    expect(code).not.toMatch(/\b(from|import|require)\s*\(?\s*["'`]node:/);
    expect(code).not.toContain('__vite-browser-external');
    expect(gzipSync(code).length).toBeLessThan(20_000);
    const answer = { data: { status: 'ok' } };
    const page = createContext({
      URL,
      URLSearchParams,
      Headers,
      AbortController,
      AbortSignal,
      TextEncoder,
      crypto,
      btoa,
      atob,
      setTimeout,
      clearTimeout,
      fetch: async () => new Response(JSON.stringify(answer)),
    });
    runInContext(`${code}\nthis.sdk = sdk;`, page);
    const script = `(async () => {
      const signer = await sdk.signerFromKey((await sdk.generateKey()).seed);
      return new sdk.OpenGrid({ baseUrl: 'https://grid.example', signer }).account.me();
    })()`;
    expect(await runInContext(script, page)).toEqual(answer.data);
  });
});
