import Anthropic from '@anthropic-ai/sdk';
import { type FaultySupplier, sendRequest, startFaultySupplier } from '@opengrid/testing';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../ports/supply.ts';
import { ANTHROPIC_CAPABILITIES, RESPONSES_CAPABILITIES } from '../suppliers/capabilities.ts';
import { endpointOf, giveUnits, KEY, openMarket, startWorld, type World } from './testing.ts';

let supplier: FaultySupplier;
let world: World;

const WIRES: readonly Partial<Endpoint>[] = [
  { wire: 'openai' },
  { wire: 'anthropic', authStyle: 'x-api-key', capabilities: ANTHROPIC_CAPABILITIES },
  { wire: 'openai-responses', capabilities: RESPONSES_CAPABILITIES },
];

const PATHS = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  'openai-responses': '/v1/responses',
};

afterEach(async () => {
  await world.close();
  await supplier.close();
});

async function start(changes: Partial<Endpoint>): Promise<void> {
  supplier = await startFaultySupplier();
  world = await startWorld({ endpoints: [endpointOf(supplier, changes)] });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
}

const question = 'How is the market today?';
const parameters = { type: 'object', properties: { where: { type: 'string' } } };

/** Each surface asked for text and for a call of a tool: what the client library makes of it. */
const surfaces = [
  {
    name: 'chat completions',
    ask: async (isStream: boolean) => {
      const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY, maxRetries: 0 });
      const body = {
        model: 'text-standard',
        messages: [{ role: 'user' as const, content: question }],
        tools: [{ type: 'function' as const, function: { name: 'look', parameters } }],
      };
      const answer = isStream
        ? await client.chat.completions
            .stream({ ...body, stream_options: { include_usage: true } })
            .finalChatCompletion()
        : await client.chat.completions.create(body);
      const { message, finish_reason: stop } = answer.choices[0]!;
      const [call] = message.tool_calls ?? [];
      return {
        text: message.content ?? '',
        call: call?.type === 'function' ? [call.function.name, call.function.arguments] : undefined,
        stop,
        usage: [answer.usage?.prompt_tokens, answer.usage?.completion_tokens],
      };
    },
    stops: ['stop', 'tool_calls'],
  },
  {
    name: 'messages',
    ask: async (isStream: boolean) => {
      const client = new Anthropic({ baseURL: world.url, apiKey: KEY, maxRetries: 0 });
      const body: Anthropic.MessageCreateParamsNonStreaming = {
        model: 'text-standard',
        max_tokens: 1_000,
        messages: [{ role: 'user', content: question }],
        tools: [{ name: 'look', input_schema: { ...parameters, type: 'object' } }],
      };
      const answer = isStream
        ? await client.messages.stream(body).finalMessage()
        : await client.messages.create(body);
      const call = answer.content.find((block) => block.type === 'tool_use');
      const texts = answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
      return {
        text: texts.join(''),
        call: call && [call.name, JSON.stringify(call.input)],
        stop: answer.stop_reason,
        usage: [answer.usage.input_tokens, answer.usage.output_tokens],
      };
    },
    stops: ['end_turn', 'tool_use'],
  },
  {
    name: 'responses',
    ask: async (isStream: boolean) => {
      const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY, maxRetries: 0 });
      const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
        model: 'text-standard',
        input: question,
        tools: [{ type: 'function', name: 'look', parameters, strict: false }],
      };
      const answer = isStream
        ? await client.responses.stream(body as Parameters<typeof client.responses.stream>[0]).finalResponse()
        : await client.responses.create(body);
      const call = (answer.output as OpenAI.Responses.ResponseOutputItem[]).find(
        (item) => item.type === 'function_call',
      );
      return {
        text: answer.output_text,
        call: call && [call.name, call.arguments],
        stop: answer.status,
        usage: [answer.usage?.input_tokens, answer.usage?.output_tokens],
      };
    },
    stops: ['completed', 'completed'],
  },
] as const;

const ways = ['whole', 'streamed'] as const;

describe.each(WIRES)('over a supplier on the $wire wire', (endpoint) => {
  describe.each(surfaces)('$name', ({ ask, stops }) => {
    it.each(ways)('gives text, reason and usage, %s', async (way) => {
      await start(endpoint);
      const answer = await ask(way === 'streamed');
      expect(answer.text.split(' ')).toHaveLength(20);
      expect(answer.stop).toBe(stops[0]);
      const [settlement] = world.sequencer.settlements;
      const { inputTokens, outputTokens } = settlement!.receipt;
      expect(answer.usage).toEqual([inputTokens, outputTokens]);
      expect(outputTokens).toBe(20);
      expect(supplier.requests[0]?.path).toBe(PATHS[endpoint.wire!]);
      expect(settlement?.receipt).toMatchObject({ status: 'reconciled', usageSource: 'supplier' });
    });

    it.each(ways)('gives calls of tools, %s', async (way) => {
      await start(endpoint);
      const toolCalls = [{ name: 'look', argumentsJson: '{"where":"here"}' }];
      supplier.setBehaviour({
        kind: 'answer',
        text: '',
        pieces: [],
        toolCalls,
        usage: { promptTokens: 9, completionTokens: 7 },
      });
      const answer = await ask(way === 'streamed');
      expect(answer.call).toEqual(['look', '{"where":"here"}']);
      expect(answer.stop).toBe(stops[1]);
      expect(world.sequencer.settlements[0]?.receipt.status).toBe('reconciled');
    });
  });
});

describe('an endpoint on the Anthropic wire', () => {
  beforeEach(() =>
    start({ ...WIRES[1], capabilities: { ...ANTHROPIC_CAPABILITIES, betaFlags: ['known-2025-01-01'] } }),
  );

  const post = (body: object, headers: Record<string, string> = {}) =>
    sendRequest({ url: `${world.url}/v1/messages`, key: KEY, body, headers });
  const body = {
    model: 'text-standard',
    max_tokens: 4_000,
    messages: [{ role: 'user', content: question }],
  };

  it('is told the version, the flags that the operator allows, and never who asks', async () => {
    const headers = {
      'anthropic-beta': 'unknown-2030-01-01, known-2025-01-01',
      'anthropic-version': '2023-01-01',
    };
    await post({ ...body, metadata: { user_id: 'someone' } }, headers);
    const [request] = supplier.requests;
    expect(request?.headers).toMatchObject({
      'anthropic-version': '2023-01-01',
      'anthropic-beta': 'known-2025-01-01',
      'x-api-key': supplier.apiKey,
    });
    expect(request?.headers.authorization).toBeUndefined();
    expect(request?.bodyText).not.toContain('someone');
    await post(body);
    expect(supplier.requests[1]?.headers['anthropic-version']).toBe('2023-06-01');
  });

  it('gets its own proofs of reasoning back, which nobody else can read or make', async () => {
    supplier.setBehaviour({ kind: 'answer', reasoning: 'Let me think of it.' });
    const thinking = { type: 'enabled', budget_tokens: 2_000 };
    const answer = await post({ ...body, thinking });
    const content = (answer.json as { content: { type: string; signature?: string }[] }).content;
    const [block] = content;
    expect([block?.type, block?.signature?.startsWith('og1.')]).toEqual(['thinking', true]);
    const again = (blocks: unknown) =>
      post({
        ...body,
        thinking,
        messages: [...body.messages, { role: 'assistant', content: blocks }, body.messages[0]],
      });
    await again(content);
    expect(supplier.requests[1]?.bodyText).toContain('c2lnbmF0dXJlIG9mIHRoZSBkb3VibGU=');
    await again([
      { ...block, signature: `${block?.signature}x` },
      { type: 'text', text: 'So.' },
    ]);
    expect(supplier.requests[2]?.bodyText).not.toContain('"thinking":"Let me');
  });

  it('that refuses a proof is asked once more without earlier reasoning', async () => {
    supplier.setBehaviour({ kind: 'answer', reasoning: 'Let me think of it.' });
    const thinking = { type: 'enabled', budget_tokens: 2_000 };
    const first = await post({ ...body, thinking });
    const { content } = first.json as { content: unknown };
    supplier.enqueue({ kind: 'error', status: 400 });
    const messages = [...body.messages, { role: 'assistant', content }, body.messages[0]];
    const answer = await post({ ...body, thinking, messages });
    expect([answer.status, supplier.requests.length]).toEqual([200, 3]);
    expect(supplier.requests[2]?.bodyText).not.toContain('Let me think');
  });

  it('is asked for documents, which other wires cannot carry', async () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' };
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'document', source },
          { type: 'text', text: question },
        ],
      },
    ];
    expect((await post({ ...body, messages })).status).toBe(200);
    expect(supplier.requests[0]?.bodyText).toContain('JVBERi0x');
    world.endpoints.splice(0, 1, endpointOf(supplier));
    const refused = await post({ ...body, messages });
    expect([refused.status, refused.headers['x-grid-error-code']]).toEqual([422, 'unsupported_value']);
  });
});
