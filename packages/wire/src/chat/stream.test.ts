import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { gridError } from '../errors/grid-error.ts';
import { SseParser } from '../sse/parser.ts';
import { ChatStreamRewriter, type ChatStreamStep, doneEvent, errorEvent } from './stream.ts';

const SECRET = 'canary-7f3a';
const ENVELOPE = {
  completionId: 'chatcmpl-01',
  createdSeconds: 1_767_225_600,
  servedModel: 'openai/gpt-oss-120b',
};
const USAGE = { inputUncached: 8, cacheRead: 4, cacheWrite5m: 0, cacheWrite1h: 0, output: 9, reasoning: 5 };
const HEAD = {
  id: 'chatcmpl-01',
  object: 'chat.completion.chunk',
  created: 1_767_225_600,
  model: 'openai/gpt-oss-120b',
  service_tier: 'default',
  system_fingerprint: null,
};

interface Printed {
  choices: { index: number; delta: Record<string, unknown>; finish_reason: string | null }[];
}

/** Sends a chunk of a supplier that decorates everything it says. */
function chunk(fields: object): string {
  const envelope = { id: 'gen-1', object: 'x', created: 5, model: 'inner-model', provider: 'p', x_groq: {} };
  return JSON.stringify({ ...envelope, ...fields });
}

const say = (delta: object, finish_reason: string | null = null, index = 0) => {
  return chunk({ choices: [{ index, delta, finish_reason, native_finish_reason: 'x', matched_stop: null }] });
};

function run(events: readonly string[]): {
  steps: ChatStreamStep[];
  chunks: Printed[];
  rewriter: ChatStreamRewriter;
} {
  const rewriter = new ChatStreamRewriter(ENVELOPE);
  const steps = events.map((event) => rewriter.push(event));
  const parser = new SseParser();
  const sent = parser.push(new TextEncoder().encode(steps.map(({ output }) => output).join(''))).events;
  return { steps, chunks: sent.map(({ data }) => JSON.parse(data) as Printed), rewriter };
}

const deltasOf = (events: readonly string[]) => run(events).chunks.map(({ choices }) => choices[0]?.delta);

describe('ChatStreamRewriter', () => {
  it('replaces the envelope and keeps the content', () => {
    const { steps, chunks, rewriter } = run([
      say({ role: 'assistant', content: '' }),
      say({ content: 'Hé "\n€', extra: 1 }),
      say({}, 'stop'),
      chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }),
      '[DONE]',
    ]);
    const choice = { index: 0, finish_reason: null };
    expect(chunks).toEqual([
      { ...HEAD, choices: [{ ...choice, delta: { role: 'assistant', content: '' } }] },
      { ...HEAD, choices: [{ ...choice, delta: { content: 'Hé "\n€' } }] },
      { ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    ]);
    expect(steps.map(({ hasContent }) => hasContent)).toEqual([false, true, false, false, false]);
    expect(steps[1]).toMatchObject({ textDelta: 'Hé "\n€', upstreamModel: 'inner-model', isDone: false });
    expect(steps[2]?.finishReason).toBe('stop');
    expect(steps[3]).toMatchObject({ output: '', usage: { inputUncached: 3, output: 2 } });
    expect(steps[4]).toEqual({ output: '', hasContent: false, textDelta: '', isDone: true });
    expect(rewriter.isComplete).toBe(true);
  });

  it('prints each event on one line with exactly one space', () => {
    const { steps } = run([say({ content: 'a\nb' })]);
    expect(steps[0]?.output).toMatch(/^data: \{[^\n]*\}\n\n$/);
  });

  it('gives a role to the first delta of each choice, and to no other', () => {
    const events = [
      say({ content: 'a' }),
      say({ role: 'assistant', content: 'b' }),
      say({ content: 'c' }, null, 1),
    ];
    expect(deltasOf(events)).toEqual([
      { role: 'assistant', content: 'a' },
      { content: 'b' },
      { role: 'assistant', content: 'c' },
    ]);
  });

  it('calls reasoning by one name', () => {
    expect(
      deltasOf([say({ reasoning: 'hm', reasoning_details: [] }), say({ reasoning_content: 'so' })]),
    ).toEqual([{ role: 'assistant', reasoning_content: 'hm' }, { reasoning_content: 'so' }]);
    expect(run([say({ reasoning: 'hm' })]).steps[0]).toMatchObject({ hasContent: true, textDelta: 'hm' });
  });

  it('strips usage from chunks that also say something', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1 };
    const { steps, chunks } = run([chunk({ choices: [{ index: 0, delta: { content: 'a' } }], usage })]);
    expect(chunks[0]).not.toHaveProperty('usage');
    expect(steps[0]?.usage).toMatchObject({ output: 1 });
  });

  it('tells no usage from a usage of zero', () => {
    const empty = chunk({ choices: [], usage: null });
    const zero = chunk({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } });
    const { steps } = run([empty, zero]);
    expect(steps[0]).not.toHaveProperty('usage');
    expect(steps[1]?.usage).toMatchObject({ inputUncached: 0, output: 0 });
  });

  it('copies logprobs', () => {
    const logprobs = { content: [{ token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [] }] };
    const { chunks } = run([chunk({ choices: [{ index: 0, delta: { content: 'a' }, logprobs }] })]);
    expect(chunks[0]?.choices[0]).toMatchObject({ logprobs });
  });

  it('names a tool call once and sends its arguments as text', () => {
    const piece = (fields: object) => say({ tool_calls: [{ index: 0, ...fields }] });
    const events = [
      piece({ id: 'c1', type: 'function', function: { name: 'f', arguments: '' }, extra: 1 }),
      piece({ id: 'c1', function: { name: 'f', arguments: '{"a"' } }),
      piece({ function: { arguments: ':1}' } }),
      say({ content: '', tool_calls: [] }),
    ];
    expect(deltasOf(events)).toEqual([
      {
        role: 'assistant',
        tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
      { content: '' },
    ]);
    expect(run(events).steps.map(({ textDelta }) => textDelta)).toEqual(['f', '{"a"', ':1}', '']);
  });

  it('numbers tool calls of suppliers that number every call 0, or send none of the members', () => {
    const call = (id: string) => ({ index: 0, id, function: { name: 'f', arguments: { x: 1 } } });
    const [first, second] = deltasOf([say({ tool_calls: [call('a')] }), say({ tool_calls: [call('b')] })]);
    expect(first?.tool_calls).toMatchObject([{ index: 0, id: 'a', function: { arguments: '{"x":1}' } }]);
    expect(second?.tool_calls).toMatchObject([{ index: 1, id: 'b' }]);
    expect(deltasOf([say({ tool_calls: [{}] })])[0]?.tool_calls).toEqual([
      { index: 0, id: 'call_chatcmpl-01_0_0', type: 'function', function: { name: '', arguments: '' } },
    ]);
  });

  it('says how a choice ended in the words of the dialect', () => {
    const endings: [string, string][] = [
      ['length', 'length'],
      ['function_call', 'tool_calls'],
      ['content_filter', 'content_filter'],
      ['eos', 'stop'],
    ];
    for (const [upstream, expected] of endings)
      expect(run([say({}, upstream)]).steps[0]?.finishReason).toBe(expected);
    expect(run([say({ content: 'a' }, '')]).chunks[0]?.choices[0]?.finish_reason).toBeNull();
  });

  it('is complete only when every choice has ended', () => {
    expect(run([]).rewriter.isComplete).toBe(false);
    expect(run(['[DONE]']).rewriter.isComplete).toBe(false);
    expect(run([say({ content: 'a' }), '[DONE]']).rewriter.isComplete).toBe(false);
    expect(run([say({}, 'stop'), say({}, null, 1)]).rewriter.isComplete).toBe(false);
    expect(run([say({}, 'stop'), say({}, 'stop', 1)]).rewriter.isComplete).toBe(true);
  });

  it('sends nothing for a choice that has ended', () => {
    expect(run([say({}, 'stop'), say({ content: '' }, 'stop')]).chunks).toHaveLength(1);
  });

  it('ends open choices when the exchange cuts the answer', () => {
    const { rewriter } = run([say({ content: 'a' }), say({ content: 'b' }, 'stop', 1)]);
    rewriter.push(say({ content: 'withheld' }, 'stop'));
    const cut = JSON.parse(rewriter.finishOpenChoices('length').slice('data: '.length)) as Printed;
    expect(cut).toEqual({ ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: 'length' }] });
    expect(rewriter.isComplete).toBe(true);
    expect(rewriter.finishOpenChoices('length')).toBe('');
  });

  it('prints the usage the exchange settled, in a chunk without choices', () => {
    const text = new ChatStreamRewriter(ENVELOPE).finalUsageChunk(USAGE);
    expect(JSON.parse(text.slice('data: '.length))).toEqual({
      ...HEAD,
      choices: [],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 9,
        total_tokens: 21,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
    });
  });

  it.each([
    'not json',
    '',
    '[]',
    'null',
    '{}',
    '{"choices":{}}',
    '{"choices":["x"]}',
    say({ content: ['x'] }),
    say({ tool_calls: {} }),
    say({ tool_calls: ['x'] }),
    say({}, 'error'),
    chunk({ choices: [{ index: -1, delta: {} }] }),
    chunk({ choices: [{ index: 0.5, delta: {} }] }),
    chunk({ choices: [{ index: 1e9, delta: {} }] }),
    chunk({ choices: [{ index: 0, delta: 'x' }] }),
    `{"choices":[{"index":0,"delta":{},"logprobs":${'['.repeat(50_000)}${']'.repeat(50_000)}}]}`,
  ])('takes garbage for what it is: %.60s', (event) => {
    expect(run([event]).steps[0]).toEqual({
      output: '',
      hasContent: false,
      textDelta: '',
      isDone: false,
      error: 'malformed',
    });
  });

  it("tells a supplier's error and keeps none of its text", () => {
    for (const event of [
      { error: { message: SECRET } },
      { error: SECRET },
      { object: 'error', message: SECRET },
    ]) {
      const step = run([JSON.stringify(event)]).steps[0];
      expect(step?.error).toBe('upstream_error');
      expect(JSON.stringify(step)).not.toContain(SECRET);
    }
  });

  it('never throws, and prints only whole events', () => {
    const delta = fc.dictionary(
      fc.constantFrom('content', 'reasoning', 'tool_calls', 'role', 'refusal'),
      fc.jsonValue(),
    );
    const choice = fc.dictionary(
      fc.constantFrom('index', 'delta', 'finish_reason', 'logprobs'),
      fc.jsonValue(),
    );
    const event = fc.oneof(
      fc.json(),
      fc.string(),
      fc.array(choice).map((choices) => JSON.stringify({ choices })),
      delta.map((value) => say(value)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 5 }), (events) => {
        for (const { output, error } of run(events).steps) {
          if (output !== '') expect(output).toMatch(/^data: \{.*\}\n\n$/);
          if (error !== undefined) expect(output).toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('delivers every character of the text, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const { steps, chunks } = run(texts.map((content) => say({ content })));
        expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual(texts);
        expect(steps.map(({ textDelta }) => textDelta)).toEqual(texts);
      }),
    );
  });
});

describe('through the openai package', () => {
  function clientOf(body: string): OpenAI {
    const headers = { 'content-type': 'text/event-stream' };
    const fetch = async () => new Response(body, { headers });
    return new OpenAI({ apiKey: 'sk-test', baseURL: 'http://localhost/v1', fetch, maxRetries: 0 });
  }

  function answer(events: readonly string[]): string {
    const { steps, rewriter } = run(events);
    return steps.map(({ output }) => output).join('') + rewriter.finalUsageChunk(USAGE) + doneEvent();
  }

  const request = { model: 'text-prime', messages: [{ role: 'user' as const, content: 'hi' }] };

  it('assembles text, tool calls and usage', async () => {
    const body = answer([
      say({ content: 'Hel' }),
      say({ content: 'lo' }),
      say({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '{"a":' } }] }),
      say({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '1}' } }] }),
      say({}, 'tool_calls'),
    ]);
    const completion = await clientOf(body).chat.completions.stream(request).finalChatCompletion();
    expect(completion.choices[0]?.message).toMatchObject({
      role: 'assistant',
      content: 'Hello',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    });
    expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
    expect(completion.usage?.total_tokens).toBe(21);
  });

  it('raises the error of a stream that breaks', async () => {
    const { steps } = run([say({ content: 'Hel' })]);
    const body = (steps[0]?.output ?? '') + errorEvent(gridError('upstream_error'));
    const stream = await clientOf(body).chat.completions.create({ ...request, stream: true });
    const read = async () => {
      for await (const part of stream) expect(part.model).toBe(ENVELOPE.servedModel);
    };
    await expect(read()).rejects.toMatchObject({ code: 'upstream_error', type: 'api_error' });
  });
});
