import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { parseChatRequest } from './request.ts';
import { buildChatUpstreamBody, type ChatCapabilities, type ChatUpstream, meetsNeeds } from './upstream.ts';

const EVERYTHING: ChatCapabilities = {
  tools: true,
  jsonSchema: true,
  images: true,
  logprobs: true,
  n: true,
  seed: true,
  penalties: true,
  logitBias: true,
  temperature: true,
  efforts: ['low', 'medium', 'high'],
  verbosity: true,
  reasoningText: true,
  store: true,
  developerRole: true,
  maxCompletionTokens: true,
};
const MESSAGES = [{ role: 'user', content: 'hi' }];
const FIELDS = {
  tools: [{ type: 'function', function: { name: 'f' } }],
  tool_choice: 'auto',
  parallel_tool_calls: false,
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
  temperature: 0.5,
  top_p: 0.9,
  stop: ['a'],
  logprobs: true,
  top_logprobs: 2,
  logit_bias: { 1: 1 },
  frequency_penalty: 1,
  presence_penalty: 1,
  seed: 7,
  verbosity: 'low',
};

function build(fields: object, upstream: Partial<ChatUpstream> = {}) {
  const parsed = parseChatRequest(JSON.stringify({ model: 'text-prime', messages: MESSAGES, ...fields }));
  if (!parsed.ok) throw new Error(parsed.error.message);
  const target = { upstreamModel: 'gpt-oss-120b', capabilities: EVERYTHING, ...upstream };
  const { json, ignoredParams } = buildChatUpstreamBody(parsed.value, target);
  return { body: JSON.parse(openContent(json)) as Record<string, unknown>, ignoredParams };
}

describe('buildChatUpstreamBody', () => {
  it('sends everything to an endpoint that can do everything', () => {
    const { body, ignoredParams } = build(
      { ...FIELDS, n: 2, reasoning_effort: 'high', stream: true },
      { maxOutputTokens: 50 },
    );
    expect(body).toEqual({
      model: 'gpt-oss-120b',
      messages: MESSAGES,
      ...FIELDS,
      n: 2,
      reasoning_effort: 'high',
      max_completion_tokens: 50,
      stream: true,
      stream_options: { include_usage: true },
      store: false,
    });
    expect(ignoredParams).toEqual([]);
  });

  it('leaves out and names what an endpoint cannot do', () => {
    const { body, ignoredParams } = build(
      { ...FIELDS, n: 2, reasoning_effort: 'high' },
      { capabilities: {}, maxOutputTokens: 50 },
    );
    expect(body).toEqual({
      model: 'gpt-oss-120b',
      messages: MESSAGES,
      top_p: 0.9,
      stop: ['a'],
      max_tokens: 50,
      stream: false,
    });
    const sent = new Set(['top_p', 'stop']);
    const missing = [...Object.keys(FIELDS).filter((name) => !sent.has(name)), 'n', 'reasoning_effort'];
    expect(new Set(ignoredParams)).toEqual(new Set(missing));
  });

  it('never sends what names the buyer or makes a supplier keep content', () => {
    const fields = { user: 'canary', metadata: { a: 'canary' }, safety_identifier: 'canary', store: true };
    const { body, ignoredParams } = build({ ...fields, prompt_cache_key: 'canary', some_flag: 'canary' });
    expect(JSON.stringify(body)).not.toContain('canary');
    expect(body.store).toBe(false);
    expect(new Set(ignoredParams)).toEqual(
      new Set([...Object.keys(fields), 'prompt_cache_key', 'some_flag']),
    );
  });

  it('passes unknown fields that the endpoint names, and only those', () => {
    const passThroughParams = new Set(['top_k', 'user', 'model', 'absent']);
    const { body, ignoredParams } = build({ top_k: 5, min_p: 0.1, user: 'canary' }, { passThroughParams });
    expect(body).toMatchObject({ top_k: 5, model: 'gpt-oss-120b' });
    expect(body).not.toHaveProperty('user');
    expect(ignoredParams).toEqual(['top_k', 'min_p', 'user'].filter((name) => name !== 'top_k'));
  });

  it('speaks the older spellings to endpoints that know no newer', () => {
    const messages = [
      { role: 'developer', content: 'be brief' },
      { role: 'assistant', content: 'ok', reasoning_content: 'hm' },
    ];
    const old = build({ messages }, { capabilities: {}, maxOutputTokens: 9 }).body;
    expect(old.messages).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'assistant', content: 'ok' },
    ]);
    expect(old.max_tokens).toBe(9);
    expect(build({ messages }).body.messages).toEqual(messages);
  });

  it('asks for usage whenever it streams, whatever the buyer asked', () => {
    expect(build({ stream: true }).body.stream_options).toEqual({ include_usage: true });
    expect(build({ stream: false }).body).not.toHaveProperty('stream_options');
  });

  it('maps the effort to what the endpoint offers', () => {
    expect(build({ reasoning_effort: 'max' }).body.reasoning_effort).toBe('high');
  });

  it('keeps messages byte for byte', () => {
    const messages = [{ role: 'user', content: 'é€😀 "quoted" \\ \u0000 \u2028' }];
    expect(build({ messages }).body.messages).toEqual(messages);
  });
});

describe('meetsNeeds', () => {
  const none = { tools: false, jsonSchema: false, images: false, logprobs: false, n: false };

  it.each(Object.keys(none))('asks for %s only when the request needs it', (name) => {
    const needs = { ...none, [name]: true };
    expect(meetsNeeds(none, {})).toBe(true);
    expect(meetsNeeds(needs, EVERYTHING)).toBe(true);
    expect(meetsNeeds(needs, { ...EVERYTHING, [name]: false })).toBe(false);
  });
});
