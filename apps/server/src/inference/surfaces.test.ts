// What every surface has in common, each in its own shape: hang-ups, signs of life, slow readers, the edges of its paths.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type FaultySupplier,
  openRequest,
  type StreamResponse,
  sendRequest,
  startFaultySupplier,
  streamRequest,
  waitFor,
} from '@opengrid/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

let supplier: FaultySupplier;
let world: World;

beforeEach(async () => {
  supplier = await startFaultySupplier();
  const settings = { keepAliveMs: 40, bodyLimitBytes: 10_000 };
  world = await startWorld({ endpoints: [endpointOf(supplier)], settings });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

const messages = [{ role: 'user', content: 'How is the market?' }];

interface Delta {
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
  readonly delta?: string | { readonly text?: string };
}

/** The text that a stream brought. */
function textOf({ sse }: StreamResponse): string {
  const texts = sse.events.map(({ json }) => {
    const { choices, delta } = (json ?? {}) as Delta;
    if (choices !== undefined) return choices[0]?.delta?.content ?? '';
    return typeof delta === 'string' ? delta : (delta?.text ?? '');
  });
  return texts.join('');
}

/** A surface, and what its clients take for a sign of life once a stream has begun. */
interface Surface {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The last event of a whole stream, by the name of its `event:` line or its data. */
  readonly end: string;
}

const SURFACES: readonly Surface[] = [
  { path: '/v1/chat/completions', body: { messages }, end: '[DONE]' },
  { path: '/v1/messages', body: { messages, max_tokens: 1_000 }, end: 'message_stop' },
  { path: '/v1/responses', body: { input: 'How is the market?' }, end: 'response.completed' },
];

const request = ({ path, body }: Surface) => ({
  url: `${world.url}${path}`,
  key: KEY,
  body: { model: 'text-standard', ...body, stream: true },
});

const settled = async () => {
  await waitFor('a settlement', () => world.sequencer.settlements.length > 0);
  return world.sequencer.settlements[0]!;
};

describe.each(SURFACES)('a stream of $path', (surface) => {
  it('that is left in the middle is closed upstream and billed for what was written', async () => {
    supplier.setBehaviour({ kind: 'answer', ending: 'never', chunkIntervalMs: 5 });
    const left = await streamRequest({ ...request(surface), hangUp: { afterEvents: 9 } });
    expect(await supplier.requests[0]?.outcome).toBe('peer-closed');
    const { command, receipt } = await settled();
    expect(receipt).toMatchObject({
      status: 'reconciled',
      finishReason: 'client_disconnect',
      usageSource: 'partial',
    });
    const words = textOf(left).split(' ').length;
    expect(words).toBeGreaterThan(2);
    expect(receipt.outputTokens).toBeGreaterThanOrEqual(words);
    // Not more than was written while the news of the hang-up was on its way.
    expect(receipt.outputTokens).toBeLessThanOrEqual(2 * supplier.requests[0]!.writeCount);
    expect(command.servedBy).toBeGreaterThan(0);
    expect(world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO)).toBe(0);
  });

  it('is kept alive before its first event and between two', async () => {
    const pause = sleep(200);
    supplier.setBehaviour({
      kind: 'answer',
      holdFirstByteUntil: pause,
      holdAt: 'after-head',
      chunkCount: 3,
      chunkIntervalMs: 200,
    });
    const answer = await streamRequest(request(surface));
    const start = answer.text.slice(0, answer.text.indexOf('data:'));
    expect(start).toContain(': keep-alive\n\n');
    expect(start).not.toContain('ping');
    const names = answer.sse.events.map(({ name, data }) => name ?? data);
    expect(names.at(-1)).toBe(surface.end);
    const rest = answer.text.slice(start.length);
    if (surface.path !== '/v1/messages') expect(rest).toContain(': keep-alive\n\n');
    else {
      expect(names.indexOf('ping')).toBeGreaterThan(names.indexOf('message_start'));
      expect(answer.sse.events.find(({ name }) => name === 'ping')?.json).toEqual({ type: 'ping' });
      expect(rest).not.toContain(': keep-alive');
    }
    expect(textOf(answer)).toBe('the market is');
  });

  it('that is read slowly makes the supplier wait', async () => {
    const pieces = Array.from({ length: 4_000 }, () => 'x'.repeat(16_384));
    supplier.setBehaviour({ kind: 'answer', pieces, usage: { promptTokens: 5, completionTokens: 10 } });
    await giveUnits(world.sequencer, 80);
    const call = openRequest({ ...request(surface), body: { ...request(surface).body, ...tall(surface) } });
    call.call.once('response', (response) => response.pause());
    await waitFor('a stream', () => (supplier.requests[0]?.writeCount ?? 0) > 0);
    let before = -1;
    // Still twice in a row: everything between the supplier and the reader is full.
    await waitFor('the supplier to wait', async () => {
      const now = supplier.requests[0]!.writeCount;
      const isStill = now === before;
      before = now;
      await sleep(150);
      return isStill;
    });
    // 64 MB were to be sent; what fits into the sockets and one mebibyte is far less.
    expect(before).toBeLessThan(2_000);
    call.hangUp();
    await settled();
  });
});

/** The most output that the instrument allows, where the surface asks for a number. */
function tall({ body }: Surface): Record<string, unknown> {
  return 'max_tokens' in body ? { max_tokens: 65_536 } : {};
}

/** What a client of the surface is told, by status: the machine code, and the type of a Messages error. */
const REFUSALS = {
  404: ['not_found', 'not_found_error'],
  405: ['method_not_allowed', 'invalid_request_error'],
  413: ['payload_too_large', 'request_too_large'],
  415: ['unsupported_media_type', 'invalid_request_error'],
} as const;

const PATHS = [...SURFACES, { path: '/v1/messages/count_tokens', body: { messages }, end: '' }];

describe.each(PATHS)('the edge at $path', (surface) => {
  const ways: readonly [keyof typeof REFUSALS, object][] = [
    [404, { url: '/unknown' }],
    [405, { method: 'GET', body: undefined }],
    [405, { method: 'PUT' }],
    [413, { body: JSON.stringify({ ...surface.body, pad: 'x'.repeat(20_000) }) }],
    [415, { headers: { 'content-type': 'text/plain' } }],
  ];

  it.each(ways)('refuses with %i in the shape of its surface: %o', async (status, change) => {
    const { url, ...plain } = request(surface);
    const suffix = 'url' in change ? String(change.url) : '';
    const answer = await sendRequest({ ...plain, ...change, url: `${url}${suffix}` });
    const [code, type] = REFUSALS[status];
    expect([answer.status, answer.headers['x-grid-error-code']]).toEqual([status, code]);
    if (surface.path.startsWith('/v1/messages')) {
      const requestId = answer.headers['request-id'];
      expect(answer.json).toMatchObject({ type: 'error', error: { type }, request_id: requestId });
    } else expect(answer.json).toMatchObject({ error: { code }, errors: { code } });
    if (status === 405) expect(answer.headers.allow).toBe('POST, OPTIONS');
    expect(supplier.requests).toEqual([]);
  });
});
