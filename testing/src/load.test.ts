import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pause } from './clock.ts';
import { type FaultySupplier, startFaultySupplier } from './faulty-supplier.ts';
import { countByStatus, type LoadOptions, startLoad } from './load.ts';

let supplier: FaultySupplier;

beforeEach(async () => {
  supplier = await startFaultySupplier();
});

afterEach(async () => {
  await supplier.close();
});

function load(more: Partial<LoadOptions> = {}) {
  const url = supplier.baseUrl.replace(/\/v1$/, '');
  return startLoad({
    url,
    key: supplier.apiKey,
    model: 'text-prime',
    concurrency: 4,
    maxRequests: 30,
    ...more,
  });
}

describe('a load', () => {
  it('sends as many requests as it should, half of them streamed, over kept connections', async () => {
    const results = await load().finished;
    expect(results.map((result) => result.index).sort((left, right) => left - right)).toEqual(
      Array.from({ length: 30 }, (_, index) => index),
    );
    expect(results.filter((result) => result.form === 'stream')).toHaveLength(15);
    expect(results.every((result) => result.isComplete && result.status === 200)).toBe(true);
    expect(results.every((result) => result.usage?.outputTokens === 20)).toBe(true);
    expect(supplier.requests).toHaveLength(30);
    expect(supplier.connectionCount()).toBe(4);
  });

  it('has no more requests under way than asked for', async () => {
    let open = () => {};
    const held = new Promise<void>((resolve) => (open = resolve));
    supplier.setBehaviour({ kind: 'answer', holdFirstByteUntil: held });
    const running = load({ concurrency: 3, maxRequests: 10 });
    await supplier.waitForRequests(3);
    await pause(50);
    expect(supplier.requests).toHaveLength(3);
    open();
    expect(await running.finished).toHaveLength(10);
  });

  it('gives up a request that takes too long', async () => {
    supplier.setBehaviour({ kind: 'hang' });
    const results = await load({ requestTimeoutMs: 100, maxRequests: 3 }).finished;
    expect(results.map((result) => result.failure)).toEqual(['timeout', 'timeout', 'timeout']);
  });

  it('ends when its time is over and when it is stopped', async () => {
    supplier.setBehaviour({ kind: 'answer', firstByteDelayMs: 30 });
    const timed = await load({ maxRequests: 100_000, maxDurationMs: 150 }).finished;
    expect(timed.length).toBeGreaterThan(0);
    expect(timed.length).toBeLessThan(100);
    const stopped = load({ maxRequests: 100_000 });
    await pause(60);
    const results = await stopped.stop();
    expect(results.length).toBeGreaterThan(0);
    expect(results.every((result) => result.isComplete)).toBe(true);
  });

  it('tells complete answers from broken ones', async () => {
    supplier.enqueue(
      { kind: 'answer', ending: 'reset' },
      { kind: 'answer', ending: 'no-done' },
      { kind: 'answer', inject: [{ afterChunks: 3, what: 'error-event' }] },
      { kind: 'error', status: 503 },
      { kind: 'reset' },
      { kind: 'answer' },
    );
    const results = await load({ concurrency: 1, form: 'stream', maxRequests: 6 }).finished;
    expect(results.map((result) => result.isComplete)).toEqual([false, false, false, false, false, true]);
    expect(results.map((result) => result.status)).toEqual([200, 200, 200, 503, 0, 200]);
    expect(results.map((result) => result.errorCode)).toEqual([
      null,
      null,
      'double_500',
      'double_503',
      null,
      null,
    ]);
    expect(results[0]?.failure).toBe('ECONNRESET');
    expect(countByStatus(results).get(200)).toBe(4);
  });

  it('does not take an answer for complete that has an error and [DONE]', async () => {
    const head = { do: 'head', status: 200, headers: { 'content-type': 'text/event-stream' } } as const;
    const bytes = Buffer.from('data: {"error":{"code":"upstream_error"}}\n\ndata: [DONE]\n\n');
    supplier.enqueue({ kind: 'script', steps: [head, { do: 'write', bytes }, { do: 'finish', how: 'end' }] });
    const results = await load({ form: 'stream', maxRequests: 1 }).finished;
    expect(results).toMatchObject([{ isComplete: false, errorCode: 'upstream_error' }]);
  });

  it('tells broken JSON answers too', async () => {
    supplier.enqueue({ kind: 'answer', ending: 'half-close' }, { kind: 'error-in-200' }, { kind: 'answer' });
    const results = await load({ concurrency: 1, form: 'json', maxRequests: 3 }).finished;
    expect(results.map((result) => result.isComplete)).toEqual([false, false, true]);
  });

  it('survives a server that goes away and comes back', async () => {
    const running = load({ maxRequests: 2000, maxDurationMs: 5000 });
    await supplier.waitForRequests(20);
    await supplier.refuseConnections();
    const failuresBefore = running.results.length;
    await pause(100);
    await supplier.acceptConnections();
    await supplier.waitForRequests(supplier.requests.length + 20);
    const results = await running.stop();
    expect(results.slice(failuresBefore).some((result) => result.failure === 'ECONNREFUSED')).toBe(true);
    expect(results.at(-1)?.isComplete).toBe(true);
  });

  it('reads the request id and asks for the address each time', async () => {
    let asked = 0;
    const url = () => {
      asked += 1;
      return supplier.baseUrl.replace(/\/v1$/, '');
    };
    const head = { do: 'head', status: 402, headers: { 'x-grid-request-id': 'req_1' } } as const;
    const body = Buffer.from('{"error":{"code":"insufficient_balance"}}');
    supplier.setBehaviour(() => ({
      kind: 'script',
      steps: [head, { do: 'write', bytes: body }, { do: 'finish', how: 'end' }],
    }));
    const results = await load({ url, maxRequests: 2 }).finished;
    expect(results).toMatchObject([
      { requestId: 'req_1', status: 402, errorCode: 'insufficient_balance', isComplete: false },
      { requestId: 'req_1', status: 402, errorCode: 'insufficient_balance', isComplete: false },
    ]);
    expect(asked).toBe(2);
  });
});
