// Every fault of a supplier over every wire, seen through every surface, in one piece and streamed.
import {
  type FaultySupplier,
  type StreamResponse,
  type SupplierBehaviour,
  startFaultySupplier,
  streamRequest,
  supplierErrorMark,
} from '@opengrid/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../ports/supply.ts';
import { ANTHROPIC_CAPABILITIES, RESPONSES_CAPABILITIES } from '../suppliers/capabilities.ts';
import type { InferenceSettings } from './settings.ts';
import {
  BUYER,
  endpointOf,
  giveUnits,
  INSTRUMENT_NO,
  KEY,
  openMarket,
  startWorld,
  type World,
} from './testing.ts';

const PROMPT = 'tell nobody: canary-41c9';
const MAX_OUTPUT = 40;

const WIRES: readonly Partial<Endpoint>[] = [
  { wire: 'openai' },
  { wire: 'anthropic', authStyle: 'x-api-key', capabilities: ANTHROPIC_CAPABILITIES },
  { wire: 'openai-responses', capabilities: RESPONSES_CAPABILITIES },
];

const WIRE_DIALECTS = { openai: 'chat', anthropic: 'messages', 'openai-responses': 'responses' } as const;

/** A surface: how it is asked, how its streams end well, and where it says which error it was. */
interface Surface {
  readonly path: string;
  readonly body: object;
  readonly ends: readonly string[];
  /** The error of a body or an event, if it has the shape of the surface. */
  readonly error: (json: unknown) => unknown;
}

const messages = [{ role: 'user', content: PROMPT }];

const SURFACES: readonly Surface[] = [
  {
    path: '/v1/chat/completions',
    body: { messages, max_completion_tokens: MAX_OUTPUT },
    ends: ['data: [DONE]'],
    error: (json) => (json as { error?: { code?: unknown } } | undefined)?.error?.code,
  },
  {
    path: '/v1/messages',
    body: { messages, max_tokens: MAX_OUTPUT },
    ends: ['event: message_stop'],
    error: (json) => {
      const { type, error } = (json ?? {}) as { type?: string; error?: { type?: string } };
      return type === 'error' ? error?.type : undefined;
    },
  },
  {
    path: '/v1/responses',
    body: { input: PROMPT, max_output_tokens: MAX_OUTPUT },
    ends: ['event: response.completed', 'event: response.incomplete', 'event: response.failed'],
    error: (json) => (json as { error?: { code?: unknown } } | undefined)?.error?.code,
  },
];

/** What a Messages client is told instead of the code, which a header names. */
const ANTHROPIC_TYPES: Readonly<Record<string, string>> = {
  upstream_error: 'api_error',
  upstream_timeout: 'timeout_error',
  no_capacity: 'overloaded_error',
  invalid_request: 'invalid_request_error',
};

/**
 * How an answer goes: served, with what is billed for it; refused, with a status; or broken off behind its beginning. Billed
 * output is in tokens; `least` and `most` where it depends on when the exchange stopped reading.
 */
type Outcome =
  | {
      readonly kind: 'served';
      readonly output: number | { least: number; most: number };
      readonly source: string;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  | { readonly kind: 'broken'; readonly code: string };

interface Fault {
  readonly name: string;
  readonly behaviour: SupplierBehaviour;
  readonly whole: Outcome;
  readonly streamed: Outcome;
  /** Is told by a deadline. */
  readonly isSilent?: true;
}

const served = (output: number | { least: number; most: number }, source = 'supplier'): Outcome => ({
  kind: 'served',
  output,
  source,
});
const refused = (status = 502, code = 'upstream_error'): Outcome => ({ kind: 'refused', status, code });
const broken = (code = 'upstream_error'): Outcome => ({ kind: 'broken', code });

/** Eight words, each a token; slow enough that the beginning is with the buyer when the fault comes. */
const answer = { kind: 'answer', chunkCount: 8, chunkIntervalMs: 20 } as const;
const quick = { ...answer, chunkIntervalMs: 0 } as const;

function both(outcome: Outcome): Pick<Fault, 'whole' | 'streamed'> {
  return { whole: outcome, streamed: outcome };
}

/** Content without an end, in one piece or as a stream that says nothing. */
function* endlessText(): Generator<{ do: 'write'; bytes: Buffer }> {
  for (;;) yield { do: 'write', bytes: Buffer.alloc(64 * 1024, 'x') };
}

const endless: SupplierBehaviour = {
  kind: 'script',
  steps: {
    *[Symbol.iterator]() {
      yield { do: 'head', status: 200, headers: { 'content-type': 'application/json' } } as const;
      yield* endlessText();
    },
  },
};

const FAULTS: readonly Fault[] = [
  { name: 'is slow', behaviour: { ...answer, firstByteDelayMs: 150 }, ...both(served(8)) },
  {
    name: 'sends single bytes',
    behaviour: { ...quick, bytesPerWrite: 1, text: 'Ünï 😀' },
    ...both(served({ least: 1, most: 9 })),
  },
  {
    name: 'answers half, then resets',
    behaviour: { ...answer, ending: 'reset' },
    whole: refused(),
    streamed: broken(),
  },
  {
    name: 'answers half, then closes',
    behaviour: { ...answer, ending: 'half-close' },
    whole: refused(),
    streamed: broken(),
  },
  {
    name: 'falls silent',
    behaviour: { ...answer, ending: 'stall' },
    whole: refused(504, 'upstream_timeout'),
    streamed: broken('upstream_timeout'),
    isSilent: true,
  },
  {
    name: 'gives no reason for its end',
    behaviour: { ...answer, ending: 'no-finish-reason' },
    whole: served(8),
    streamed: broken(),
  },
  { name: 'answers twice', behaviour: { ...quick, copies: 2 }, whole: refused(), streamed: served(8) },
  {
    name: 'answers in a shape of its own',
    behaviour: { kind: 'garbage', garbage: 'wrong-shape' },
    ...both(refused()),
  },
  { name: 'sends a page', behaviour: { kind: 'garbage', garbage: 'html' }, ...both(refused()) },
  { name: 'sends nothing', behaviour: { kind: 'garbage', garbage: 'empty' }, ...both(refused()) },
  { name: 'sends bytes', behaviour: { kind: 'garbage', garbage: 'binary' }, ...both(refused()) },
  { name: 'speaks no HTTP', behaviour: { kind: 'garbage', garbage: 'not-http' }, ...both(refused()) },
  { name: 'reports too much', behaviour: { ...quick, usage: 'wrong' }, ...both(served(10)) },
  { name: 'reports zero', behaviour: { ...quick, usage: 'zero' }, ...both(served(0)) },
  { name: 'reports null', behaviour: { ...quick, usage: 'null' }, ...both(served(8, 'estimated')) },
  { name: 'reports nothing', behaviour: { ...quick, usage: 'absent' }, ...both(served(8, 'estimated')) },
  {
    name: 'reports negative numbers',
    behaviour: { ...quick, usage: 'negative' },
    ...both(served(8, 'estimated')),
  },
  { name: 'breaks', behaviour: { kind: 'error', status: 500 }, ...both(refused()) },
  {
    name: 'refuses the request',
    behaviour: { kind: 'error', status: 400 },
    ...both(refused(400, 'invalid_request')),
  },
  { name: 'hides an error in a 200', behaviour: { kind: 'error-in-200' }, ...both(refused()) },
  {
    name: 'breaks after tokens',
    behaviour: { ...answer, inject: [{ afterChunks: 4, what: 'error-event' }] },
    whole: served(8),
    streamed: broken(),
  },
  {
    name: 'sends malformed JSON',
    behaviour: { ...answer, inject: [{ afterChunks: 4, what: 'malformed-json' }] },
    whole: served(8),
    streamed: broken(),
  },
  {
    name: 'sends half of a JSON text',
    behaviour: { kind: 'garbage', garbage: 'truncated-json' },
    ...both(refused()),
  },
  { name: 'resets', behaviour: { kind: 'reset' }, ...both(refused()) },
  { name: 'closes', behaviour: { kind: 'close' }, ...both(refused()) },
  {
    name: 'never answers',
    behaviour: { kind: 'hang' },
    ...both(refused(504, 'upstream_timeout')),
    isSilent: true,
  },
  { name: 'compresses unasked', behaviour: { ...quick, compression: 'gzip' }, ...both(served(8)) },
  {
    name: 'sends a giant event',
    behaviour: {
      ...answer,
      inject: [{ afterChunks: 4, what: 'huge-event' }],
      hugeEventBytes: 5 * 1024 * 1024,
    },
    whole: served(8),
    streamed: broken(),
  },
  {
    name: 'never ends its text',
    behaviour: { ...quick, ending: 'never', pieces: ['all day '.repeat(4_000)] },
    whole: served({ least: 1, most: MAX_OUTPUT }),
    streamed: broken(),
  },
  { name: 'never ends its event', behaviour: endless, ...both(refused()) },
  {
    name: 'sends invalid UTF-8',
    behaviour: { ...quick, text: 'the market Ü is ÿ', encoding: 'latin1' },
    ...both(served({ least: 1, most: 12 })),
  },
];

/** No circuit that opens: each request is to meet the fault itself. */
const settings = {
  answerBytes: 1024 * 1024,
  exactCountMs: 20_000,
  circuit: { failures: 1_000, windowMs: 10_000 },
};
/** For suppliers that fall silent; nothing else may depend on how fast this computer is. */
const short = { firstByteMs: 700, idleMs: 500 };
let nowMs = Date.now();

let supplier: FaultySupplier;
let world: World;

async function start(
  endpoint: Partial<Endpoint>,
  behaviour: SupplierBehaviour,
  deadlines: Partial<InferenceSettings> = {},
): Promise<void> {
  supplier = await startFaultySupplier();
  supplier.setBehaviour(behaviour);
  world = await startWorld({
    endpoints: [endpointOf(supplier, endpoint)],
    settings: { ...settings, ...deadlines },
    clock: () => nowMs,
  });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
}

afterEach(async () => {
  await world.close();
  await supplier.close();
});

async function ask(surface: Surface, stream: boolean): Promise<StreamResponse> {
  const body = { model: 'text-standard', ...surface.body, stream };
  return await streamRequest({ url: `${world.url}${surface.path}`, key: KEY, body });
}

function expectOutcome(
  reply: StreamResponse,
  surface: Surface,
  { stream, outcome }: { stream: boolean; outcome: Outcome },
): void {
  const where = `${surface.path}, ${stream ? 'streamed' : 'whole'}: ${reply.text.slice(0, 300)}`;
  const isEnded = surface.ends.some((end) => reply.text.includes(end));
  expect(isEnded, where).toBe(stream && outcome.kind === 'served');
  expect(reply.status, where).toBe(outcome.kind === 'refused' ? outcome.status : 200);
  expect(reply.text, where).not.toContain(supplierErrorMark);
  expect(reply.text, where).not.toContain(PROMPT);
  const json = stream && outcome.kind !== 'refused' ? reply.sse.events.at(-1)?.json : reply.json;
  const told = surface.error(json);
  if (outcome.kind === 'served') expect(told, where).toBeUndefined();
  else
    expect(told, where).toBe(surface.path === '/v1/messages' ? ANTHROPIC_TYPES[outcome.code] : outcome.code);
  if (outcome.kind === 'refused') expect(reply.headers['x-grid-error-code'], where).toBe(outcome.code);
}

function expectBill(reply: StreamResponse, outcome: Outcome): void {
  const requestId = reply.headers['x-grid-request-id'];
  const settled = world.sequencer.settlements.filter(({ receipt }) => receipt.requestId === requestId);
  expect(settled).toHaveLength(1);
  const { command, receipt } = settled[0]!;
  const drawn = command.draws.reduce((sum, { from, to }) => sum + to - from, 0);
  if (outcome.kind !== 'served') {
    expect(command).toMatchObject({ draws: [], servedBy: 0 });
    const errorCode = outcome.code === 'upstream_timeout' ? 'upstream_timeout' : 'upstream_error';
    expect(receipt).toMatchObject({ status: 'error', errorCode, outputTokens: null });
    return;
  }
  const { output, source } = outcome;
  const { least, most } = typeof output === 'number' ? { least: output, most: output } : output;
  expect(receipt).toMatchObject({ status: 'reconciled', errorCode: null, usageSource: source });
  expect(receipt.outputTokens).toBeGreaterThanOrEqual(least);
  expect(receipt.outputTokens).toBeLessThanOrEqual(most);
  expect(drawn).toBe(receipt.inputTokens! + receipt.outputTokens!);
  expect(command.servedBy === 0).toBe(drawn === 0);
}

/** Nothing written down has content, the supplier's words or an exception that nobody expected. */
function expectSilence(): void {
  const written = JSON.stringify([world.logged, world.sequencer.commands]);
  for (const text of ['canary-41c9', 'the market', supplierErrorMark]) expect(written).not.toContain(text);
  expect(world.logged.faults).toEqual([]);
}

describe.each(WIRES)('a supplier on the $wire wire that', (endpoint) => {
  it.each(FAULTS)(
    '$name',
    async ({ behaviour, whole, streamed, isSilent }) => {
      await start(endpoint, behaviour, isSilent ? short : {});
      const asked = SURFACES.flatMap((surface) => [false, true].map((stream) => ({ surface, stream })));
      const ended = await Promise.all(
        asked.map(async (one) => ({ ...one, reply: await ask(one.surface, one.stream) })),
      );
      for (const { surface, stream, reply } of ended) {
        const outcome = stream ? streamed : whole;
        expectOutcome(reply, surface, { stream, outcome });
        expectBill(reply, outcome);
      }
      expect(world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO)).toBe(0);
      expectSilence();
    },
    30_000,
  );

  const dialects = ['chat', 'messages', 'responses'] as const;

  it.each(dialects)('answers in the dialect of %s', async (dialect) => {
    await start(endpoint, { kind: 'answer', chunkCount: 8, dialect });
    const isOwn = WIRE_DIALECTS[endpoint.wire!] === dialect;
    const outcome = isOwn ? served(8) : refused();
    for (const surface of SURFACES) {
      for (const stream of [false, true]) {
        const reply = await ask(surface, stream);
        expectOutcome(reply, surface, { stream, outcome });
        expectBill(reply, outcome);
      }
    }
    expectSilence();
  });

  it.each([
    ['has no room', {}, 1_000],
    ['has no room for a while', { 'retry-after': '7' }, 7_000],
  ])('%s', async (_name, headers, restMs) => {
    await start(endpoint, { kind: 'error', status: 429, headers });
    for (const surface of SURFACES) {
      for (const stream of [false, true]) {
        const outcome = refused(503, 'no_capacity');
        const before = supplier.requests.length;
        for (const afterMs of [0, restMs - 1]) {
          nowMs += afterMs;
          const reply = await ask(surface, stream);
          expectOutcome(reply, surface, { stream, outcome });
          expect(Number(reply.headers['retry-after'])).toBeGreaterThanOrEqual(1);
          if (afterMs === 0) expectBill(reply, outcome);
          // Until its time is over it is not asked again.
          expect(supplier.requests.length).toBe(before + 1);
        }
        nowMs += 1;
      }
    }
    expectSilence();
  });
});
