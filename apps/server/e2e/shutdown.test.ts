// Ends of the program, wanted and not: signals under load, and starts that cannot be.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FaultySupplier,
  type ProgramOptions,
  runProgram,
  type StreamResponse,
  sendRequest,
  startFaultySupplier,
  streamRequest,
  waitFor,
} from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDataFolder } from '../src/store/testing.ts';
import { Instance } from './testing/instance.ts';
import { expectNothingInside, expectRefusal, type Refusal } from './testing/refusal.ts';

const STREAM_COUNT = 6;
const SHORT_DRAIN_MS = 400;

let instance: Instance;
let double: FaultySupplier;

beforeAll(async () => {
  double = await startFaultySupplier();
  instance = await Instance.start({ args: ['--no-builtin-supplier'] });
  const offer = { name: 'Steady', instrument: 'text-standard', price: '0.25', units: 100 };
  await instance.addSupplier(double, offer);
});

afterAll(async () => {
  await instance.remove();
  await double.close();
});

const body = { model: 'text-standard', messages: [{ role: 'user', content: 'The sea was' }] };

function request(stream: boolean) {
  return { url: `${instance.url}/v1/chat/completions`, key: instance.key, body: { ...body, stream } };
}

/** Starts streams and waits until all of them are being answered. */
async function startStreams(count: number): Promise<Promise<StreamResponse>[]> {
  const before = double.requests.length;
  const streams = Array.from({ length: count }, () => streamRequest(request(true)));
  await waitFor(
    'every stream to have begun',
    () => double.requests.slice(before).filter(({ writeCount }) => writeCount > 3).length === count,
  );
  return streams;
}

function sayTerm(): Promise<unknown> {
  process.kill(instance.program.pid, 'SIGTERM');
  return waitFor('the program to hear SIGTERM', () => instance.program.output().includes('SIGTERM:'));
}

describe('SIGTERM', () => {
  it('lets running streams finish, takes no new requests, settles everything and ends with 0', async () => {
    double.setBehaviour({ kind: 'answer', chunkCount: 80, chunkIntervalMs: 25 });
    const streams = await startStreams(STREAM_COUNT);
    await sayTerm();
    const late = await sendRequest(request(false));
    expectRefusal(late, 503, 'overloaded');
    const ended = await Promise.all(streams);
    expect(ended.map(({ status, sse }) => [status, sse.sawDone])).toEqual(
      Array.from({ length: STREAM_COUNT }, () => [200, true]),
    );
    expect(await instance.program.exited).toEqual({ code: 0, signal: null });
    expect((await instance.verifyStore()).ok).toBe(true);
    expectNothingInside(instance.output);

    await instance.launch({ env: { DRAIN_TIMEOUT_MS: String(SHORT_DRAIN_MS) } });
    for (const { headers } of ended) {
      const receipt = await instance.receipt(headers['x-grid-request-id']);
      expect(receipt).toMatchObject({ status: 'reconciled', finish_reason: 'stop' });
    }
    const { json } = await instance.get('/v1/usage', instance.key);
    expect((json as { data: unknown[] }).data).toHaveLength(STREAM_COUNT);
  });

  it('cuts what runs longer than the program waits, unbilled, and still ends with 0', async () => {
    double.setBehaviour({ kind: 'answer', ending: 'never', chunkIntervalMs: 10 });
    const [stream] = await startStreams(1);
    await sayTerm();
    const cut = await stream!;
    expect([cut.status, cut.sse.sawDone]).toEqual([200, false]);
    expect(cut.sse.events.at(-1)?.json as Refusal).toMatchObject({ error: { code: 'internal_error' } });
    expect(await instance.program.exited).toEqual({ code: 0, signal: null });

    await instance.launch();
    const receipt = await instance.receipt(cut.headers['x-grid-request-id']);
    expect(receipt).toMatchObject({
      status: 'error',
      error_code: 'internal_error',
      cost: { status: 'cancelled', amount: null },
    });
    expect((await instance.verifyLedger()).ok).toBe(true);
  });

  it('said twice ends the program at once, and nothing of the request is billed', async () => {
    double.setBehaviour({ kind: 'answer', ending: 'never', chunkIntervalMs: 10 });
    const [stream] = await startStreams(1);
    await sayTerm();
    process.kill(instance.program.pid, 'SIGTERM');
    // Waiting for the stream would have ended in a zero.
    expect(await instance.program.exited).toEqual({ code: 1, signal: null });
    const cut = await stream!;
    expect(cut.sse.sawDone).toBe(false);

    await instance.launch();
    const answer = await instance.get(`/v1/usage/${cut.headers['x-grid-request-id']}`, instance.key);
    expectRefusal(answer, 404, 'receipt_not_found');
    expect((await instance.verifyLedger()).ok).toBe(true);
  });
});

/** Runs a program that cannot start, and returns what it says after its own name. */
async function complaint(options: ProgramOptions): Promise<string> {
  const { code, output } = await runProgram(options);
  expect([code, output]).toEqual([1, expect.stringContaining('opengrid: ')]);
  expectNothingInside(output);
  return output.slice(output.indexOf('opengrid: '));
}

describe('a start that cannot be', () => {
  it('because the port is taken, says which one and what to do', async () => {
    const dataFolder = await newDataFolder();
    const port = Number(new URL(instance.url).port);
    const text = await complaint({ dataFolder, port });
    await rm(dataFolder, { recursive: true });
    expect(text).toContain(`Port ${port} on 127.0.0.1 is taken`);
    expect(text).toContain(`--port ${port + 1}`);
  });

  it('because the data folder is in use, names the process and what to do', async () => {
    const text = await complaint({ dataFolder: instance.dataFolder });
    expect(text).toContain(`${instance.dataFolder} is in use by process ${instance.program.pid}`);
    expect(text).toContain('DATABASE_URL');
  });

  it('because the database cannot be reached, says so without its password', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'opengrid-e2e-'));
    const text = await complaint({
      dataFolder,
      databaseUrl: 'postgres://ada:hunter2-hunter2@127.0.0.1:1/grid',
    });
    await rm(dataFolder, { recursive: true });
    expect(text).toContain('127.0.0.1');
    expect(text).toMatch(/\n.*(PostgreSQL|DATABASE_URL|--database-url)/);
    expect(text).not.toContain('hunter2');
  });

  it('because a setting is wrong, names the setting', async () => {
    const text = await complaint({
      dataFolder: instance.dataFolder,
      env: { DRAIN_TIMEOUT_MS: 'soon' },
    });
    expect(text).toContain('DRAIN_TIMEOUT_MS takes a whole number');
    expect(text).toContain('--help');
  });
});
