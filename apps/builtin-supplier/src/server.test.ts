import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { TextWriter } from './model/writer.ts';
import { MODEL_ID } from './model-card.ts';
import { type BuiltinSupplierServer, createBuiltinSupplierServer } from './server.ts';

const API_KEY = 'sk-test-key';
const CANARY = 'canary-7f3a';
let supplier: BuiltinSupplierServer;
let client: OpenAI;

beforeAll(async () => {
  supplier = await createBuiltinSupplierServer({
    apiKey: API_KEY,
    tokensPerSecond: 0,
    bodyLimitBytes: 100_000,
  });
  client = new OpenAI({ apiKey: API_KEY, baseURL: supplier.baseUrl, maxRetries: 0 });
});
afterAll(() => supplier.close());

const ASK = {
  model: MODEL_ID,
  messages: [
    { role: 'system', content: 'You are a sailor.' },
    { role: 'user', content: 'Tell me about the whale.' },
  ],
  seed: 11,
} satisfies Partial<OpenAI.ChatCompletionCreateParams>;
// Not part of the OpenAI API, but known to other servers as well: the text does not end before its limit.
const ENDLESS = { ignore_eos: true };

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${supplier.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe('a completion through the OpenAI client', () => {
  it('has text, a reason and exact usage', async () => {
    const answer = await client.chat.completions.create({ ...ASK, ...ENDLESS, max_tokens: 40 });
    const [choice] = answer.choices;
    expect(answer).toMatchObject({ object: 'chat.completion', model: MODEL_ID });
    expect(answer.id).toMatch(/^chatcmpl-[0-9a-f]{24}$/);
    expect(choice).toMatchObject({ index: 0, message: { role: 'assistant' }, finish_reason: 'length' });
    const promptTokens = countTokens('You are a sailor.') + countTokens('Tell me about the whale.');
    expect(answer.usage).toMatchObject({
      prompt_tokens: promptTokens,
      completion_tokens: 40,
      total_tokens: promptTokens + 40,
    });
    expect(countTokens(choice!.message.content!)).toBe(40);
  });

  it('is the same streamed as whole', async () => {
    for (const extra of [
      {},
      { max_completion_tokens: 77, temperature: 0.8, top_p: 0.9 },
      { stop: [' the', '.'] },
    ]) {
      const whole = await client.chat.completions.create({ ...ASK, ...extra });
      const stream = client.chat.completions.stream({
        ...ASK,
        ...extra,
        stream_options: { include_usage: true },
      });
      const streamed = await stream.finalChatCompletion();
      expect(streamed.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
      expect(streamed.choices[0]!.finish_reason).toBe(whole.choices[0]!.finish_reason);
      expect(streamed.usage).toEqual(whole.usage);
    }
  });

  it('depends on the seed only when one is given', async () => {
    const text = async (extra: object): Promise<string> =>
      (await client.chat.completions.create({ ...ASK, ...extra })).choices[0]!.message.content!;
    expect(await text({})).toBe(await text({}));
    expect(await text({ seed: 12 })).not.toBe(await text({}));
    expect(await text({ seed: null })).not.toBe(await text({ seed: null }));
    expect(await text({ seed: null, temperature: 0 })).toBe(await text({ seed: null, temperature: 0 }));
  });

  it('reads text parts like one string, and the last user message', async () => {
    const user = (
      content: OpenAI.ChatCompletionUserMessageParam['content'],
    ): OpenAI.ChatCompletionMessageParam => ({
      role: 'user',
      content,
    });
    const parts = [
      { type: 'text', text: 'Tell me about ' },
      { type: 'text', text: 'the whale.' },
    ] satisfies OpenAI.ChatCompletionContentPart[];
    const text = async (messages: OpenAI.ChatCompletionMessageParam[]): Promise<string> =>
      (await client.chat.completions.create({ ...ASK, messages })).choices[0]!.message.content!;
    const plain = await text([user('Tell me about the whale.')]);
    expect(await text([user(parts)])).toBe(plain);
    expect(await text([user('Hello?'), { role: 'assistant', content: null }, user(parts)])).toBe(plain);
  });

  it('answers no more than the card allows, and 256 tokens when nothing is asked', async () => {
    const tokens = async (extra: object): Promise<number> => {
      const answer = await client.chat.completions.create({ ...ASK, ...extra });
      return answer.usage!.completion_tokens;
    };
    expect(await tokens(ENDLESS)).toBe(256);
    expect(await tokens({ ...ENDLESS, max_tokens: 128_000 })).toBe(32_768);
  });
});

describe('the events of a stream', () => {
  const read = async (extra: object): Promise<string[]> => {
    const response = await post({ ...ASK, ...ENDLESS, stream: true, max_tokens: 20, ...extra });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = (await response.text()).split('\n\n');
    expect(events.pop()).toBe('');
    return events.map((event) => event.replace(/^data: /, ''));
  };

  it('come in the order OpenAI sends them', async () => {
    const events = await read({ stream_options: { include_usage: true } });
    expect(events.pop()).toBe('[DONE]');
    const chunks = events.map((event) => JSON.parse(event) as OpenAI.ChatCompletionChunk);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '', refusal: null });
    const usage = chunks.pop()!;
    expect(usage).toMatchObject({ choices: [], usage: { completion_tokens: 20 } });
    expect(chunks.pop()!.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'length' }]);
    for (const chunk of chunks)
      expect(chunk).toMatchObject({ usage: null, choices: [{ finish_reason: null }] });
    // One event a token, after the one with the role.
    expect(chunks.length).toBe(21);
    expect(countTokens(chunks.map((chunk) => chunk.choices[0]!.delta.content).join(''))).toBe(20);
  });

  it('say nothing of usage unless asked', async () => {
    const events = await read({});
    expect(events.join('')).not.toContain('usage');
    expect(JSON.parse(events.at(-2)!)).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });
});

describe('a request that cannot be answered', () => {
  it.each([
    ['another model', { model: 'gpt-5' }, 404, 'model', 'model_not_found'],
    ['no model', { model: undefined }, 400, 'model', 'invalid_value'],
    ['no messages', { messages: [] }, 400, 'messages', 'invalid_value'],
    [
      'an unknown role',
      { messages: [{ role: 'robot', content: CANARY }] },
      400,
      'messages[0].role',
      'invalid_value',
    ],
    ['a message that is a number', { messages: [4] }, 400, 'messages[0].role', 'invalid_value'],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: CANARY } }] }] },
      400,
      'messages[0].content[0].type',
      'unsupported_content',
    ],
    ['two choices', { n: 2 }, 400, 'n', 'unsupported_value'],
    ['log probabilities', { logprobs: true }, 400, 'logprobs', 'unsupported_value'],
    ['a schema', { response_format: { type: 'json_object' } }, 400, 'response_format', 'unsupported_value'],
    ['a forced tool', { tool_choice: 'required' }, 400, 'tool_choice', 'unsupported_value'],
    ['a hot temperature', { temperature: 2.1 }, 400, 'temperature', 'invalid_value'],
    ['top_p as text', { top_p: '1' }, 400, 'top_p', 'invalid_value'],
    ['a seed with a fraction', { seed: 1.5 }, 400, 'seed', 'invalid_value'],
    ['no tokens at all', { max_tokens: 0 }, 400, 'max_tokens', 'invalid_value'],
    ['five stop sequences', { stop: ['a', 'b', 'c', 'd', 'e'] }, 400, 'stop', 'invalid_value'],
    ['an empty stop sequence', { stop: '' }, 400, 'stop', 'invalid_value'],
    ['a wrong flag', { stream: 'yes' }, 400, 'stream', 'invalid_value'],
  ])('with %s is told why', async (_, change, status, param, code) => {
    const response = await post({ ...ASK, ...change });
    const body = await response.text();
    expect(response.status).toBe(status);
    expect(JSON.parse(body)).toMatchObject({ error: { type: 'invalid_request_error', param, code } });
    expect(body).not.toContain(CANARY);
  });

  it.each([
    ['is not JSON', `{"messages": ["${CANARY}"`, 400, 'invalid_json'],
    ['is a list', '[]', 400, 'invalid_json'],
    [
      'is too large',
      { ...ASK, messages: [{ role: 'user', content: 'a '.repeat(60_000) }] },
      413,
      'request_too_large',
    ],
  ])('whose body %s is told so', async (_, body, status, code) => {
    const response = await post(body);
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code]).toEqual([status, code]);
    expect(text).not.toContain(CANARY);
  });

  it('with a body that is too large in chunks, or compressed, is refused as well', async () => {
    const chunks = new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode('a '.repeat(10_000)));
      },
    });
    const headers = { authorization: `Bearer ${API_KEY}` };
    const init = { method: 'POST', headers, body: chunks, duplex: 'half' } as RequestInit;
    const response = await fetch(`${supplier.baseUrl}/chat/completions`, init);
    expect(response.status).toBe(413);
    expect((await post(ASK, { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('without the right key learns nothing', async () => {
    for (const authorization of ['', 'Bearer wrong', API_KEY, `Basic ${API_KEY}`]) {
      const response = await post(ASK, { authorization });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
    }
    expect((await fetch(`${supplier.baseUrl}/models`)).status).toBe(401);
  });
});

describe('an error inside', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is counted, and tells nothing of the request', async () => {
    vi.spyOn(TextWriter.prototype, 'write').mockImplementation(() => {
      throw new Error(CANARY);
    });
    const whole = await post(ASK);
    const body = await whole.text();
    expect([whole.status, JSON.parse(body).error.code]).toEqual([500, 'internal_error']);
    expect(body).not.toContain(CANARY);
    // A stream has begun by then: its connection breaks, so that nobody takes the answer for a whole one.
    await expect(post({ ...ASK, stream: true }).then((response) => response.text())).rejects.toThrow();
    expect(supplier.stats()).toMatchObject({ failures: 2, activeRequests: 0 });
  });
});

describe('the other routes', () => {
  it('list the one model and say what it is', async () => {
    const { data } = await client.models.list();
    expect(data).toEqual([await client.models.retrieve(MODEL_ID)]);
    expect(data[0]).toMatchObject({
      id: 'opengrid/embedded-ngram',
      owned_by: 'opengrid',
      description: 'n-gram demonstration model',
      capabilities: { tools: false, images: false },
    });
  });

  it('tell the health without a key', async () => {
    const response = await fetch(new URL('/health', supplier.baseUrl));
    expect(await response.json()).toMatchObject({ status: 'ok', active_requests: 0, failures: 2 });
  });

  it('refuse unknown paths and methods in JSON', async () => {
    const headers = { authorization: `Bearer ${API_KEY}` };
    const unknown = await fetch(`${supplier.baseUrl}/embeddings`, { method: 'POST', headers });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: 'not_found' } });
    const wrong = await fetch(`${supplier.baseUrl}/chat/completions`, { headers });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
