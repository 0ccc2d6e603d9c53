import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { gridError } from '../errors/grid-error.ts';
import type { JsonObject } from '../json/parse.ts';
import { SseParser } from '../sse/parser.ts';
import { dialects, openAnswerStream, readWholeAnswer, type WireName } from './dialects.ts';
import type { DialectName } from './model.ts';
import { lintStream } from './stream-lint.ts';
import { COUNTED, envelopeOf, SEAL, SURFACES, TRANSCRIPTS, upstreamTranscript } from './testing.ts';

// Suppliers whose JSON has the wrong values in the right places.

const SUPPLIERS: readonly (readonly [DialectName, WireName, string])[] = [
  ['chat', 'openai', 'openai'],
  ['messages', 'anthropic', 'anthropic'],
  ['responses', 'openai-responses', 'responses'],
];
const PAIRS = SUPPLIERS.flatMap((supplier) => SURFACES.map((client) => [...supplier, client] as const));
const SECRET = 'canary-7f3a';

function eventsOf(name: string): readonly string[] {
  const { events } = new SseParser().push(new TextEncoder().encode(upstreamTranscript(name)));
  return events.map(({ data }) => data);
}

/** All places in a JSON value, as lists of names. */
function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesIn(member, [...path, name]))];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return by;
  const copy = Array.isArray(value) ? [...value] : { ...(value as JsonObject) };
  (copy as Record<string, unknown>)[name] = replaced((value as Record<string, unknown>)[name], rest, by);
  return copy;
}

const wrong = fc.oneof(
  fc.constantFrom<unknown>(null, 0, -1, 1e300, '', SECRET, true, [], {}, [[]], [null], { type: 'text' }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The JSON text with a wrong value at one place. */
function damagedJson(text: string): fc.Arbitrary<string> {
  if (text === '[DONE]') return fc.constant(text);
  const value: unknown = JSON.parse(text);
  const places = placesIn(value);
  return fc
    .tuple(fc.constantFrom(...places), wrong)
    .map(([path, by]) => JSON.stringify(replaced(value, path, by)) ?? 'null');
}

function damagedStream(prefix: string): fc.Arbitrary<readonly string[]> {
  const names = TRANSCRIPTS.filter((name) => name.startsWith(prefix));
  return fc
    .tuple(fc.constantFrom(...names), fc.nat(100))
    .map(([name, place]) => ({ events: eventsOf(name), place }))
    .chain(({ events, place }) => {
      const at = place % events.length;
      return damagedJson(events[at] ?? '{}').map((text) =>
        events.map((event, index) => (index === at ? text : event)),
      );
    });
}

describe.each(PAIRS)(
  'wrong values from a supplier of %s (%s, %s) to a client of %s',
  (_supplier, wire, prefix, client) => {
    it('break neither the exchange nor the stream', () => {
      fc.assert(
        fc.property(damagedStream(prefix), (datas) => {
          const stream = openAnswerStream(wire, envelopeOf(client));
          let text = '';
          let failed = false;
          for (const data of datas) {
            const step = stream.push(data);
            failed = step.error !== undefined;
            if (failed) break;
            text += step.output;
            if (step.isDone) break;
          }
          const isWhole = !failed && stream.isComplete && stream.end().error === undefined;
          text += isWhole ? stream.finish(COUNTED, 'complete') : stream.fail(gridError('upstream_error'));
          const { faults, end } = lintStream(client, text);
          expect([faults, end]).toEqual([[], isWhole ? 'complete' : 'error']);
        }),
        { numRuns: 150 },
      );
    });
  },
);

const WHOLE: Readonly<Record<DialectName, JsonObject>> = {
  chat: {
    id: 'chatcmpl-up',
    object: 'chat.completion',
    model: 'inner-model',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'I look.',
          reasoning_content: 'Hm.',
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } },
          ],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
  },
  messages: {
    id: 'msg_up',
    type: 'message',
    role: 'assistant',
    model: 'inner-model',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: 'S+/==' },
      { type: 'redacted_thinking', data: 'R+/==' },
      { type: 'text', text: 'I look.', citations: null },
      { type: 'tool_use', id: 'toolu_a', name: 'read', input: { path: 'a' }, caller: { type: 'direct' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 5, cache_read_input_tokens: 4 },
  },
  responses: {
    id: 'resp_up',
    object: 'response',
    status: 'completed',
    model: 'inner-model',
    output: [
      {
        id: 'rs_up',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'E+/==',
      },
      {
        id: 'msg_up',
        type: 'message',
        role: 'assistant',
        phase: 'commentary',
        content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
      },
      { id: 'fc_up', type: 'function_call', call_id: 'call_a', name: 'read', arguments: '{"path":"a"}' },
    ],
    usage: { input_tokens: 9, output_tokens: 5, total_tokens: 14 },
  },
};

describe.each(PAIRS)(
  'a whole answer from a supplier of %s (%s, %s) to a client of %s',
  (supplier, wire, _prefix, client) => {
    const envelope = envelopeOf(client, {
      stream: false,
      ...(client === 'chat' ? { stream_options: undefined } : {}),
    });
    const text = JSON.stringify(WHOLE[supplier]);

    it('has what the supplier wrote, in our envelope', () => {
      const answer = readWholeAnswer(wire, text, envelope);
      if (!answer.ok) throw new Error(answer.error);
      expect(answer).toMatchObject({
        finishReason: 'tool_calls',
        upstreamModel: 'inner-model',
        usage: { output: 5 },
      });
      expect(openContent(answer.outputText)).toMatch(/Hm\..*I look\..*read/s);
      const printed = openContent(answer.print(COUNTED));
      for (const word of ['Hm.', 'I look.', 'read', 'lab/model', '"path', '01jz3v8m2k7f9q0x4w6t5s1r8p']) {
        expect(printed).toContain(word);
      }
      expect(printed).not.toMatch(/inner-model|_up"/);
    });

    it('is refused or sound when it has a wrong value', () => {
      fc.assert(
        fc.property(damagedJson(text), (damaged) => {
          const answer = readWholeAnswer(wire, damaged, envelope);
          if (!answer.ok) expect(['malformed', 'upstream_error']).toContain(answer.error);
          else expect(() => JSON.parse(openContent(answer.print(COUNTED)))).not.toThrow();
        }),
        { numRuns: 150 },
      );
    });
  },
);

describe('a whole message', () => {
  it('is relayed block by block, with its proofs sealed', () => {
    const answer = readWholeAnswer('anthropic', JSON.stringify(WHOLE.messages), envelopeOf('messages'));
    if (!answer.ok) throw new Error(answer.error);
    const { content, stop_reason } = JSON.parse(openContent(answer.print(COUNTED))) as JsonObject;
    const [thinking, redacted, ...rest] = WHOLE.messages.content as readonly JsonObject[];
    expect(stop_reason).toBe('tool_use');
    expect(content).toEqual([
      { ...thinking, signature: SEAL.wrap({ kind: 'signature', value: 'S+/==' }) },
      { ...redacted, data: SEAL.wrap({ kind: 'redacted', value: 'R+/==' }) },
      ...rest,
    ]);
  });

  it('shows no reasoning that was not asked for', () => {
    const envelope = envelopeOf('messages', { thinking: undefined });
    for (const [supplier, wire] of SUPPLIERS) {
      const answer = readWholeAnswer(wire, JSON.stringify(WHOLE[supplier]), envelope);
      if (!answer.ok) throw new Error(answer.error);
      expect(openContent(answer.print(COUNTED))).not.toContain('Hm.');
    }
  });
});

describe('what a supplier says of its faults', () => {
  it.each(SUPPLIERS)('is dropped on the wire of %s', (supplier) => {
    const errors = [
      { error: { message: SECRET, type: 'x' } },
      { type: 'error', error: { type: 'x', message: SECRET } },
      { status: 'failed', error: { code: 'x', message: SECRET } },
    ];
    for (const error of errors) {
      const events = dialects[supplier].readAnswer(JSON.stringify(error), 'req_1');
      expect(JSON.stringify(events)).not.toContain(SECRET);
      expect(events.at(-1)?.type).toBe('error');
    }
  });
});
