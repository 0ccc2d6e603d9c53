import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { ERROR_CODES } from '../errors/catalogue.ts';
import type { JsonObject } from '../json/parse.ts';
import { parseResponsesRequest } from './request.ts';
import type { ResponsesRequest } from './types.ts';

const SECRET = 'canary-7f3a';
const AGENT = readFileSync(
  new URL('../conversation/requests/coding-agent.responses.json', import.meta.url),
  'utf8',
);

function parse(fields: object, options = {}): ReturnType<typeof parseResponsesRequest> {
  return parseResponsesRequest(JSON.stringify({ model: 'text-prime', input: 'hi', ...fields }), options);
}

function good(fields: object, options = {}): ResponsesRequest {
  const result = parse(fields, options);
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}`);
  return result.value;
}

function refusal(fields: object, options = {}): string {
  const result = parse(fields, options);
  return result.ok ? 'accepted' : `${result.error.code} ${result.error.param}`;
}

const item = (fields: object) => ({ input: [fields] });
const part = (fields: object) => item({ role: 'user', content: [fields] });
const tool = (fields: object) => ({ tools: [{ type: 'function', name: 'f', ...fields }] });

describe('parseResponsesRequest', () => {
  it('reads a response request with its defaults', () => {
    expect(good({})).toMatchObject({
      dialect: 'responses',
      model: 'text-prime',
      stream: false,
      maxOutputTokens: undefined,
      effort: undefined,
      includesEncryptedReasoning: false,
      ignoredParams: [],
      needs: { tools: false, jsonSchema: false, images: false, logprobs: false, customTools: false },
      textBytes: 'hi'.length,
    });
    expect(openContent(good({}).body)).toMatchObject({ input: 'hi' });
  });

  it('reads what a coding agent sends, whose ids of a session stay here', () => {
    const result = parseResponsesRequest(AGENT);
    if (!result.ok) throw new Error(result.error.message);
    const { value } = result;
    expect(value).toMatchObject({
      effort: 'medium',
      reasoningSummary: 'auto',
      includesEncryptedReasoning: true,
    });
    expect(value.ignoredParams).toEqual(['client_metadata', 'prompt_cache_key']);
    expect(value.imageCount).toBe(2);
    const { unknown, ...body } = openContent(value.body);
    expect(JSON.stringify(body)).not.toContain(SECRET);
    expect([...unknown.keys()]).toEqual(['client_metadata']);
  });

  it.each([
    [{ model: undefined }, 'invalid_request model'],
    [{ input: undefined }, 'invalid_request input'],
    [{ input: [] }, 'invalid_value input'],
    [{ input: [5] }, 'invalid_request input[0]'],
    [item({ type: 'item_reference', id: 'msg_1' }), 'unsupported_parameter input[0]'],
    [item({ id: 'msg_1' }), 'unsupported_parameter input[0]'],
    [item({ type: 'web_search_call', id: 'ws_1' }), 'unsupported_value input[0].type'],
    [item({ type: 'local_shell_call' }), 'unsupported_value input[0].type'],
    [item({ content: 'hi' }), 'invalid_request input[0].role'],
    [item({ role: 'tool', content: 'hi' }), 'invalid_value input[0].role'],
    [item({ role: 'user' }), 'invalid_request input[0].content'],
    [part({ type: 'input_file', file_id: 'file_1' }), 'unsupported_parameter input[0].content[0]'],
    [part({ type: 'input_image', file_id: 'file_1' }), 'unsupported_parameter input[0].content[0].file_id'],
    [
      part({ type: 'input_image', image_url: 'http://a/b.png' }),
      'invalid_value input[0].content[0].image_url',
    ],
    [part({ type: 'input_audio' }), 'unsupported_value input[0].content[0].type'],
    [part({ type: 'input_text' }), 'invalid_request input[0].content[0].text'],
    [item({ type: 'function_call', call_id: 'a', name: 'f' }), 'invalid_request input[0].arguments'],
    [item({ type: 'function_call_output', output: 'x' }), 'invalid_request input[0].call_id'],
    [item({ type: 'function_call_output', call_id: 'a' }), 'invalid_request input[0].output'],
    [{ previous_response_id: 'resp_1' }, 'unsupported_parameter previous_response_id'],
    [{ conversation: 'conv_1' }, 'unsupported_parameter conversation'],
    [{ prompt: { id: 'pmpt_1' } }, 'unsupported_parameter prompt'],
    [{ background: true }, 'unsupported_parameter background'],
    [{ store: 'yes' }, 'invalid_request store'],
    [{ prompt_cache_retention: '24h' }, 'unsupported_value prompt_cache_retention'],
    [{ max_output_tokens: 0 }, 'invalid_value max_output_tokens'],
    [{ temperature: 3 }, 'invalid_value temperature'],
    [{ top_logprobs: 21 }, 'invalid_value top_logprobs'],
    [{ truncation: 'some' }, 'invalid_value truncation'],
    [{ reasoning: { effort: 'huge' } }, 'invalid_value reasoning.effort'],
    [{ include: 'all' }, 'invalid_request include'],
    [{ tools: [{ type: 'web_search' }] }, 'unsupported_value tools[0].type'],
    [{ tools: [{ type: 'mcp', server_url: 'https://a' }] }, 'unsupported_value tools[0].type'],
    [{ tools: [{ type: 'local_shell' }] }, 'unsupported_value tools[0].type'],
    [tool({ name: '' }), 'invalid_value tools[0].name'],
    [tool({ parameters: { type: 'thing' } }), 'invalid_value tools[0].parameters'],
    [{ ...tool({}), tool_choice: { type: 'function', name: 'g' } }, 'invalid_request tool_choice'],
    [{ ...tool({}), tool_choice: { type: 'allowed_tools' } }, 'unsupported_value tool_choice.type'],
    [{ tool_choice: 'required' }, 'invalid_request tool_choice'],
    [{ text: { format: { type: 'json_schema', name: 'a' } } }, 'invalid_value text.format'],
    [{ text: { format: { type: 'xml' } } }, 'invalid_value text.format.type'],
  ])('turns down %j by name', (fields, expected) => {
    expect(refusal(fields)).toBe(expected);
  });

  it('takes every wish to store for none', () => {
    for (const store of [true, false, null]) expect(good({ store }).ignoredParams).toEqual([]);
  });

  it('repeats in the answer what the dialect repeats, and nothing else', () => {
    const metadata = { topic: 'demo' };
    const echo = openContent(good({ metadata, temperature: 0.5, instructions: 'Be brief.', user: 'u' }).echo);
    expect(echo).toMatchObject({
      metadata,
      temperature: 0.5,
      instructions: 'Be brief.',
      truncation: 'disabled',
    });
    expect(Object.keys(echo)).not.toContain('user');
  });

  it('takes the wish for log probabilities in either form', () => {
    expect(good({ include: ['message.output_text.logprobs'] }).needs.logprobs).toBe(true);
    expect(good({ top_logprobs: 2 }).needs.logprobs).toBe(true);
    expect(good({ top_logprobs: 0 }).needs.logprobs).toBe(false);
  });

  it('names what it leaves out, and refuses it when the request is strict', () => {
    const fields = {
      include: ['file_search_call.results'],
      truncation: 'auto',
      user: SECRET,
      stream_options: { include_obfuscation: false },
    };
    expect([...good(fields).ignoredParams].sort()).toEqual([
      'include.file_search_call.results',
      'stream_options.include_obfuscation',
      'truncation',
      'user',
    ]);
    expect(refusal({ truncation: 'auto' }, { strictParams: true })).toBe('unknown_parameter truncation');
  });

  it('answers damage of any kind with a code of the catalogue and quotes nothing of it', () => {
    const damage = fc.oneof(fc.constant(SECRET), fc.constant([{ [SECRET]: SECRET }]), fc.jsonValue());
    const sound = JSON.parse(AGENT) as JsonObject;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(sound)), damage, (name, value) => {
        const result = parseResponsesRequest(JSON.stringify({ ...sound, [name]: value }));
        if (result.ok) return;
        expect(ERROR_CODES).toContain(result.error.code);
        expect(JSON.stringify(result.error)).not.toContain(SECRET);
      }),
    );
  });
});
