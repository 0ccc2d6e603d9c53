// The program is killed at random moments under load. What a client saw complete has exactly one receipt, and the ledger
// is right.
import { randomInt } from 'node:crypto';
import {
  type FaultySupplier,
  type LoadResult,
  pause,
  startFaultySupplier,
  startLoad,
  waitFor,
} from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Buyer, ENGINES, Instance, type Receipt } from './testing/instance.ts';

const KILL_COUNT = process.env.OPENGRID_NIGHTLY ? 20 : 3;
const LONGEST_WAIT_MS = 1_500;
/** To repeat a failure: OPENGRID_SEED=<the number in the title of the test>. */
const seed = Number(process.env.OPENGRID_SEED ?? randomInt(2 ** 31));

/** Numbers from 0 to below 1 that follow from the seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Round {
  readonly buyer: Buyer;
  readonly results: readonly LoadResult[];
}

describe.each(ENGINES)('a program that is killed, on the %s store', (engine) => {
  const random = randomFrom(seed);
  let instance: Instance;
  let double: FaultySupplier;

  beforeAll(async () => {
    // Short and long answers, so that some settle while others stream.
    double = await startFaultySupplier({
      behaviour: () => ({
        kind: 'answer',
        chunkCount: 5 + Math.floor(random() * 60),
        chunkIntervalMs: 2,
        firstByteDelayMs: Math.floor(random() * 20),
      }),
    });
    const env = { INFERENCE_CONCURRENCY: '0', INFERENCE_RPM: '0' };
    instance = await Instance.start({ engine, env, args: ['--no-builtin-supplier'] });
    const offer = { name: 'Steady', instrument: 'text-standard', price: '0.25', units: 10_000 };
    await instance.addSupplier(double, offer);
  });

  afterAll(async () => {
    await instance.remove();
    await double.close();
  });

  /** A fresh buyer's first requests buy units, so that kills also meet purchases. */
  async function loadAndKill(): Promise<Round> {
    const buyer = await instance.openBuyer();
    const load = startLoad({
      url: instance.url,
      key: buyer.key,
      model: 'text-standard',
      concurrency: 12,
      maxRequests: 100_000,
      maxDurationMs: 60_000,
    });
    await waitFor('a first answer', () => load.results.some(({ isComplete }) => isComplete), 30_000);
    await pause(random() * LONGEST_WAIT_MS);
    expect(await instance.program.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    return { buyer, results: await load.stop() };
  }

  async function allReceipts({ key }: Buyer): Promise<Receipt[]> {
    const receipts: Receipt[] = [];
    let next: string | null = null;
    do {
      const query: string = next === null ? '' : `&next=${encodeURIComponent(next)}`;
      const { status, json } = await instance.get(`/v1/usage?limit=100${query}`, key);
      expect(status).toBe(200);
      const page = json as { data: Receipt[]; paging: { next_cursor: string | null } };
      receipts.push(...page.data);
      next = page.paging.next_cursor;
    } while (next !== null);
    return receipts;
  }

  /** What the client knows and what the store knows, side by side. */
  async function expectSettledOnce({ buyer, results }: Round): Promise<number> {
    const receipts = await allReceipts(buyer);
    const byId = new Map(receipts.map((receipt) => [receipt.request_id, receipt]));
    expect(byId.size).toBe(receipts.length);
    const complete = results.filter(({ isComplete }) => isComplete);
    for (const { requestId, usage, form } of complete) {
      const receipt = byId.get(requestId ?? '');
      expect(receipt, `the receipt of ${requestId}`).toMatchObject({
        status: 'reconciled',
        stream: form === 'stream',
        finish_reason: 'stop',
        usage: { total_tokens: usage?.totalTokens, output_tokens: usage?.outputTokens },
      });
    }
    return complete.length;
  }

  it(`loses and doubles nothing, ${KILL_COUNT} times (seed ${seed})`, async () => {
    let completeCount = 0;
    let cutCount = 0;
    for (let kill = 0; kill < KILL_COUNT; kill += 1) {
      const round = await loadAndKill();
      await instance.launch();
      const verdict = await instance.verifyLedger();
      expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
      completeCount += await expectSettledOnce(round);
      cutCount += round.results.filter(({ failure }) => failure !== null).length;
    }
    // Kills that met nothing would prove nothing.
    expect(completeCount).toBeGreaterThan(10 * KILL_COUNT);
    expect(cutCount).toBeGreaterThan(KILL_COUNT);
    expect(await instance.program.stop()).toEqual({ code: 0, signal: null });
    expect((await instance.verifyStore()).ok).toBe(true);
  }, 600_000);
});
