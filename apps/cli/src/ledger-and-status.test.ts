import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { useFixture } from './testing/fixture.ts';
import { runCli } from './testing/run-cli.ts';

const packageFolder = fileURLToPath(new URL('../', import.meta.url));
const modulesFolder = fileURLToPath(new URL('../../../node_modules', import.meta.url));

const report = {
  ok: true,
  commandSeq: 1234,
  checks: [
    { name: 'the legs of every command sum to zero per asset', ok: true, violations: 0 },
    { name: 'the journal is dense and reaches the last batch', ok: true, violations: 0 },
  ],
  stateHash: 'ab12',
  durationMs: 87,
};

const fixture = useFixture();

describe('ledger verify on a running server', () => {
  it('shows every rule and ends well', async () => {
    const server = await fixture.serve({ 'POST /ledger/verify': { status: 200, body: { data: report } } });
    const { code, stdout } = await server.cli(['ledger', 'verify']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +0 {2}the legs of every command sum to zero per asset$/m);
    expect(stdout).toMatch(/^last command +1234$/m);
    expect(stdout).toContain('The ledger holds.');
  });

  it('fails when a rule is broken', async () => {
    const broken = {
      ...report,
      ok: false,
      checks: [{ name: 'the journal is dense and reaches the last batch', ok: false, violations: 3 }],
    };
    const server = await fixture.serve({ 'POST /ledger/verify': { status: 200, body: { data: broken } } });
    const human = await server.cli(['ledger', 'verify']);
    const machine = await server.cli(['ledger', 'verify', '--json']);
    expect(human.code).toBe(1);
    expect(human.stdout).toMatch(/^BROKEN +3 {2}the journal is dense/m);
    expect(human.stdout).toContain('The ledger is broken.');
    expect(machine.code).toBe(1);
    expect(JSON.parse(machine.stdout)).toEqual(broken);
  });
});

/** A folder laid out like the checkout, with this package's build and other programs beside it. */
async function checkoutWith(programs: Readonly<Record<string, string>>): Promise<string> {
  const root = await fixture.folder();
  const cliFolder = join(root, 'apps/cli');
  for (const part of ['bin', 'dist', 'package.json'])
    await cp(join(packageFolder, part), join(cliFolder, part), { recursive: true });
  await symlink(modulesFolder, join(root, 'node_modules'));
  for (const [path, text] of Object.entries(programs)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** Prints its words and ends with a code of its own. */
const ECHO = 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;';

describe('without a server', () => {
  it('has the server program verify the ledger and passes its exit code on', async () => {
    const root = await checkoutWith({ 'apps/server/dist/main.js': ECHO });
    const command = join(root, 'apps/cli/bin/opengrid.mjs');
    const human = await runCli(['ledger', 'verify', '--data', root], { command });
    const machine = await runCli(['ledger', 'verify', '--data', root, '--json'], { command });
    expect(human).toMatchObject({ code: 7, stderr: '' });
    expect(JSON.parse(human.stdout)).toEqual(['ledger-verify', '--data', root]);
    expect(JSON.parse(machine.stdout)).toEqual(['ledger-verify', '--data', root, '--json']);
  });

  it('does not make a store where there is none', async () => {
    const absent = join(await fixture.folder(), 'absent');
    const result = await runCli(['ledger', 'verify', '--data', absent]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`There is no data folder ${absent}`);
  });

  it('starts the server through the script of the checkout, flags and exit code untouched', async () => {
    const root = await checkoutWith({ 'scripts/start.mjs': ECHO });
    const command = join(root, 'apps/cli/bin/opengrid.mjs');
    const words = ['start', '--port', '0', '--data', '/x y', '--no-demo', '--help'];
    const result = await runCli(words, { command });
    expect(result).toMatchObject({ code: 7, stderr: '' });
    expect(JSON.parse(result.stdout)).toEqual(words.slice(1));
  });

  it('starts the built server where there is no checkout, on the folder named before', async () => {
    const root = await checkoutWith({ 'apps/server/dist/main.js': ECHO });
    const command = join(root, 'apps/cli/bin/opengrid.mjs');
    const result = await runCli(['--data', '/x', 'start', '--port', '1'], { command });
    expect(JSON.parse(result.stdout)).toEqual(['--data', '/x', '--port', '1']);
  });

  it('says what is missing when the server is not built', async () => {
    const root = await checkoutWith({});
    const command = join(root, 'apps/cli/bin/opengrid.mjs');
    const result = await runCli(['start'], { command });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('npm run build:code');
  });
});

describe('status', () => {
  const answer = {
    version: '0.1.0',
    sequencer: { commandSeq: 12, queue_length: 0 },
    markets: ['text-prime'],
  };

  it('lays nested members out as lines', async () => {
    const server = await fixture.serve({ 'GET /status': { status: 200, body: { data: answer } } });
    const { code, stdout } = await server.cli(['status']);
    expect(code).toBe(0);
    expect(stdout).toContain(`The server on ${server.dataFolder} is running.`);
    expect(stdout).toMatch(/^sequencer command seq {3}12$/m);
    expect(stdout).toMatch(/^sequencer queue length {2}0$/m);
    expect(stdout).toMatch(/^markets +text-prime$/m);
  });

  it('gives programs the answer as it came', async () => {
    const server = await fixture.serve({ 'GET /status': { status: 200, body: { data: answer } } });
    const { stdout } = await server.cli(['status', '--json']);
    expect(JSON.parse(stdout)).toEqual(answer);
  });
});
