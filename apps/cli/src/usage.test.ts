import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adminSocketPath } from './admin/socket-path.ts';
import { useFixture } from './testing/fixture.ts';
import { runCli } from './testing/run-cli.ts';

const fixture = useFixture();

describe('which server is meant', () => {
  const status = { 'GET /status': { status: 200, body: { data: { version: '0.1.0' } } } };

  it('is told by OPENGRID_DATA', async () => {
    const server = await fixture.serve(status);
    const result = await runCli(['status'], { env: { OPENGRID_DATA: server.dataFolder } });
    expect(result.code).toBe(0);
  });

  it('is told by --data first, before or behind the command', async () => {
    const server = await fixture.serve(status);
    const env = { OPENGRID_DATA: await fixture.folder() };
    const behind = await runCli(['status', '--data', server.dataFolder], { env });
    const before = await runCli(['--data', server.dataFolder, '--json', 'status'], { env });
    expect(behind.code).toBe(0);
    expect(JSON.parse(before.stdout)).toEqual({ version: '0.1.0' });
  });

  it('is the one of ./data otherwise', async () => {
    const workingFolder = await fixture.folder();
    const result = await runCli(['status'], { workingFolder });
    expect(result.stderr).toContain(`the data folder ${join(workingFolder, 'data')}.`);
  });
});

describe('when the server cannot be asked', () => {
  it('says how to start one', async () => {
    const dataFolder = await fixture.folder();
    const human = await runCli(['accounts', 'list', '--data', dataFolder]);
    const machine = await runCli(['accounts', 'list', '--data', dataFolder, '--json']);
    expect(human).toMatchObject({ code: 1, stdout: '' });
    expect(human.stderr).toContain(`No server is running on the data folder ${dataFolder}.`);
    expect(human.stderr).toContain(`opengrid start --data ${dataFolder}`);
    expect(JSON.parse(machine.stderr)).toMatchObject({ error: { code: 'no_server' } });
  });

  it('takes the socket file of a killed server for no server', async () => {
    const dataFolder = await fixture.folder();
    await writeFile(adminSocketPath(dataFolder), '');
    const result = await runCli(['status', '--data', dataFolder]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('No server is running');
  });

  it('warns that the outcome is open when the connection breaks', async () => {
    const dataFolder = await fixture.folder();
    const server = createServer((socket) => socket.once('data', () => socket.destroy()));
    await new Promise<void>((resolve) => server.listen(adminSocketPath(dataFolder), resolve));
    const result = await runCli(['accounts', 'create', 'a@example.com', '--data', dataFolder]);
    await new Promise((resolve) => server.close(resolve));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('may or may not have been carried out');
  });

  it.each([
    ['text instead of JSON', { status: 200, body: 'hello' }],
    ['JSON without data', { status: 200, body: { fine: true } }],
    ['data of another shape', { status: 200, body: { data: { a: 1 } } }],
    ['an error of another shape', { status: 500, body: { errors: 'boom' } }],
  ])('does not take %s for an answer', async (_case, answer) => {
    const server = await fixture.serve({ 'GET /accounts': answer });
    const result = await server.cli(['accounts', 'list']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('an answer that cannot be read');
  });

  it('shows the complaints about single fields', async () => {
    const errors = {
      detail: { email: ['is taken', 'is odd'] },
      message: 'The request has invalid fields.',
      code: 'validation_failed',
    };
    const server = await fixture.serve({ 'POST /accounts': { status: 422, body: { errors } } });
    const result = await server.cli(['accounts', 'create', 'a@example.com']);
    expect(result.code).toBe(1);
    expect(result.stderr).toBe('opengrid: The request has invalid fields.\n  email: is taken, is odd\n');
  });
});

describe('usage', () => {
  it.each([
    ['no command', []],
    ['a group without command', ['suppliers']],
    ['an unknown command', ['fly']],
    ['an unknown option', ['status', '--loudly']],
    ['a missing argument', ['keys', 'revoke']],
    ['an argument too many', ['status', 'please']],
  ])('ends with 2 for %s', async (_case, words) => {
    const result = await runCli(words);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/Usage:|--help/);
  });

  it.each([['--loudly'], ['--port=many']])('ends with 2 for a start with %s', async (flag) => {
    const result = await runCli(['start', '--no-build', flag]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(flag.split('=')[0]);
  });

  it.each([
    [['--help'], 'opengrid start --port 4000'],
    [['suppliers', 'add', '--help'], '--key-stdin'],
    [['suppliers', '--help'], 'OPENGRID_SUPPLIER_KEY'],
    [['accounts', '--help'], 'opengrid accounts credit'],
    [['keys', '--help'], '--expires 90d'],
    [['keys', '--help'], 'opengrid keys register'],
    [['orders', 'place', '--help'], 'opengrid orders cancel-after 60'],
    [['book', '--help'], 'opengrid book text-prime --depth 5 --once'],
    [['transfer', '--help'], 'to-consumption'],
    [['ledger', 'verify', '--help'], 'DATABASE_URL'],
    [['--version'], '0.1.0'],
  ])('prints what %j asks for and ends with 0', async (words, expected) => {
    const result = await runCli(words);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(expected);
  });
});
