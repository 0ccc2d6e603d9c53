import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import type { JsonObject } from '../json/parse.ts';
import { dialects, type WireName, writeUpstreamBody } from './dialects.ts';
import type { DialectName } from './model.ts';
import type { InferenceRequest } from './request.ts';
import { reasoningSeal } from './seal.ts';
import { ALL_CAPABILITIES, SEAL, SURFACES } from './testing.ts';
import type { Upstream } from './upstream.ts';

// What coding agents send, beside what a supplier of each wire is sent of it.
const WIRES: readonly WireName[] = ['openai', 'anthropic', 'openai-responses'];
const PAIRS = SURFACES.flatMap((surface) => WIRES.map((wire) => [surface, wire] as const));
const SECRET = 'canary-7f3a';
const UPSTREAM: Upstream = {
  upstreamModel: 'inner-model',
  capabilities: ALL_CAPABILITIES,
  maxOutputTokens: 32_000,
};

function read(surface: DialectName, fields: object): InferenceRequest {
  const result = dialects[surface].readRequest(JSON.stringify(fields));
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}`);
  return result.value;
}

function agentRequest(surface: DialectName): JsonObject {
  const url = new URL(`requests/coding-agent.${surface}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as JsonObject;
}

interface Sent {
  readonly body: Record<string, unknown>;
  readonly ignoredParams: readonly string[];
}

function send(request: InferenceRequest, wire: WireName, upstream: Partial<Upstream> = {}): Sent {
  const written = writeUpstreamBody(request, wire, { ...UPSTREAM, ...upstream });
  if (!written.ok) throw new Error(`${written.error.code} ${written.error.param}`);
  const { json, ignoredParams } = written.value;
  return { body: JSON.parse(openContent(json)) as Record<string, unknown>, ignoredParams };
}

const able = (change: object) => ({ capabilities: { ...ALL_CAPABILITIES, ...change } });
const message = (...content: object[]) => ({
  model: 'm',
  max_tokens: 4000,
  messages: [{ role: 'user', content }],
});
const hi = message({ type: 'text', text: 'hi' });

describe.each(PAIRS)('what a coding agent sends on %s to a supplier of %s', (surface, wire) => {
  it('is all there, and the rest is named', async () => {
    const { body, ignoredParams } = send(read(surface, agentRequest(surface)), wire);
    const text = JSON.stringify({ ignoredParams, body }, null, 2);
    await expect(`${text}\n`).toMatchFileSnapshot(`requests/coding-agent.${surface}.${wire}.txt`);
    expect(text).not.toContain(SECRET);
  });
});

describe('reasoning that an endpoint sealed', () => {
  const thinking = {
    type: 'thinking',
    thinking: 'Hm.',
    signature: SEAL.wrap({ kind: 'signature', value: 'S+/==' }),
  };
  const redacted = { type: 'redacted_thinking', data: SEAL.wrap({ kind: 'redacted', value: 'R+/==' }) };
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: [thinking, redacted, { type: 'text', text: 'Hi.' }] },
    { role: 'user', content: 'go on' },
  ];
  const request = read('messages', { model: 'm', max_tokens: 4000, messages });
  const blocksFor = (upstream: Partial<Upstream>) => {
    return (send(request, 'anthropic', upstream).body.messages as { content: unknown }[])[1]?.content;
  };
  const opened = [
    { type: 'thinking', thinking: 'Hm.', signature: 'S+/==' },
    { type: 'redacted_thinking', data: 'R+/==' },
    { type: 'text', text: 'Hi.' },
  ];

  it('goes back to it byte for byte', () => {
    expect(blocksFor({ seal: SEAL })).toEqual(opened);
  });

  it.each([
    ['another endpoint', { seal: reasoningSeal('key of tests', 'endpoint_2') }],
    ['an endpoint under another key', { seal: reasoningSeal('other key', 'endpoint_1') }],
    ['an endpoint without a seal', {}],
    ['an endpoint that refused it before', { seal: SEAL, withoutReasoning: true }],
  ])('does not go to %s', (_name, upstream) => {
    expect(blocksFor(upstream)).toEqual(opened.slice(2));
  });

  it('goes through a client of another dialect', () => {
    const { signature } = thinking;
    const input = [
      { role: 'user', content: 'hi' },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: signature },
      { type: 'reasoning', summary: [], encrypted_content: redacted.data },
      { role: 'assistant', content: 'Hi.' },
      { role: 'user', content: 'go on' },
    ];
    const sent = send(read('responses', { model: 'm', input }), 'anthropic', { seal: SEAL });
    expect((sent.body.messages as { content: unknown }[])[1]?.content).toEqual(opened);
    const encrypted = send(request, 'openai-responses', { seal: SEAL }).body.input;
    expect(encrypted).toContainEqual({ type: 'reasoning', summary: [], encrypted_content: 'R+/==' });
  });

  it.each([
    ['a changed value', (sealed: string) => `${sealed}x`],
    ['a changed kind', (sealed: string) => sealed.replace('og1.s.', 'og1.r.')],
    ['no seal', () => 'S+/=='],
    ['nothing', () => ''],
  ])('is not opened with %s', (_name, change) => {
    expect(SEAL.unwrap(change(thinking.signature))).toBeUndefined();
  });
});

describe('what an endpoint cannot do', () => {
  it.each([
    [
      'documents',
      message({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a' } }),
      'messages',
    ],
    ['typed tools', { ...hi, tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'tools'],
  ])('is refused for %s, on any wire', (_name, fields, param) => {
    const request = read('messages', fields);
    for (const wire of WIRES) {
      const upstream = { ...UPSTREAM, ...able({ documents: false, clientTools: false }) };
      expect(writeUpstreamBody(request, wire, upstream)).toMatchObject({
        error: { code: 'unsupported_value', param },
      });
    }
    expect(writeUpstreamBody(request, 'anthropic', UPSTREAM).ok).toBe(true);
    expect(writeUpstreamBody(request, 'openai', UPSTREAM).ok).toBe(false);
  });

  it('is refused for tools that take free text, wherever they are not offered', () => {
    const request = read('responses', {
      model: 'm',
      input: 'hi',
      tools: [{ type: 'custom', name: 'patch' }],
    });
    expect(request.needs).toMatchObject({ customTools: true });
    expect(send(request, 'openai-responses').body.tools).toEqual([{ type: 'custom', name: 'patch' }]);
    for (const wire of WIRES) {
      const upstream = { ...UPSTREAM, ...able({ customTools: false }) };
      expect(writeUpstreamBody(request, wire, upstream)).toMatchObject({
        error: { code: 'unsupported_value', param: 'tools' },
      });
    }
  });

  it('is named, in the words of the client', () => {
    const fields = {
      ...hi,
      context_management: { edits: [] },
      top_k: 5,
      stop_sequences: ['a', 'b', 'c', 'd', 'e'],
      output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
      tools: [
        { name: 'f', input_schema: { type: 'object' }, strict: true, cache_control: { type: 'ephemeral' } },
      ],
    };
    const { ignoredParams } = send(
      read('messages', fields),
      'openai',
      able({ efforts: [], jsonSchema: false }),
    );
    expect([...ignoredParams].sort()).toEqual([
      'cache_control',
      'context_management',
      'output_config.effort',
      'output_config.format',
      'stop_sequences',
      'tools.strict',
      'top_k',
    ]);
  });

  it('is left out of a relayed request, too, and named', () => {
    const fields = {
      ...message({ type: 'text', text: 'hi', cache_control: { type: 'ephemeral', ttl: '1h' } }),
      context_management: { edits: [] },
      thinking: { type: 'adaptive' },
    };
    const { body, ignoredParams } = send(read('messages', fields), 'anthropic', {
      capabilities: { temperature: true },
    });
    expect(JSON.stringify(body)).not.toMatch(/cache_control|context_management|thinking/);
    expect([...ignoredParams].sort()).toEqual(['cache_control', 'context_management', 'thinking']);
    const whole = send(read('messages', fields), 'anthropic');
    expect(whole.ignoredParams).toEqual([]);
    expect(JSON.stringify(whole.body)).toContain('"cache_control":{"type":"ephemeral","ttl":"5m"}');
  });
});

describe('a round of calls whose reasoning is left out', () => {
  const signature = SEAL.wrap({ kind: 'signature', value: 'S' });
  const call = { type: 'tool_use', id: 'a', name: 'f', input: {} };
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature }, call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'x' }] },
  ];
  const thinking = { type: 'enabled', budget_tokens: 2_000 };
  const fields = {
    model: 'm',
    max_tokens: 4_000,
    thinking,
    messages,
    tools: [{ name: 'f', input_schema: {} }],
  };
  const request = read('messages', fields);

  it('goes on without a budget, which the wire would refuse, and says so', () => {
    const budget = { ...able({ thinking: 'budget' }), seal: SEAL };
    expect(send(request, 'anthropic', budget)).toMatchObject({ body: { thinking }, ignoredParams: [] });
    const bare = send(request, 'anthropic', { ...budget, withoutReasoning: true });
    expect(bare.body).not.toHaveProperty('thinking');
    expect(bare.ignoredParams).toEqual(['thinking']);
  });

  it('leaves nothing of a turn that was only reasoning', () => {
    const only = [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature }] }];
    const { body } = send(
      read('messages', { ...fields, messages: [messages[0], ...only, messages[0]] }),
      'openai',
    );
    expect(body.messages).toEqual([messages[0], messages[0]]);
  });
});

describe('reasoning on the Anthropic wire', () => {
  const chat = {
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    reasoning_effort: 'high',
    temperature: 0.5,
  };
  // A budget needs no list of efforts.
  const budget = able({ thinking: 'budget', efforts: [] });

  it('is left to the model or has a budget inside the limit, and takes no temperature', () => {
    const adaptive = send(read('chat', chat), 'anthropic');
    expect(adaptive.body).toMatchObject({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
    });
    expect(adaptive.body).not.toHaveProperty('temperature');
    expect(adaptive.ignoredParams).toEqual(['temperature']);
    const { body } = send(read('chat', chat), 'anthropic', { ...budget, maxOutputTokens: 6_000 });
    expect(body).toMatchObject({ max_tokens: 6_000, thinking: { type: 'enabled', budget_tokens: 3_000 } });
  });

  it.each([
    ['the limit is too small for it', { maxOutputTokens: 1_500 }, {}],
    ['a tool is forced', {}, { tool_choice: 'required' }],
  ])('is left out and named when %s', (_name, upstream, fields) => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const { body, ignoredParams } = send(read('chat', { ...chat, tools, ...fields }), 'anthropic', {
      ...budget,
      ...upstream,
    });
    expect(body).not.toHaveProperty('thinking');
    expect(ignoredParams).toEqual(['reasoning_effort']);
    expect(body.temperature).toBe(0.5);
  });

  it('does not begin in the middle of a round of calls, which the wire refuses with a budget', () => {
    const calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }];
    const messages = [
      ...chat.messages,
      { role: 'assistant', tool_calls: calls },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ];
    const request = read('chat', {
      ...chat,
      messages,
      tools: [{ type: 'function', function: { name: 'f' } }],
    });
    expect(send(request, 'anthropic', budget).body).not.toHaveProperty('thinking');
    expect(send(request, 'anthropic').body).toHaveProperty('thinking');
  });

  it('is off without a word when it is not wanted', () => {
    const { body, ignoredParams } = send(read('chat', { ...chat, reasoning_effort: 'none' }), 'anthropic');
    expect(body).not.toHaveProperty('thinking');
    expect(ignoredParams).toEqual([]);
  });
});
