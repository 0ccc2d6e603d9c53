import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from './client.ts';
import { type ProgramOptions, runProgram, startProgram } from './program.ts';

// A program with the server's manners: it says when it is ready, in two writes, and ends on SIGTERM.
const politeServer = `
import { createServer } from 'node:http';
const said = JSON.stringify({ args: process.argv.slice(2), env: process.env, folder: process.cwd() });
const server = createServer((_, response) => response.end(said)).listen(0, '127.0.0.1', () => {
  console.error('starting');
  const url = 'http://127.0.0.1:' + server.address().port;
  const line = 'OPENGRID_READY ' + JSON.stringify({ url, key: process.env.KEY, build: 7 }) + '\\n';
  process.stdout.write('hello\\n' + line.slice(0, 20));
  setTimeout(() => console.error('a warning in between'), 25);
  setTimeout(() => process.stdout.write(line.slice(20)), 50);
});
process.on('SIGTERM', () => {
  console.log('ending');
  if (process.argv.includes('--stubborn')) return;
  server.close();
  server.closeAllConnections();
});
`;
const failing = "console.error('the port is taken'); process.exitCode = 3;";
const silent = 'setInterval(() => {}, 1000);';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opengrid-program-'));
  await writeFile(join(folder, 'polite.mjs'), politeServer);
  await writeFile(join(folder, 'failing.mjs'), failing);
  await writeFile(join(folder, 'silent.mjs'), silent);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function program(name: string, more: ProgramOptions = {}): ProgramOptions {
  return { entry: join(folder, `${name}.mjs`), workingFolder: folder, ...more };
}

describe('a program', () => {
  it('is started with its options, read until it is ready, and stopped', async () => {
    process.env.OPENGRID_TEST_LEAK = '1';
    const options = { dataFolder: '/d', databaseUrl: 'postgres://x', args: ['--no-demo'], env: { KEY: 'k' } };
    const running = await startProgram(program('polite', options));
    delete process.env.OPENGRID_TEST_LEAK;
    const { json } = await sendRequest({ url: running.url });
    expect(json).toMatchObject({
      args: ['--port', '0', '--data', '/d', '--database-url', 'postgres://x', '--no-demo'],
      env: { KEY: 'k', OPENGRID_READY_LINE: '1', PATH: process.env.PATH },
    });
    expect(json).not.toHaveProperty('env.OPENGRID_TEST_LEAK');
    expect(running).toMatchObject({ key: 'k', ready: { build: 7 } });
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(running.output()).toContain('starting');
    expect(running.output()).toContain('ending');
  });

  it('may have no key to show', async () => {
    const running = await startProgram(program('polite'));
    expect(running.key).toBeNull();
    await running.kill9();
  });

  it('can be killed', async () => {
    const running = await startProgram(program('polite'));
    expect(await running.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(running.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    expect(() => process.kill(running.pid, 0)).toThrow('ESRCH');
  });

  it('is killed when it does not stop', async () => {
    const running = await startProgram(program('polite', { args: ['--stubborn'] }));
    expect(await running.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(running.output()).toContain('ending');
  });

  it('that ends too early is an error with its output', async () => {
    await expect(startProgram(program('failing'))).rejects.toThrow(
      /ended with 3 before.*\n.*the port is taken/,
    );
  });

  it('that is never ready is an error, and does not stay', async () => {
    await expect(startProgram(program('silent', { readyTimeoutMs: 100 }))).rejects.toThrow(
      'not ready after 100',
    );
  });

  it('that says something else than JSON is an error', async () => {
    const entry = join(folder, 'garbled.mjs');
    await writeFile(entry, "console.log('OPENGRID_READY {url'); setInterval(() => {}, 1000);");
    await expect(startProgram({ entry })).rejects.toThrow('not JSON');
  });

  it('that should end by itself is run to its end, or killed', async () => {
    expect(await runProgram(program('failing'))).toEqual({
      code: 3,
      signal: null,
      output: 'the port is taken\n',
    });
    expect(await runProgram(program('silent', { readyTimeoutMs: 100 }))).toMatchObject({ signal: 'SIGKILL' });
  });
});
