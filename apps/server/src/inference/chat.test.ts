import { type FaultySupplier, startFaultySupplier } from '@opengrid/testing';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointOf, giveUnits, KEY, openMarket, SUPPLIER, startWorld, type World } from './testing.ts';

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

const ask = {
  model: 'text-standard',
  messages: [{ role: 'user' as const, content: 'How is the market today?' }],
};

describe('chat completions', () => {
  it('answers in one piece, settled before the body', async () => {
    const { data, response } = await client.chat.completions.create(ask).withResponse();
    expect(data.choices[0]?.message.content).toContain('market');
    expect(data.model).toBe('openai/gpt-oss-120b');
    expect(data.usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 20, total_tokens: 28 });
    const requestId = response.headers.get('x-grid-request-id') ?? '';
    expect(data.id).toBe(`chatcmpl-${requestId.slice(4)}`);
    expect(response.headers.get('x-request-id')).toBe(requestId);
    const [settlement, ...others] = world.sequencer.settlements;
    expect(others).toEqual([]);
    expect(settlement?.receipt).toMatchObject({
      requestId,
      status: 'reconciled',
      inputTokens: 8,
      outputTokens: 20,
      usageSource: 'supplier',
      finishReason: 'stop',
      isStream: false,
    });
    expect(settlement?.command).toMatchObject({ servedBy: SUPPLIER, failedObligors: [] });
    expect(world.sequencer.settledTokens()).toBe(28);
    expect(world.sequencer.earmarks.heldTokens(202, 1)).toBe(0);
  });

  it('streams, with usage only where asked, settled before the end', async () => {
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text.split(' ')).toHaveLength(20);
    expect(usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 20 });
    expect(world.sequencer.settlements).toHaveLength(1);
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({
      isStream: true,
      usageSource: 'supplier',
    });
  });
});
