import { type FaultySupplier, sendRequest, startFaultySupplier } from '@opengrid/testing';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointOf, giveUnits, KEY, openMarket, startWorld, type World } from './testing.ts';

let supplier: FaultySupplier;
let world: World;
let client: OpenAI;

beforeEach(async () => {
  supplier = await startFaultySupplier();
  world = await startWorld({ endpoints: [endpointOf(supplier)] });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
  client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY, maxRetries: 0 });
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

const ask = { model: 'text-standard', input: 'How is the market today?' };

describe('Responses through the official client', () => {
  it('answers in one piece, settled before the body, and says that nothing is stored', async () => {
    const answer = await client.responses.create({ ...ask, store: true, metadata: { team: 'a' } });
    expect(answer).toMatchObject({ object: 'response', status: 'completed', store: false, error: null });
    expect(answer.id).toMatch(/^resp_[0-9a-z]{26}$/);
    expect(answer.output_text).toContain('market');
    expect(answer.metadata).toEqual({ team: 'a' });
    expect(answer.usage).toMatchObject({ input_tokens: 8, output_tokens: 20, total_tokens: 28 });
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({
      route: '/v1/responses',
      status: 'reconciled',
    });
    expect(JSON.stringify(supplier.requests[0]?.body)).not.toContain('team');
  });

  it('streams numbered events to one end', async () => {
    const stream = await client.responses.create({ ...ask, stream: true });
    const events: { type: string; sequence_number: number }[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect([events[0]?.type, events[1]?.type, events.at(-1)?.type]).toEqual([
      'response.created',
      'response.in_progress',
      'response.completed',
    ]);
    expect(world.sequencer.settledTokens()).toBe(28);
  });

  it('calls tools and takes their results back', async () => {
    supplier.setBehaviour({
      kind: 'answer',
      text: '',
      toolCalls: [{ name: 'look', argumentsJson: '{"where":"here"}' }],
    });
    const tools = [
      { type: 'function' as const, name: 'look', parameters: { type: 'object' }, strict: false },
    ];
    const first = await client.responses.create({ ...ask, tools });
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call).toMatchObject({ name: 'look', arguments: '{"where":"here"}' });
    supplier.setBehaviour({ kind: 'answer' });
    const input = [
      { role: 'user' as const, content: ask.input },
      { type: 'function_call' as const, call_id: 'call_1', name: 'look', arguments: '{}' },
      { type: 'function_call_output' as const, call_id: 'call_1', output: 'nothing' },
    ];
    await client.responses.create({ ...ask, input, tools });
    expect(supplier.requests[1]?.body).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'tool', tool_call_id: 'call_1' }],
    });
  });

  it('refuses by name what would need stored state', async () => {
    const refused = [
      { previous_response_id: 'resp_1' },
      { background: true },
      { conversation: 'conv_1' },
      { input: [{ type: 'item_reference', id: 'msg_1' }] },
    ];
    for (const fields of refused) {
      const answer = await sendRequest({
        url: `${world.url}/v1/responses`,
        key: KEY,
        body: { ...ask, ...fields },
      });
      expect([answer.status, answer.headers['x-grid-error-code']]).toEqual([400, 'unsupported_parameter']);
    }
    await expect(client.responses.retrieve('resp_01jz3v8m2k7f9q0x4w6t5s1r8p')).rejects.toMatchObject({
      status: 404,
      code: 'response_not_found',
    });
    expect(world.sequencer.settlements).toHaveLength(0);
  });

  it('ends with an error event when the supplier dies midway', async () => {
    supplier.setBehaviour({ kind: 'answer', ending: 'reset', chunkCount: 5 });
    const body = { ...ask, stream: true };
    const answer = await sendRequest({ url: `${world.url}/v1/responses`, key: KEY, body });
    expect(answer.text).toContain('event: error');
    expect(answer.text).not.toContain('response.completed');
    expect(world.sequencer.settledTokens()).toBe(0);
  });
});

describe('what is asked about earlier responses', () => {
  it('is answered before a body is read, and to nobody without a key', async () => {
    const sent = await fetch(`${world.url}/v1/responses/resp_1/cancel`, {
      method: 'POST',
      body: new ReadableStream({
        // A body that never ends: who waits for it waits for ever.
        pull: (controller) => controller.enqueue(new Uint8Array(1_024)),
      }),
      duplex: 'half',
      signal: AbortSignal.timeout(5_000),
    } as RequestInit);
    expect(sent.status).toBe(401);
  });
});
