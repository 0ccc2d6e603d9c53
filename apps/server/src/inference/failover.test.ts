import {
  type FaultySupplier,
  type SupplierBehaviour,
  sendRequest,
  startFaultySupplier,
  streamRequest,
  supplierErrorMark,
} from '@opengrid/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BUYER,
  endpointOf,
  giveUnits,
  INSTRUMENT_NO,
  KEY,
  openMarket,
  SUBSTITUTE,
  SUPPLIER,
  startWorld,
  type World,
} from './testing.ts';

let obligor: FaultySupplier;
let substitute: FaultySupplier;
let world: World;

/** Deadlines short enough to be met in a test; none of them is measured. */
const settings = { connectBudgetMs: 2_000, firstByteMs: 700, idleMs: 300, keepAliveMs: 10_000 };

beforeEach(async () => {
  obligor = await startFaultySupplier();
  substitute = await startFaultySupplier();
  const endpoints = [endpointOf(substitute, { supplierAccount: SUBSTITUTE }), endpointOf(obligor)];
  world = await startWorld({ endpoints, settings });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
});

afterEach(async () => {
  await world.close();
  await obligor.close();
  await substitute.close();
});

const prompt = 'tell nobody: canary-7f3a';
const ask = (stream: boolean) => ({
  url: `${world.url}/v1/chat/completions`,
  key: KEY,
  body: { model: 'text-standard', messages: [{ role: 'user', content: prompt }], stream },
});

function expectNothingHeld(): void {
  expect(world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO)).toBe(0);
}

const unusable: readonly [string, SupplierBehaviour][] = [
  ['refuses the key', { kind: 'error', status: 401 }],
  ['knows no such model', { kind: 'error', status: 404 }],
  ['is overloaded', { kind: 'error', status: 429 }],
  ['breaks', { kind: 'error', status: 500, body: 'html' }],
  ['resets the connection', { kind: 'reset' }],
  ['closes the connection', { kind: 'close' }],
  ['never answers', { kind: 'answer', firstByteDelayMs: 60_000, holdAt: 'after-head' }],
  ['hides an error in a 200', { kind: 'error-in-200' }],
  ['sends a page', { kind: 'garbage', garbage: 'html' }],
  ['sends nothing', { kind: 'garbage', garbage: 'empty' }],
  ['sends half of a JSON text', { kind: 'garbage', garbage: 'truncated-json' }],
  ['sends another shape', { kind: 'garbage', garbage: 'wrong-shape' }],
  ['speaks no HTTP', { kind: 'garbage', garbage: 'not-http' }],
  ['speaks another dialect', { kind: 'garbage', garbage: 'wrong-dialect' }],
];

describe.each([false, true])('a supplier that cannot be used (stream: %s)', (stream) => {
  const quick = unusable.filter(([name]) => name !== 'never answers');

  it.each(quick)('%s: another one answers, who is paid as its substitute', async (_name, behaviour) => {
    obligor.setBehaviour(behaviour);
    const answer = await sendRequest(ask(stream));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('market');
    expect(world.sequencer.settlements).toMatchObject([
      {
        command: { servedBy: SUBSTITUTE, failedObligors: [SUPPLIER] },
        receipt: { status: 'reconciled', attemptCount: 2, isSubstituted: true, supplierId: 'supplier_102' },
      },
    ]);
    expect(world.logged.deliveries.map(({ outcome }) => outcome)).toEqual(['supplier_error', 'completed']);
    expectNothingHeld();
  });

  it.each(unusable)(
    '%s: when nobody else is there, the buyer is told and not billed',
    async (name, behaviour) => {
      world.endpoints.splice(0, 1);
      obligor.setBehaviour(behaviour);
      const answer = await sendRequest(ask(stream));
      const expected = name === 'never answers' ? 504 : name === 'is overloaded' ? 503 : 502;
      expect(answer.status).toBe(expected);
      const code = (answer.json as { error: { code: string } }).error.code;
      expect(code).toBe({ 504: 'upstream_timeout', 503: 'no_capacity', 502: 'upstream_error' }[expected]);
      expect(answer.text).not.toContain('canary-7f3a');
      expect(answer.text).not.toContain(supplierErrorMark);
      expect(world.sequencer.settlements).toMatchObject([
        {
          command: { draws: [] },
          receipt: {
            requestId: answer.headers['x-grid-request-id'],
            status: 'error',
            errorCode: expected === 504 ? 'upstream_timeout' : 'upstream_error',
            outputTokens: null,
            supplierId: null,
          },
        },
      ]);
      expect(JSON.stringify([world.logged, world.sequencer.commands])).not.toContain('canary-7f3a');
      expectNothingHeld();
    },
  );

  it('refuses the request itself: the buyer gets a 400 in our words, and the supplier is not at fault', async () => {
    world.endpoints.splice(0, 1);
    obligor.setBehaviour({ kind: 'error', status: 400 });
    for (let round = 0; round < 4; round += 1) {
      const answer = await sendRequest(ask(stream));
      expect(answer.json).toMatchObject({ error: { code: 'invalid_request' } });
      expect(answer.text).not.toContain('canary-7f3a');
    }
    // A fault of the supplier would have opened its circuit by now.
    expect(obligor.requests).toHaveLength(4);
  });
});

const broken: readonly [string, SupplierBehaviour][] = [
  ['resets', { kind: 'answer', ending: 'reset' }],
  ['closes half-way', { kind: 'answer', ending: 'half-close' }],
  ['ends without a finish reason', { kind: 'answer', ending: 'no-finish-reason' }],
  ['says done without a finish reason', { kind: 'answer', ending: 'done-without-finish' }],
  ['falls silent', { kind: 'answer', ending: 'stall' }],
  ['sends garbage', { kind: 'answer', inject: [{ afterChunks: 3, what: 'malformed-json' }] }],
  ['sends an error event', { kind: 'answer', inject: [{ afterChunks: 3, what: 'error-event' }] }],
];

describe('a stream that breaks after its beginning', () => {
  it.each(broken)('%s: an error event, no [DONE], no bill, no second supplier', async (name, behaviour) => {
    obligor.setBehaviour({ ...behaviour, chunkIntervalMs: 20 } as SupplierBehaviour);
    const answer = await streamRequest(ask(true));
    expect(answer.status).toBe(200);
    expect(answer.sse.text).toContain('the market');
    expect(answer.sse.sawDone).toBe(false);
    const code = name === 'falls silent' ? 'upstream_timeout' : 'upstream_error';
    expect(answer.sse.events.at(-1)?.json).toMatchObject({ error: { code, type: 'api_error' } });
    expect(answer.text).not.toContain(supplierErrorMark);
    expect(substitute.requests).toEqual([]);
    expect(world.sequencer.settlements).toMatchObject([
      { command: { draws: [] }, receipt: { status: 'error', errorCode: code, supplierId: 'supplier_101' } },
    ]);
    expectNothingHeld();
  });

  it('is whole without [DONE], if every choice has ended', async () => {
    obligor.setBehaviour({ kind: 'answer', ending: 'no-done' });
    const answer = await streamRequest(ask(true));
    expect(answer.sse.sawDone).toBe(true);
    expect(world.sequencer.settlements).toMatchObject([{ receipt: { status: 'reconciled' } }]);
  });

  it.each([
    { lineEnding: 'crlf' as const },
    { bytesPerWrite: 1, text: 'Ünïcödé 😀 all along' },
    { inject: [{ afterChunks: 2, what: 'comments' as const }] },
    { inject: [{ afterChunks: 2, what: 'huge-event' as const }] },
    { inject: [{ afterChunks: 2, what: 'empty-choices' as const }] },
    { extraFields: 'some' as const },
    { compression: 'gzip' as const },
  ])('relays odd streams as plain ones: %o', async (options) => {
    obligor.setBehaviour({ kind: 'answer', ...options });
    const answer = await streamRequest(ask(true));
    expect(answer.sse.sawDone).toBe(true);
    expect(answer.sse.oddLines).toEqual([]);
    expect(answer.sse.text.startsWith(options.text ?? 'the market')).toBe(true);
    expect(answer.text).not.toContain('x_queue');
  });
});

it('takes a compressed answer in one piece', async () => {
  obligor.setBehaviour({ kind: 'answer', compression: 'gzip' });
  const answer = await sendRequest(ask(false));
  expect(answer.text).toContain('the market');
  expect(world.sequencer.settlements).toMatchObject([{ command: { servedBy: SUPPLIER } }]);
});

describe('what a supplier is told', () => {
  it('is the request and its own key, and nothing of the buyer', async () => {
    const { url, key, body } = ask(true);
    const headers = { 'x-client-request-id': 'mine', 'x-grid-trace-id': 'trace', traceparent: '00-aa-bb-01' };
    await streamRequest({
      url,
      key,
      headers,
      body: { ...body, user: 'me@example.com', metadata: { a: 'b' } },
    });
    const [request] = obligor.requests;
    expect(request?.headers.authorization).toBe(`Bearer ${obligor.apiKey}`);
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'x-request-id',
    ]);
    expect(request?.headers['user-agent']).toBe('opengrid');
    expect(request?.body).toEqual({
      model: 'double',
      messages: [{ role: 'user', content: prompt }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

describe('circuit breaker and concurrency', () => {
  it('leaves an endpoint alone after three failures', async () => {
    obligor.setBehaviour({ kind: 'error', status: 500 });
    for (let round = 0; round < 5; round += 1) expect((await sendRequest(ask(false))).status).toBe(200);
    expect(obligor.requests).toHaveLength(3);
    const last = world.sequencer.settlements.at(-1);
    expect(last).toMatchObject({ command: { failedObligors: [SUPPLIER] }, receipt: { attemptCount: 1 } });
  });

  it('goes around an endpoint at its declared concurrency, whose supplier has not failed', async () => {
    world.endpoints[1] = endpointOf(obligor, { maxConcurrency: 1 });
    obligor.setBehaviour({ kind: 'answer', holdFirstByteUntil: substitute.waitForRequests(1) });
    const first = sendRequest(ask(false));
    await obligor.waitForRequests(1);
    const second = await sendRequest(ask(false));
    await first;
    expect(second.status).toBe(200);
    const served = world.sequencer.settlements.map(({ command }) => [
      command.servedBy,
      command.failedObligors,
    ]);
    expect(served).toEqual(
      expect.arrayContaining([
        [SUPPLIER, []],
        [SUBSTITUTE, []],
      ]),
    );
  });

  it('serves only from the regions of the account', async () => {
    const caller = world.callers.get(KEY);
    if (caller !== undefined) world.callers.set(KEY, { ...caller, allowedRegions: ['fr'] });
    const refused = await sendRequest(ask(false));
    expect([refused.status, refused.json]).toMatchObject([503, { error: { code: 'region_unavailable' } }]);
    world.endpoints[0] = endpointOf(substitute, { supplierAccount: SUBSTITUTE, region: 'fr' });
    expect((await sendRequest(ask(false))).status).toBe(200);
    expect(world.sequencer.settlements).toMatchObject([
      { command: { servedBy: SUBSTITUTE, failedObligors: [] } },
    ]);
  });

  it('has no capacity without an endpoint, and holds nothing then', async () => {
    world.endpoints.splice(0, 2);
    const answer = await sendRequest(ask(false));
    expect([answer.status, answer.json]).toMatchObject([503, { error: { code: 'no_capacity' } }]);
    expect(world.sequencer.settlements).toEqual([]);
    expectNothingHeld();
  });
});

describe('the conduct of suppliers', () => {
  it('is told of every try that is the endpoint’s: failures, and what was delivered', async () => {
    const [first, second] = [await startFaultySupplier(), await startFaultySupplier()];
    const endpoints = [endpointOf(first), endpointOf(second, { supplierAccount: SUBSTITUTE })];
    const own = await startWorld({ endpoints });
    await openMarket(own.sequencer);
    await giveUnits(own.sequencer, 1);
    const messages = [{ role: 'user', content: 'How is the market today?' }];
    const request = {
      url: `${own.url}/v1/chat/completions`,
      key: KEY,
      body: { model: 'text-standard', messages },
    };
    first.setBehaviour({ kind: 'error', status: 500 });
    await sendRequest(request);
    first.setBehaviour({ kind: 'error', status: 429 });
    await sendRequest(request);
    const told = own.logged.conduct.map(({ endpoint, isBad, billedTokens }) => [
      endpoint.endpointId,
      isBad,
      billedTokens,
    ]);
    const [bad, good] = endpoints.map(({ endpointId }) => endpointId);
    expect(told).toEqual([
      [bad, true, 0],
      [good, false, 28],
      [good, false, 28],
    ]);
    await own.close();
    await Promise.all([first.close(), second.close()]);
  });
});
