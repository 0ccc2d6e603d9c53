import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { ERROR_CODES } from '../errors/catalogue.ts';
import { parseMessagesRequest } from './request.ts';
import type { MessagesRequest } from './types.ts';

const SECRET = 'canary-7f3a';
const AGENT = readFileSync(
  new URL('../conversation/requests/coding-agent.messages.json', import.meta.url),
  'utf8',
);
const BASE = { model: 'text-prime', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] };

function parse(fields: object, options = {}): ReturnType<typeof parseMessagesRequest> {
  return parseMessagesRequest(JSON.stringify({ ...BASE, ...fields }), options);
}

function good(fields: object, options = {}): MessagesRequest {
  const result = parse(fields, options);
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}`);
  return result.value;
}

function refusal(fields: object, options = {}): string {
  const result = parse(fields, options);
  return result.ok ? 'accepted' : `${result.error.code} ${result.error.param}`;
}

const bodyOf = (fields: object) => openContent(good(fields).body);
const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] });
const image = (source: object) => user({ type: 'image', source });
const tool = (fields: object) => ({ tools: [{ name: 'f', input_schema: { type: 'object' }, ...fields }] });

describe('parseMessagesRequest', () => {
  it('reads a message request with its defaults', () => {
    expect(good({})).toMatchObject({
      dialect: 'messages',
      model: 'text-prime',
      stream: false,
      maxOutputTokens: 100,
      effort: undefined,
      showsReasoning: false,
      ignoredParams: [],
      needs: { tools: false, jsonSchema: false, images: false, documents: false, clientTools: false },
      textBytes: 'user'.length + 'hi'.length,
    });
    expect(bodyOf({}).messages).toEqual(BASE.messages);
  });

  it('reads what a coding agent sends, and drops only what may not go on', () => {
    const result = parseMessagesRequest(AGENT);
    if (!result.ok) throw new Error(result.error.message);
    const request = result.value;
    expect(request).toMatchObject({ effort: 'high', showsReasoning: true, maxOutputTokens: 128_000 });
    expect(request.ignoredParams).toEqual(['diagnostics', 'metadata']);
    expect(request.imageCount).toBe(1);
    const body = openContent(request.body);
    const sent = JSON.parse(AGENT) as { messages: object[]; tools: object[] };
    expect(body.messages).toEqual(sent.messages);
    expect(body.tools).toEqual(sent.tools);
    expect(body.system).toMatchObject([{}, { cache_control: { type: 'ephemeral', ttl: '5m' } }, {}]);
    expect(JSON.stringify([body, ...body.unknown.values()])).not.toContain(SECRET);
  });

  it.each([
    [{ model: undefined }, 'invalid_request model'],
    [{ max_tokens: undefined }, 'invalid_request max_tokens'],
    [{ max_tokens: 0 }, 'invalid_value max_tokens'],
    [{ max_tokens: '9' }, 'invalid_request max_tokens'],
    [{ messages: undefined }, 'invalid_request messages'],
    [{ messages: [] }, 'invalid_value messages'],
    [{ messages: [{ role: 'tool', content: '' }] }, 'invalid_value messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'invalid_request messages[0].content'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'invalid_request messages[0].content'],
    [user({ type: 'text' }), 'invalid_request messages[0].content[0].text'],
    [user({ type: 'container_upload', file_id: 'f' }), 'unsupported_value messages[0].content[0].type'],
    [user({ type: 'web_search_tool_result' }), 'unsupported_value messages[0].content[0].type'],
    [image({ type: 'file', file_id: 'f' }), 'unsupported_value messages[0].content[0].source.type'],
    [image({ type: 'url', url: 'http://a/b.png' }), 'invalid_value messages[0].content[0].source.url'],
    [
      image({ type: 'base64', media_type: 'text/html', data: '' }),
      'invalid_value messages[0].content[0].source.media_type',
    ],
    [
      user({ type: 'document', source: { type: 'file', file_id: 'f' } }),
      'unsupported_value messages[0].content[0].source.type',
    ],
    [user({ type: 'document' }), 'invalid_request messages[0].content[0].source'],
    [user({ type: 'tool_use', id: 'a', name: 'f' }), 'invalid_request messages[0].content[0].input'],
    [user({ type: 'tool_result' }), 'invalid_request messages[0].content[0].tool_use_id'],
    [
      user({ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'thinking' }] }),
      'unsupported_value messages[0].content[0].content[0].type',
    ],
    [{ system: [{ type: 'image' }] }, 'unsupported_value system[0].type'],
    [{ temperature: 1.5 }, 'invalid_value temperature'],
    [{ stop_sequences: 'a' }, 'invalid_request stop_sequences'],
    [{ stop_sequences: [''] }, 'invalid_value stop_sequences'],
    [tool({ input_schema: undefined }), 'invalid_request tools[0].input_schema'],
    [tool({ input_schema: { type: 'thing' } }), 'invalid_value tools[0].input_schema'],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'unsupported_value tools[0].type'],
    [{ tools: [{ type: 'code_execution_20250825', name: 'x' }] }, 'unsupported_value tools[0].type'],
    [{ tools: [{ type: 'mcp_toolset', name: 'x' }] }, 'unsupported_value tools[0].type'],
    [{ tool_choice: { type: 'any' } }, 'invalid_request tool_choice'],
    [{ ...tool({}), tool_choice: { type: 'tool', name: 'g' } }, 'invalid_request tool_choice'],
    [{ thinking: { type: 'enabled' } }, 'invalid_request thinking.budget_tokens'],
    [{ thinking: { type: 'sometimes' } }, 'invalid_value thinking.type'],
    [{ output_config: { effort: 'huge' } }, 'invalid_value output_config.effort'],
    [{ output_config: { format: { type: 'json_schema' } } }, 'invalid_value output_config.format'],
    [{ container: 'c' }, 'unsupported_value container'],
    [{ mcp_servers: [{ url: 'https://a' }] }, 'unsupported_value mcp_servers'],
    [{ cache_control: { type: 'ephemeral', ttl: '1d' } }, 'invalid_value cache_control.ttl'],
  ])('refuses %j by name', (fields, expected) => {
    expect(refusal(fields)).toBe(expected);
  });

  it('takes empty containers and lists of servers', () => {
    expect(refusal({ container: null, mcp_servers: [] })).toBe('accepted');
  });

  it('takes the typed tools that clients run, and documents, and says that they are needed', () => {
    const typed = { tools: [{ type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' }] };
    expect(good(typed).needs).toMatchObject({ tools: true, clientTools: true });
    const source = { type: 'text', media_type: 'text/plain', data: 'abc' };
    expect(good(user({ type: 'document', source })).needs.documents).toBe(true);
  });

  it.each([
    [{ type: 'enabled', budget_tokens: 1_024 }, 'low', true],
    [{ type: 'enabled', budget_tokens: 4_095 }, 'low', true],
    [{ type: 'enabled', budget_tokens: 4_096 }, 'medium', true],
    [{ type: 'enabled', budget_tokens: 16_384 }, 'high', true],
    [{ type: 'adaptive' }, 'high', true],
    [{ type: 'disabled' }, 'none', false],
  ])('maps the thinking %j to an effort', (thinking, effort, showsReasoning) => {
    expect(good({ thinking })).toMatchObject({ effort, showsReasoning, isEffortFromThinking: true });
  });

  it('lets the effort that is named count before that of the thinking', () => {
    const named = { output_config: { effort: 'low' } };
    expect(good({ ...named, thinking: { type: 'adaptive' } }).effort).toBe('low');
    expect(good({ ...named, thinking: { type: 'disabled' } }).effort).toBe('none');
    expect(good(named)).toMatchObject({ effort: 'low', isEffortFromThinking: false });
  });

  it('names what it drops, and refuses it when the request is strict', () => {
    const fields = { metadata: { user_id: SECRET }, service_tier: 'auto', speed: 'fast' };
    expect(good(fields).ignoredParams).toEqual(['speed', 'metadata', 'service_tier']);
    expect(refusal(fields, { strictParams: true })).toBe('unknown_parameter speed');
  });

  it('needs no limit to count tokens', () => {
    expect(good({ max_tokens: undefined }, { purpose: 'count' }).maxOutputTokens).toBeUndefined();
  });

  it('answers any damage with a code of the catalogue and quotes nothing of it', () => {
    const damage = fc.oneof(
      fc.constant(SECRET),
      fc.constant({ [SECRET]: SECRET }),
      fc.constant([SECRET]),
      fc.jsonValue(),
    );
    const sound = JSON.parse(AGENT) as Record<string, unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(sound)), damage, (name, value) => {
        const result = parseMessagesRequest(JSON.stringify({ ...sound, [name]: value }));
        if (result.ok) return;
        expect(ERROR_CODES).toContain(result.error.code);
        expect(JSON.stringify(result.error)).not.toContain(SECRET);
      }),
    );
  });
});
