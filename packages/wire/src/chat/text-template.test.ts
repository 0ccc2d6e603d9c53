import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChatStreamRewriter } from './stream.ts';
import { ChatStreamReader } from './stream-reader.ts';
import { TextTemplate } from './text-template.ts';

const chunk = (delta: object, more: object = {}) => ({
  id: 'chatcmpl-1',
  model: 'upstream',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
  ...more,
});
const textChunk = (content: string) => JSON.stringify(chunk({ content }));

function learnt(data: string): TextTemplate {
  const template = new TextTemplate();
  template.learn(data, JSON.parse(data));
  return template;
}

describe('the template of a text chunk', () => {
  it('gives the text of chunks that differ in nothing else', () => {
    const template = learnt(textChunk(' sea'));
    for (const text of ['is', '"quoted" \\ é \u2028 🙂', ' ', 'content'])
      expect(template.textOf(textChunk(text))).toBe(text);
  });

  it.each([
    ['an empty text', textChunk('')],
    ['no text', JSON.stringify(chunk({ content: null }))],
    ['a number', JSON.stringify(chunk({ content: 5 }))],
    ['text and another member', JSON.stringify(chunk({ content: 'a', refusal: 'b' }))],
    ['another id', JSON.stringify({ ...chunk({ content: 'a' }), id: 'chatcmpl-2' })],
    ['an end', textChunk('a').replace('"finish_reason":null', '"finish_reason":"stop"')],
    ['a string that is broken', textChunk('a').replace('"a"', '"a\n"')],
    ['two strings', textChunk('a').replace('"a"', '"a","b":"c"')],
    ['less than the template', textChunk('a').slice(0, 60)],
  ])('has nothing to say of %s', (_name, data) => {
    expect(learnt(textChunk('sea')).textOf(data)).toBeUndefined();
  });

  it('is not learnt from what only looks like the place of the text', () => {
    const hidden = '{"content":"a","choices":[{"index":0,"delta":{"content": "a"}}]}';
    expect(new TextTemplate().learn(hidden, JSON.parse(hidden))).toBe(false);
    const key = '{"choices":[{"index":0,"delta":{"x\\"content":"a","content": "b"}}]}';
    expect(new TextTemplate().learn(key, JSON.parse(key))).toBe(false);
  });

  it('is forgotten when something else came between', () => {
    const template = learnt(textChunk('a'));
    template.forget();
    expect(template.textOf(textChunk('b'))).toBeUndefined();
  });
});

const delta = fc.oneof(
  { weight: 6, arbitrary: fc.record({ content: fc.string({ unit: 'grapheme' }) }) },
  fc.record({ role: fc.constant('assistant'), content: fc.constantFrom('', 'a') }),
  fc.record({ reasoning_content: fc.string() }),
  fc.record({ content: fc.constantFrom(null, 'a'), refusal: fc.constantFrom(null, 'no') }),
  fc.record({ tool_calls: fc.constant([{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }]) }),
);
const more = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  fc.constant({ usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }),
  fc.constant({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  fc.constant({ choices: [{ index: 1, delta: { content: 'b' }, finish_reason: null }] }),
  fc.constant({ error: { message: 'no' } }),
);
const stream = fc.array(fc.tuple(delta, more), { maxLength: 30 });

/** The same events with a number of their own, so that none is like the one before. */
const numbered = (events: readonly object[]) =>
  events.map((event, number) => JSON.stringify({ ...event, number }));

describe('a stream of text chunks', () => {
  it('is rewritten and read as if every chunk were parsed whole', () => {
    const envelope = { completionId: 'chatcmpl-x', createdSeconds: 1, servedModel: 'served' };
    fc.assert(
      fc.property(stream, (pairs) => {
        const events = pairs.map(([change, rest]) => chunk(change, rest));
        const [alike, unlike] = [events.map((event) => JSON.stringify(event)), numbered(events)];
        const rewritten = (all: readonly string[]) => {
          const rewriter = new ChatStreamRewriter(envelope);
          return [...all.map((data) => rewriter.push(data)), rewriter.finishOpenChoices('length')];
        };
        expect(rewritten(alike)).toEqual(rewritten(unlike));
        const read = (all: readonly string[]) => {
          const reader = new ChatStreamReader('call');
          return all.map((data) => reader.push(data));
        };
        expect(read(alike)).toEqual(read(unlike));
      }),
    );
  });
});
