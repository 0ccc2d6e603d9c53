import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { type FaultySupplier, startFaultySupplier } from '@opengrid/testing';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointOf, giveUnits, KEY, openMarket, startWorld, type World } from './testing.ts';

// It tells its users on the console that it does not know our models.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

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

const models = [
  ['chat', () => createOpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY }).chat('text-standard')],
  ['responses', () => createOpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY }).responses('text-standard')],
  ['messages', () => createAnthropic({ baseURL: `${world.url}/v1`, apiKey: KEY })('text-standard')],
] as const;

describe.each(models)('the Vercel AI SDK over %s', (_name, modelOf) => {
  it('streams a text', async () => {
    const result = streamText({ model: modelOf(), prompt: 'How is the market today?', maxRetries: 0 });
    let text = '';
    for await (const piece of result.textStream) text += piece;
    expect(text.split(' ')).toHaveLength(20);
    expect(await result.finishReason).toBe('stop');
    expect(await result.usage).toMatchObject({ inputTokens: 8, outputTokens: 20 });
    expect(world.sequencer.settledTokens()).toBe(28);
  });

  it('runs a tool and goes on with its result', async () => {
    supplier.enqueue({
      kind: 'answer',
      pieces: [],
      toolCalls: [{ id: 'call_first', name: 'look', argumentsJson: '{"where":"here"}' }],
      usage: { promptTokens: 9, completionTokens: 7 },
    });
    const seen: unknown[] = [];
    const schema = {
      type: 'object',
      properties: { where: { type: 'string' } },
      required: ['where'],
    } as const;
    const look = tool({
      description: 'Looks somewhere.',
      inputSchema: jsonSchema<{ where: string }>(schema),
      execute: async (input) => {
        seen.push(input);
        return 'nothing there';
      },
    });
    const prompt = 'How is the market today?';
    const options = { model: modelOf(), prompt, tools: { look }, stopWhen: stepCountIs(3), maxRetries: 0 };
    const { text, steps } = await generateText(options);
    expect(seen).toEqual([{ where: 'here' }]);
    expect([steps.length, text.split(' ').length]).toEqual([2, 20]);
    expect(JSON.stringify(supplier.requests[1]?.body)).toContain('nothing there');
  });
});
