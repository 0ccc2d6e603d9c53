import Anthropic from '@anthropic-ai/sdk';
import { type FaultySupplier, sendRequest, startFaultySupplier } from '@opengrid/testing';
import OldAnthropic from 'anthropic-sdk-0';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointOf, giveUnits, KEY, openMarket, startWorld, type World } from './testing.ts';

let supplier: FaultySupplier;
let world: World;

beforeEach(async () => {
  supplier = await startFaultySupplier();
  world = await startWorld({ endpoints: [endpointOf(supplier)] });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

const ask = {
  model: 'text-standard',
  max_tokens: 1_000,
  messages: [{ role: 'user' as const, content: 'How is the market today?' }],
};

const clients = [
  ['the newest client', () => new Anthropic({ baseURL: world.url, apiKey: KEY, maxRetries: 0 })],
  [
    'the newest client with a token',
    () => new Anthropic({ baseURL: world.url, authToken: KEY, maxRetries: 0 }),
  ],
  ['a client before 1.0', () => new OldAnthropic({ baseURL: world.url, apiKey: KEY, maxRetries: 0 })],
] as const;

describe.each(clients)('Messages through %s', (_name, connect) => {
  it('answers in one piece, settled before the body', async () => {
    const answer = await (connect() as Anthropic).messages.create(ask);
    expect(answer).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'openai/gpt-oss-120b',
      stop_reason: 'end_turn',
      usage: { input_tokens: 8, output_tokens: 20 },
    });
    expect(answer.id).toMatch(/^msg_[0-9a-z]{26}$/);
    const [settlement] = world.sequencer.settlements;
    expect(settlement?.receipt).toMatchObject({
      route: '/v1/messages',
      status: 'reconciled',
      outputTokens: 20,
    });
    expect(world.sequencer.settledTokens()).toBe(28);
  });

  it('streams, and collects to the same message', async () => {
    const stream = (connect() as Anthropic).messages.stream(ask);
    const events: string[] = [];
    stream.on('streamEvent', ({ type }) => void events.push(type));
    const message = await stream.finalMessage();
    expect(events[0]).toBe('message_start');
    expect(events.at(-1)).toBe('message_stop');
    expect(events.filter((type) => type === 'content_block_start')).toHaveLength(1);
    expect(message.content).toMatchObject([{ type: 'text' }]);
    expect(message.usage).toMatchObject({ input_tokens: 8, output_tokens: 20 });
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({
      isStream: true,
      usageSource: 'supplier',
    });
  });

  it('throws its own errors', async () => {
    const wrong = (connect() as Anthropic).messages.create({ ...ask, model: 'claude-sonnet' });
    await expect(wrong).rejects.toMatchObject({ status: 404, error: { error: { type: 'not_found_error' } } });
  });
});

describe('the Messages surface', () => {
  const post = (body: unknown, headers: Record<string, string> = {}, path = '/v1/messages') =>
    sendRequest({ url: `${world.url}${path}`, key: KEY, body, headers });

  it('says its errors in its own shape, with the code in a header', async () => {
    const answer = await post({ model: 'text-standard', messages: ask.messages });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect((answer.json as { request_id: string }).request_id).toBe(answer.headers['x-grid-request-id']);
    expect(answer.headers['x-grid-error-code']).toBe('invalid_request');
    expect(answer.headers['request-id']).toBe(answer.headers['x-grid-request-id']);
    expect(Object.keys(answer.json as object)).toEqual(['type', 'error', 'request_id']);
  });

  it('lowers an output limit beyond the instrument, and says so', async () => {
    const answer = await post({ ...ask, max_tokens: 128_000 });
    expect(answer.status).toBe(200);
    expect(answer.headers['anthropic-ratelimit-requests-limit']).toBe('600');
    expect(answer.headers['x-grid-output-limit']).toBe('65536');
    const strict = await post({ ...ask, max_tokens: 128_000 }, { 'x-grid-strict-params': 'true' });
    expect([strict.status, strict.headers['x-grid-error-code']]).toEqual([422, 'invalid_value']);
  });

  it('tolerates what coding agents send: betas, queries, a system role inside, cache marks, metadata', async () => {
    const body = {
      ...ask,
      system: [{ type: 'text', text: 'You are terse.', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        { role: 'system', content: 'Remember the rules.' },
        { role: 'user', content: 'How is the market today?' },
      ],
      metadata: { user_id: 'someone' },
      context_management: { edits: [] },
      thinking: { type: 'adaptive' },
    };
    const headers = { 'anthropic-beta': 'unknown-2030-01-01', 'anthropic-version': '2023-01-01' };
    const answer = await post(body, headers, '/v1/messages?beta=true');
    expect(answer.status).toBe(200);
    const sent = JSON.stringify(supplier.requests[0]?.body);
    expect(sent).toContain('Remember the rules.');
    expect(sent).not.toContain('someone');
    const ignored = String(answer.headers['x-grid-ignored-params']).split(', ');
    expect(ignored).toEqual(expect.arrayContaining(['metadata', 'context_management', 'thinking']));
  });

  it('counts tokens for nothing', async () => {
    const { max_tokens: _none, ...rest } = ask;
    const answer = await post(rest, {}, '/v1/messages/count_tokens');
    expect(answer.status).toBe(200);
    expect((answer.json as { input_tokens: number }).input_tokens).toBeGreaterThan(5);
    expect(world.sequencer.settlements).toHaveLength(0);
    const wrong = await post({ ...rest, model: 'gpt' }, {}, '/v1/messages/count_tokens');
    expect(wrong.json).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  it('breaks off with an error event when the supplier dies midway, and bills nothing', async () => {
    supplier.setBehaviour({ kind: 'answer', ending: 'reset', chunkCount: 5 });
    const answer = await post({ ...ask, stream: true });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('event: error');
    expect(answer.text).not.toContain('message_stop');
    expect(world.sequencer.settledTokens()).toBe(0);
  });
});
