import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../sse/parser.ts';
import { dialectOfWire, dialects, type WireName } from './dialects.ts';
import type { DialectName } from './model.ts';
import { COUNTED, envelopeOf, REQUEST_ID, relayText, TRANSCRIPTS, upstreamTranscript } from './testing.ts';

// The first parties' own packages read our streams, and must end with what we print as a whole answer.

function wireOf(name: string): WireName {
  if (name.startsWith('anthropic')) return 'anthropic';
  return name.startsWith('responses') ? 'openai-responses' : 'openai';
}

const SOUND = TRANSCRIPTS.filter(
  (name) => relayText(wireOf(name), 'chat', upstreamTranscript(name)).error === undefined,
);
const BROKEN = TRANSCRIPTS.filter((name) => !SOUND.includes(name));

/** Answers every request with one stream. */
function fetchOf(name: string, surface: DialectName): typeof fetch {
  const { text } = relayText(wireOf(name), surface, upstreamTranscript(name));
  return async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

/** The same answer, printed whole. */
function wholeOf(name: string, surface: DialectName): Record<string, unknown> {
  const wire = wireOf(name);
  const reader = dialects[dialectOfWire(wire)].newStreamReader(REQUEST_ID);
  const { events } = new SseParser().push(new TextEncoder().encode(upstreamTranscript(name)));
  const read = [...events.flatMap(({ data }) => reader.push(data)), ...reader.end()];
  const usage = read.find((event) => event.type === 'usage')?.usage ?? COUNTED;
  return JSON.parse(dialects[surface].writeAnswer(read, envelopeOf(surface), usage)) as Record<
    string,
    unknown
  >;
}

interface Completion {
  readonly choices: readonly [{ readonly message: Record<string, unknown>; readonly finish_reason: string }];
  readonly system_fingerprint?: unknown;
}

const messages = [{ role: 'user' as const, content: 'hi' }];

async function byAnthropic(name: string): Promise<object> {
  const client = new Anthropic({ apiKey: 'k', maxRetries: 0, fetch: fetchOf(name, 'messages') });
  return await client.messages.stream({ model: 'm', max_tokens: 100, messages }).finalMessage();
}

async function byOpenAiResponses(name: string): Promise<object> {
  const client = new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: fetchOf(name, 'responses') });
  return await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
}

async function byOpenAiChat(name: string): Promise<unknown> {
  const client = new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: fetchOf(name, 'chat') });
  const stream = client.chat.completions.stream({
    model: 'm',
    messages,
    stream_options: { include_usage: true },
  });
  return await stream.finalChatCompletion();
}

describe.each(SOUND)('the stream of %s', (name) => {
  it('is the whole message to the package of the Messages API', async () => {
    const { content, ...rest } = wholeOf(name, 'messages');
    const final = (await byAnthropic(name)) as { content: object[] };
    expect(final).toMatchObject(rest);
    expect(final.content).toMatchObject(content as object[]);
    expect(final.content).toHaveLength((content as object[]).length);
  });

  it('is the whole response to the package of the Responses API', async () => {
    expect(await byOpenAiResponses(name)).toMatchObject(wholeOf(name, 'responses'));
  });

  it('is the whole completion to the package of the Chat API', async () => {
    // The package keeps neither an empty fingerprint nor the reasoning, which its types do not know.
    const { choices, system_fingerprint: _empty, ...rest } = wholeOf(name, 'chat') as unknown as Completion;
    const [choice] = choices;
    const { reasoning_content: _reasoning, ...message } = choice.message;
    const final = (await byOpenAiChat(name)) as Completion;
    expect(final).toMatchObject(rest);
    expect(final.choices[0].message).toMatchObject(message);
    expect(final.choices[0].finish_reason).toBe(choice.finish_reason);
  });
});

describe.each(BROKEN)('the broken stream of %s', (name) => {
  it('is an error to every package, never a short answer', async () => {
    const text = /supplier failed|upstream_error|ended/i;
    await expect(byAnthropic(name)).rejects.toThrow(text);
    await expect(byOpenAiResponses(name)).rejects.toThrow(text);
    await expect(byOpenAiChat(name)).rejects.toThrow(text);
  });
});
