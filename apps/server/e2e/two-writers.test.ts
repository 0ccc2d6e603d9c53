// A writer that was frozen wakes up after another one has taken over: it writes nothing more, and ends.
import {
  type FaultySupplier,
  runProgram,
  sendRequest,
  sharedPostgres,
  startFaultySupplier,
  streamRequest,
  waitFor,
} from '@opengrid/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDataFolder } from '../src/store/testing.ts';
import { Instance } from './testing/instance.ts';
import { expectRefusal } from './testing/refusal.ts';

/** Says to whoever supervises the program that the lease was lost. */
const EXIT_FENCED = 75;
const SECRET = { OPENGRID_SECRET: 'one secret for both of the programs' };
const body = { model: 'text-standard', messages: [{ role: 'user', content: 'The sea was' }] };

interface Written {
  readonly epoch: string;
  readonly command_seq: string;
  readonly journal: string;
  readonly receipts: string;
}

describe('two programs on one database', () => {
  let double: FaultySupplier;
  let first: Instance;
  let second: Instance;
  let databaseUrl: string;

  beforeAll(async () => {
    double = await startFaultySupplier();
    databaseUrl = await (await sharedPostgres()).newDatabase();
  });

  afterAll(async () => {
    await first.remove();
    await second.remove();
    await double.close();
  });

  function launch(): Promise<Instance> {
    // Keys are told and credentials are opened with the secret, which both must have.
    return Instance.start({ databaseUrl, env: SECRET, args: ['--no-builtin-supplier'] });
  }

  function request(instance: Instance, stream: boolean) {
    const url = `${instance.url}/v1/chat/completions`;
    return { url, key: first.key, body: { ...body, stream } };
  }

  async function written(): Promise<Written> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      const text = `select epoch, command_seq, (select count(*) from journal) as journal,
                      (select count(*) from receipts) as receipts from writer_lease`;
      return (await client.query<Written>(text)).rows[0]!;
    } finally {
      await client.end();
    }
  }

  it('one that cannot start does not take the place of the one that runs', async () => {
    first = await launch();
    await first.addSupplier(double, { name: 'Sealed', instrument: 'text-max', price: '30.00', units: 1 });
    const port = Number(new URL(first.url).port);
    const options = { databaseUrl, args: ['--no-builtin-supplier'] };
    const samePort = await runProgram({ ...options, dataFolder: first.dataFolder, port, env: SECRET });
    expect([samePort.code, samePort.output]).toEqual([1, expect.stringContaining(`Port ${port}`)]);
    const otherSecret = { OPENGRID_SECRET: 'a secret that has sealed nothing of all this' };
    const wrong = await runProgram({ ...options, dataFolder: await newDataFolder(), env: otherSecret });
    expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('cannot be opened')]);
    const { epoch } = await written();
    expect(Number(epoch)).toBe(1);
  });

  it('the frozen one has lost its place when it wakes up', async () => {
    await first.addSupplier(double, { name: 'Both', instrument: 'text-standard', price: '0.25', units: 9 });
    expect((await sendRequest(request(first, false))).status).toBe(200);

    double.setBehaviour({ kind: 'answer', chunkCount: 60, chunkIntervalMs: 10 });
    const streaming = streamRequest(request(first, true));
    await waitFor('content', () => (double.requests[1]?.writeCount ?? 0) > 5);
    process.kill(first.program.pid, 'SIGSTOP');
    double.setBehaviour({ kind: 'answer' });
    const waiting = sendRequest(request(first, false));

    second = await launch();
    expect(second.key).toBe('');
    const before = await written();
    process.kill(first.program.pid, 'SIGCONT');
    expect(await first.program.exited).toEqual({ code: EXIT_FENCED, signal: null });
    expect(await written()).toEqual(before);
    expect(first.output).toContain('Another process has taken over the market');

    // Neither the stream that ran nor the request that came was answered as if it had been settled.
    const [cut, unserved] = await Promise.all([streaming, waiting]);
    expect(cut.sse.sawDone).toBe(false);
    expect(unserved.status).not.toBe(200);
    const path = `/v1/usage/${cut.headers['x-grid-request-id']}`;
    expectRefusal(await second.get(path, first.key), 404, 'receipt_not_found');
  });

  it('the other one serves the same keys and accounts, and the ledger is right', async () => {
    const answer = await sendRequest(request(second, false));
    expect(answer.status).toBe(200);
    const receipt = await second.receipt(answer.headers['x-grid-request-id'], first.key);
    expect(receipt.cost.status).toBe('reconciled');
    // One unit was bought, by the first program; the second knows it.
    expect(answer.headers['x-grid-units-bought']).toBeUndefined();
    expect(await second.balanceUsd('buyer@example.com')).toBe('24.748750');
    expect((await second.verifyLedger()).ok).toBe(true);
  });

  it('the frozen one may start again, and then it is the other one that ends', async () => {
    await first.launch();
    const answer = await sendRequest(request(second, false));
    expect(answer.status).not.toBe(200);
    expect(await second.program.exited).toEqual({ code: EXIT_FENCED, signal: null });
    expect((await sendRequest(request(first, false))).status).toBe(200);
    expect((await first.verifyLedger()).ok).toBe(true);
  });
});
