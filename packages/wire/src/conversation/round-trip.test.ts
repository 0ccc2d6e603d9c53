import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import type { JsonObject } from '../json/parse.ts';
import { SseParser } from '../sse/parser.ts';
import type { TokenUsage } from '../usage.ts';
import { partsOfAnswer } from './answer-parts.ts';
import { conversationOf, dialects } from './dialects.ts';
import { EventLog } from './event-log.ts';
import type { AnswerEvent } from './events.ts';
import type { Conversation, DialectName, Part, Turn } from './model.ts';
import { ALL_CAPABILITIES, envelopeOf, REQUEST_ID, requestOf, SURFACES } from './testing.ts';

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const safeWord = fc.string({ unit: fc.constantFrom(...'abcXYZ012_-'), minLength: 1, maxLength: 12 });
const text = word.map((value) => ({ type: 'text', text: value }) as const);
const dataUrl = fc
  .base64String({ minLength: 4, maxLength: 40 })
  .map((data) => `data:image/png;base64,${data}`);
const image = fc
  .oneof(
    dataUrl,
    safeWord.map((name) => `https://example.org/${name}.png`),
  )
  .map((url) => ({ type: 'image', url }) as const);
const call = fc
  .record({ id: safeWord, name: safeWord, input: fc.dictionary(word, fc.jsonValue(), { maxKeys: 3 }) })
  .map(({ id, name, input }): Part => {
    return { type: 'call', kind: 'function', id, name, arguments: JSON.stringify(input) };
  });
const schema = fc
  .dictionary(safeWord, fc.constantFrom({ type: 'string' }, { type: 'integer' }), { maxKeys: 3 })
  .map((properties): JsonObject => ({ type: 'object', properties }));

function result(dialect: DialectName): fc.Arbitrary<Part> {
  // Results are text in chat completions, and one part of it.
  const parts =
    dialect === 'chat' ? fc.array(text, { maxLength: 1 }) : fc.array(fc.oneof(text, image), { maxLength: 3 });
  const isError = dialect === 'messages' ? fc.boolean() : fc.constant(false);
  return fc
    .record({ callId: safeWord, parts, isError })
    .map((fields) => ({ type: 'result', kind: 'function', ...fields }));
}

function turns(dialect: DialectName): fc.Arbitrary<readonly Turn[]> {
  const system = fc.option(
    text.map((part): Turn => ({ role: 'system', parts: [part] })),
    { nil: undefined },
  );
  const user = fc
    .tuple(
      fc.array(result(dialect), { maxLength: 2 }),
      fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
    )
    .map(([results, parts]): Turn => ({ role: 'user', parts: [...results, ...parts] }));
  const assistant = fc
    .tuple(fc.array(text, { minLength: 1, maxLength: 1 }), fc.array(call, { maxLength: 3 }))
    .map(([texts, calls]): Turn => ({ role: 'assistant', parts: [...texts, ...calls] }));
  const rounds = fc.array(fc.tuple(user, assistant), { maxLength: 3 });
  return fc.tuple(system, rounds, user).map(([first, middle, last]) => {
    return [...(first === undefined ? [] : [first]), ...middle.flat(), last];
  });
}

/** What a dialect has of tools, shapes and sampling, beside what all have. */
function extras(dialect: DialectName): fc.Arbitrary<Partial<Conversation>> {
  const strict = dialect === 'responses' ? { strict: fc.boolean() } : {};
  const description = word;
  const tool = fc.record({
    kind: fc.constant('function' as const),
    name: safeWord,
    description,
    parameters: schema,
    ...strict,
  });
  const tools = fc.uniqueArray(tool, { minLength: 1, maxLength: 3, selector: ({ name }) => name });
  const parallel = dialect === 'messages' ? fc.constant(false) : fc.boolean();
  const choice = (names: readonly string[]) =>
    fc.constantFrom('auto' as const, 'required' as const, { name: names[0] ?? '' });
  const withTools = tools.chain((list) => {
    const toolChoice = choice(list.map(({ name }) => name));
    return fc.record({ tools: fc.constant(list), toolChoice, parallelToolCalls: parallel });
  });
  const name = dialect === 'messages' ? fc.constant('answer') : safeWord;
  const format = fc.record({
    type: fc.constant('json_schema' as const),
    name,
    schema,
    strict: fc.constant(true),
  });
  const one = fc.double({ min: 0, max: 1, noNaN: true });
  const stop = fc.array(
    word.filter((value) => value.trim() !== ''),
    { minLength: 1, maxLength: 4 },
  );
  const sampling = {
    chat: fc.record({ temperature: one, topP: one, stop, seed: fc.integer() }, { requiredKeys: [] }),
    messages: fc.record({ temperature: one, topP: one, topK: fc.nat(), stop }, { requiredKeys: [] }),
    responses: fc.record(
      { temperature: one, topP: one, verbosity: fc.constant('low') },
      { requiredKeys: [] },
    ),
  }[dialect];
  const parts = [
    fc.oneof(withTools, fc.constant({})),
    fc.oneof(
      format.map((outputFormat) => ({ outputFormat })),
      fc.constant({}),
    ),
  ];
  const merged = fc
    .tuple(...parts, sampling)
    .map(([first, second, fields]) => ({ ...first, ...second, sampling: fields }));
  // The optional members of records are absent, never undefined, which their types do not say.
  return merged as fc.Arbitrary<Partial<Conversation>>;
}

function conversation(dialect: DialectName): fc.Arbitrary<Conversation> {
  return fc.tuple(turns(dialect), extras(dialect)).map(([list, more]) => {
    return { tools: [], sampling: {}, lost: [], ...more, turns: list };
  });
}

describe.each(SURFACES)('a request of %s', (dialect) => {
  // Written as for a supplier by whoever speaks another dialect, it is read as from a client.
  const writer = requestOf(dialect === 'chat' ? 'responses' : 'chat');

  it('keeps all that the dialect has when it is written and read again', () => {
    fc.assert(
      fc.property(conversation(dialect), (asked) => {
        const upstream = { upstreamModel: 'm', capabilities: ALL_CAPABILITIES };
        const written = dialects[dialect].writeRequest(writer, asked, upstream);
        if (!written.ok) throw new Error(written.error.message);
        expect(written.value.ignoredParams).toEqual(writer.ignoredParams);
        const read = dialects[dialect].readRequest(openContent(written.value.json));
        if (!read.ok) throw new Error(`${read.error.code} ${read.error.message}`);
        expect(conversationOf(read.value)).toEqual(asked);
      }),
      { numRuns: 200 },
    );
  });
});

const count = fc.nat(100_000);
/** Usage of the classes that all dialects have. */
const usage: fc.Arbitrary<TokenUsage> = fc
  .tuple(count, count, count)
  .map(([inputUncached, cacheRead, output]) => {
    return { inputUncached, cacheRead, cacheWrite5m: 0, cacheWrite1h: 0, output, reasoning: 0 };
  });

interface Spoken {
  readonly kind: 'text' | 'reasoning' | 'call';
  readonly pieces: readonly string[];
  readonly id: string;
  readonly name: string;
}

const spoken: fc.Arbitrary<readonly Spoken[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('text' as const, 'reasoning' as const, 'call' as const),
      pieces: fc.array(word, { minLength: 1, maxLength: 4 }),
      id: safeWord,
      name: safeWord,
    }),
    { maxLength: 6 },
  )
  // Parts of one kind that follow upon each other are one part in chat completions; calls come last there.
  .map((list) => [
    ...list.filter(({ kind }) => kind !== 'call'),
    ...list.filter(({ kind }) => kind === 'call'),
  ])
  .map((list) => list.filter(({ kind }, at) => kind === 'call' || list[at - 1]?.kind !== kind));

function answer(
  parts: readonly Spoken[],
  finishReason: 'stop' | 'length' | 'content_filter',
): readonly AnswerEvent[] {
  const log = new EventLog('call');
  log.start('inner-model');
  for (const { kind, pieces, id, name } of parts) {
    if (kind === 'call') {
      const number = log.call({ id, name });
      const whole = JSON.stringify({ value: pieces.join('') });
      for (const piece of whole.match(/.{1,5}/gsu) ?? []) log.callArguments(number, piece);
      log.callEnd(number);
    } else for (const piece of pieces) kind === 'text' ? log.text(piece) : log.reasoning(piece);
  }
  log.stop(finishReason);
  log.done();
  return log.take();
}

const finish = fc.constantFrom('stop' as const, 'length' as const, 'content_filter' as const);
const usageIn = (events: readonly AnswerEvent[]) => events.find((event) => event.type === 'usage')?.usage;

describe.each(SURFACES)('an answer of %s', (dialect) => {
  const envelope = envelopeOf(dialect);

  it('keeps its parts, its stop and its usage when its stream is written and read again', () => {
    fc.assert(
      fc.property(spoken, finish, usage, (parts, reason, billed) => {
        const events = answer(parts, reason);
        const writer = dialects[dialect].newStreamWriter(envelope);
        const printed =
          events.map((event) => writer.write([event])).join('') + writer.finish(billed, 'complete');
        const reader = dialects[dialect].newStreamReader(REQUEST_ID);
        const batch = new SseParser().push(new TextEncoder().encode(printed));
        const read = [...batch.events.flatMap(({ data }) => reader.push(data)), ...reader.end()];
        expect(partsOfAnswer(read)).toEqual(partsOfAnswer(events));
        expect(usageIn(read)).toEqual(billed);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps them when it is written whole', () => {
    fc.assert(
      fc.property(spoken, finish, usage, (parts, reason, billed) => {
        // Reasoning comes before the text in a complete chat completion.
        const ordered =
          dialect === 'chat'
            ? parts.filter(
                ({ kind }, at) => parts.findIndex((part) => part.kind === kind) === at || kind === 'call',
              )
            : parts;
        const sorted =
          dialect === 'chat'
            ? [...ordered].sort((left, right) => rank(left.kind) - rank(right.kind))
            : ordered;
        const events = answer(sorted, reason);
        const read = dialects[dialect].readAnswer(
          dialects[dialect].writeAnswer(events, envelope, billed),
          REQUEST_ID,
        );
        expect(partsOfAnswer(read)).toEqual(partsOfAnswer(events));
        expect(usageIn(read)).toEqual(billed);
      }),
      { numRuns: 200 },
    );
  });
});

function rank(kind: Spoken['kind']): number {
  return ['reasoning', 'text', 'call'].indexOf(kind);
}
