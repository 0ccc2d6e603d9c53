import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { ERROR_CODES } from '../errors/catalogue.ts';
import { modelNotFoundError, parseChatRequest } from './request.ts';
import type { ChatRequest } from './types.ts';

const SECRET = 'canary-7f3a';
const MESSAGES = [{ role: 'user', content: 'hi' }];

function parse(fields: object, options = {}): ReturnType<typeof parseChatRequest> {
  return parseChatRequest(JSON.stringify({ model: 'text-prime', messages: MESSAGES, ...fields }), options);
}

function good(fields: object): ChatRequest {
  const result = parse(fields);
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}`);
  return result.value;
}

function refusal(fields: object, options = {}): string {
  const result = parse(fields, options);
  return result.ok ? 'accepted' : `${result.error.code} ${result.error.param}`;
}

const bodyOf = (fields: object) => openContent(good(fields).body);
const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });
const schema = (value: unknown) => ({
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: value } },
});

describe('parseChatRequest', () => {
  it('reads a request with its defaults', () => {
    const request = good({});
    expect(request).toMatchObject({
      model: 'text-prime',
      stream: false,
      includeUsage: false,
      maxOutputTokens: undefined,
      choiceCount: 1,
      effort: undefined,
      ignoredParams: [],
      needs: { tools: false, jsonSchema: false, images: false, logprobs: false, n: false },
      textBytes: 'user'.length + 'hi'.length,
      imageCount: 0,
    });
    expect(openContent(request.body).messages).toEqual(MESSAGES);
  });

  it('reads bytes as it reads text', () => {
    const text = JSON.stringify({ messages: MESSAGES });
    const result = parseChatRequest(new TextEncoder().encode(text));
    expect(result.ok && result.value.model).toBeUndefined();
    expect(result.ok && openContent(result.value.body)).toEqual({ messages: MESSAGES, unknown: new Map() });
  });

  it('takes the smaller of two output limits', () => {
    expect(good({ max_tokens: 9, max_completion_tokens: 5 })).toMatchObject({
      maxOutputTokens: 5,
      maxOutputParam: 'max_completion_tokens',
    });
    expect(good({ max_tokens: 4, max_completion_tokens: 5 })).toMatchObject({
      maxOutputTokens: 4,
      maxOutputParam: 'max_tokens',
    });
    expect(good({ max_tokens: null, max_completion_tokens: 5 }).maxOutputTokens).toBe(5);
  });

  it('counts usage as wanted only while streaming', () => {
    const stream_options = { include_usage: true, include_obfuscation: false };
    const request = good({ stream: true, stream_options });
    expect(request.includeUsage).toBe(true);
    expect(request.ignoredParams).toEqual(['stream_options.include_obfuscation']);
    expect(good({ stream_options }).includeUsage).toBe(false);
  });

  it('drops and names what is neither acted on nor forwarded', () => {
    const dropped = {
      service_tier: 'flex',
      store: true,
      metadata: { a: SECRET },
      user: SECRET,
      safety_identifier: 'x',
      prompt_cache_key: 'x',
      prompt_cache_retention: 'in_memory',
      prediction: {},
      route: 'x',
      provider: {},
      transforms: [],
      plugins: [],
      'made up': 1,
      top_k: 5,
    };
    const request = good(dropped);
    expect(new Set(request.ignoredParams)).toEqual(
      new Set([...Object.keys(dropped).filter((name) => name !== 'made up'), '?']),
    );
    const body = openContent(request.body);
    expect([...body.unknown.keys()]).toEqual(['made up', 'top_k']);
    expect(JSON.stringify({ ...body, unknown: [] })).not.toContain(SECRET);
    expect(good({ store: false, user: null, top_k: null }).ignoredParams).toEqual([]);
  });

  it('refuses in strict mode what it would drop', () => {
    const result = parse({ top_k: 5, user: 'x' }, { strictParams: true });
    expect(result).toEqual({
      ok: false,
      error: {
        code: 'unknown_parameter',
        param: 'top_k',
        message: 'Unknown or ignored parameters: top_k, user.',
      },
    });
    expect(refusal({ temperature: 1 }, { strictParams: true })).toBe('accepted');
  });

  it.each<[object, string]>([
    [{ messages: undefined }, 'invalid_request messages'],
    [{ messages: 'hi' }, 'invalid_request messages'],
    [{ messages: [] }, 'invalid_value messages'],
    [{ messages: Array(10_001).fill(MESSAGES[0]) }, 'invalid_value messages'],
    [{ messages: ['hi'] }, 'invalid_request messages[0]'],
    [{ messages: [{ content: 'hi' }] }, 'invalid_request messages[0].role'],
    [{ messages: [{ role: 'wizard', content: 'hi' }] }, 'invalid_value messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'invalid_request messages[0].content'],
    [{ messages: [{ role: 'user', content: 1 }] }, 'invalid_request messages[0].content'],
    [{ messages: [{ role: 'user', content: [] }] }, 'invalid_value messages[0].content'],
    [{ messages: [{ role: 'user', content: ['x'] }] }, 'invalid_request messages[0].content[0]'],
    [
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'invalid_request messages[0].content[0].text',
    ],
    [{ messages: [{ role: 'user', content: [{ type: 'x' }] }] }, 'invalid_value messages[0].content[0].type'],
    [
      { messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
      'unsupported_value messages[0].content[0].type',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'file' }] }] },
      'unsupported_value messages[0].content[0].type',
    ],
    [{ messages: [{ role: 'assistant' }] }, 'invalid_request messages[0].content'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'invalid_request messages[0].tool_call_id'],
    [{ messages: [{ role: 'assistant', tool_calls: [{}] }] }, 'invalid_request messages[0].tool_calls[0].id'],
    [{ model: 5 }, 'invalid_request model'],
    [{ max_tokens: 0 }, 'invalid_value max_tokens'],
    [{ max_tokens: 1.5 }, 'invalid_value max_tokens'],
    [{ max_completion_tokens: '5' }, 'invalid_request max_completion_tokens'],
    [{ temperature: 3 }, 'invalid_value temperature'],
    [{ temperature: '1' }, 'invalid_request temperature'],
    [{ top_p: -0.1 }, 'invalid_value top_p'],
    [{ n: 0 }, 'invalid_value n'],
    [{ n: 129 }, 'invalid_value n'],
    [{ stream: 'yes' }, 'invalid_request stream'],
    [{ stream_options: true }, 'invalid_request stream_options'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_value stop'],
    [{ stop: 5 }, 'invalid_request stop'],
    [{ stop: [5] }, 'invalid_request stop'],
    [{ stop: '' }, 'invalid_value stop'],
    [{ logprobs: 1 }, 'invalid_request logprobs'],
    [{ logprobs: true, top_logprobs: 21 }, 'invalid_value top_logprobs'],
    [{ top_logprobs: 2 }, 'invalid_request top_logprobs'],
    [{ logit_bias: [] }, 'invalid_request logit_bias'],
    [{ logit_bias: { 50256: 101 } }, 'invalid_value logit_bias'],
    [{ response_format: 'json' }, 'invalid_request response_format'],
    [{ response_format: { type: 'xml' } }, 'invalid_value response_format.type'],
    [{ response_format: { type: 'json_schema' } }, 'invalid_value response_format.json_schema'],
    [schema('x'), 'invalid_value response_format.json_schema'],
    [schema({ type: 'strnig' }), 'invalid_value response_format.json_schema'],
    [schema({ properties: { a: { required: [1] } } }), 'invalid_value response_format.json_schema'],
    [{ tools: {} }, 'invalid_request tools'],
    [{ tools: Array(513).fill(tool('a')) }, 'invalid_value tools'],
    [{ tools: [{ type: 'web_search' }] }, 'unsupported_value tools[0].type'],
    [{ tools: [{ type: 'function' }] }, 'invalid_request tools[0].function'],
    [{ tools: [tool('')] }, 'invalid_value tools[0].function.name'],
    [{ tools: [tool('a')], functions: [{ name: 'b' }] }, 'invalid_request functions'],
    [{ tools: [tool('a')], tool_choice: 'some' }, 'invalid_value tool_choice'],
    [{ tools: [tool('a')], tool_choice: tool('b') }, 'invalid_request tool_choice'],
    [{ tool_choice: 'required' }, 'invalid_request tool_choice'],
    [{ tools: [tool('a')], tool_choice: { type: 'custom' } }, 'unsupported_value tool_choice.type'],
    [{ parallel_tool_calls: 'no' }, 'invalid_request parallel_tool_calls'],
    [{ frequency_penalty: 2.1 }, 'invalid_value frequency_penalty'],
    [{ presence_penalty: -2.1 }, 'invalid_value presence_penalty'],
    [{ seed: 1.5 }, 'invalid_value seed'],
    [{ reasoning_effort: 'huge' }, 'invalid_value reasoning_effort'],
    [{ reasoning_effort: 1 }, 'invalid_request reasoning_effort'],
    [{ reasoning: { effort: 'huge' } }, 'invalid_value reasoning.effort'],
    [{ verbosity: 'loud' }, 'invalid_value verbosity'],
    [{ store: 'no' }, 'invalid_request store'],
    [{ prompt_cache_retention: '24h' }, 'unsupported_value prompt_cache_retention'],
    [{ web_search_options: {} }, 'unsupported_value web_search_options'],
    [{ modalities: ['text', 'audio'] }, 'unsupported_value modalities'],
    [{ audio: { voice: 'x' } }, 'unsupported_value audio'],
  ])('answers %j with %s', (fields, expected) => {
    expect(refusal(fields)).toBe(expected);
  });

  it('accepts null for everything that is optional', () => {
    const names =
      'model max_tokens max_completion_tokens temperature top_p n stream stream_options stop logprobs';
    const more =
      'top_logprobs logit_bias response_format tools tool_choice functions function_call seed verbosity';
    const fields = Object.fromEntries(
      `${names} ${more} reasoning store audio`.split(' ').map((name) => [name, null]),
    );
    expect(good(fields).ignoredParams).toEqual([]);
    expect(bodyOf(fields)).toEqual({ messages: MESSAGES, unknown: new Map() });
  });

  it('keeps every field it acts on', () => {
    const fields = {
      temperature: 0.5,
      top_p: 0.9,
      stop: ['a', 'b'],
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { 50256: -100 },
      frequency_penalty: 1,
      presence_penalty: -1,
      seed: 7,
      verbosity: 'low',
      tools: [tool('a')],
      tool_choice: { type: 'function', function: { name: 'a' } },
      parallel_tool_calls: false,
      ...schema({ type: ['string', 'null'] }),
    };
    expect(bodyOf(fields)).toEqual({ messages: MESSAGES, ...fields, unknown: new Map() });
    expect(good(fields).needs).toMatchObject({ tools: true, jsonSchema: true, logprobs: true });
    expect(good({ n: 3 })).toMatchObject({ choiceCount: 3, needs: { n: true } });
    expect(good({ reasoning: { effort: 'high', max_tokens: 5 } })).toMatchObject({
      effort: 'high',
      ignoredParams: ['reasoning.max_tokens'],
    });
    expect(good({ reasoning: { effort: 'high' }, reasoning_effort: 'low' }).effort).toBe('low');
  });

  it('turns legacy functions into tools, calls and results included', () => {
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '42' },
    ];
    const body = bodyOf({ messages, functions: [{ name: 'f' }], function_call: { name: 'f' } });
    expect(body.tools).toEqual([{ type: 'function', function: { name: 'f' } }]);
    expect(body.tool_choice).toEqual({ type: 'function', function: { name: 'f' } });
    expect(body.messages[1]?.tool_calls).toEqual([
      { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } },
    ]);
    expect(body.messages[2]).toEqual({ role: 'tool', tool_call_id: 'call_1', content: '42' });
  });

  it('takes an answer back as the SDK gives it', () => {
    const call = { id: 'call_9', type: 'function', function: { name: 'f', arguments: '{}' } };
    const answer = {
      role: 'assistant',
      content: null,
      refusal: null,
      annotations: [],
      reasoning_content: 'hm',
    };
    const messages = [...MESSAGES, { ...answer, tool_calls: [{ index: 0, ...call }] }];
    const request = good({ messages });
    expect(request.ignoredParams).toEqual([]);
    expect(openContent(request.body).messages[1]).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: 'hm',
      tool_calls: [call],
    });
  });

  it('counts text by UTF-8 bytes and images by number', () => {
    const url = `data:image/png;base64,${'A'.repeat(1000)}`;
    const content = [
      { type: 'text', text: 'é€', cache_control: {} },
      { type: 'image_url', image_url: { url, detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
    ];
    const request = good({ messages: [{ role: 'user', content }] });
    expect(request).toMatchObject({ textBytes: 4 + 5, imageCount: 2, needs: { images: true } });
    expect(request.ignoredParams).toEqual(['messages.content.cache_control']);
    const plain = [{ type: 'image_url', image_url: { url: 'http://example.org/a.png' } }];
    expect(refusal({ messages: [{ role: 'user', content: plain }] })).toBe(
      'invalid_value messages[0].content[0].image_url.url',
    );
    const tools = [tool('a')];
    expect(good({ tools }).textBytes).toBe(6 + JSON.stringify(tools).length);
  });

  it('is not fooled by names of the prototype', () => {
    const messages = '[{"role":"user","content":"hi","__proto__":{"x":1}}]';
    const text = `{"messages":${messages},"__proto__":{"n":9},"constructor":{}}`;
    const result = parseChatRequest(text);
    expect(result.ok && result.value.choiceCount).toBe(1);
    expect(result.ok && result.value.ignoredParams).toContain('constructor');
    expect(({} as { n?: number }).n).toBeUndefined();
  });

  it('shows no content when printed', () => {
    const request = good({ messages: [{ role: 'user', content: SECRET }] });
    expect(JSON.stringify(request)).not.toContain(SECRET);
  });
});

describe('modelNotFoundError', () => {
  it('quotes a name of a model and nothing else', () => {
    expect(modelNotFoundError('gpt-4o').message).toBe("No instrument named 'gpt-4o'.");
    for (const text of [`tell me ${SECRET}`, '', `${SECRET}\n`, 'x'.repeat(65)]) {
      expect(modelNotFoundError(text)).toEqual({ code: 'model_not_found', param: 'model' });
    }
  });
});

describe('parseChatRequest under random input', () => {
  const names =
    'model messages max_tokens temperature n stream stream_options stop logit_bias response_format';
  const more = 'tools tool_choice functions function_call reasoning modalities metadata audio store seed';
  const anything = fc.jsonValue({ maxDepth: 5 });
  const message = fc.dictionary(
    fc.constantFrom('role', 'content', 'tool_calls', 'function_call', 'tool_call_id', 'name', '__proto__'),
    fc.oneof(anything, fc.constantFrom('user', 'assistant', 'tool', 'function', SECRET)),
  );
  const body = fc.dictionary(
    fc.oneof(fc.constantFrom(...`${names} ${more}`.split(' ')), fc.string()),
    fc.oneof(anything, fc.array(message), fc.constant(SECRET)),
  );

  it('never throws, and its errors are in the catalogue and quote nothing', () => {
    fc.assert(
      fc.property(fc.oneof(body, anything), (value) => {
        const result = parseChatRequest(JSON.stringify(value));
        if (result.ok) return;
        expect(ERROR_CODES).toContain(result.error.code);
        expect(result.error.message).toMatch(/^\S.*\.$/);
        expect(JSON.stringify(result.error)).not.toContain(SECRET);
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws on text or bytes that are not JSON', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseChatRequest(text).ok === 'boolean'));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof parseChatRequest(bytes).ok === 'boolean'));
  });
});
