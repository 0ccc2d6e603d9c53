import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridError } from '../errors/grid-error.ts';
import { SseParser } from '../sse/parser.ts';
import { dialects, openAnswerStream, type WireName } from './dialects.ts';
import type { AnswerEvent } from './events.ts';
import type { DialectName } from './model.ts';
import { lintStream } from './stream-lint.ts';
import {
  COUNTED,
  envelopeOf,
  REQUEST_ID,
  relayText,
  SURFACES,
  TRANSCRIPTS,
  upstreamTranscript,
} from './testing.ts';

const WIRES: Readonly<Record<DialectName, WireName>> = {
  chat: 'openai',
  messages: 'anthropic',
  responses: 'openai-responses',
};
const PAIRS = SURFACES.flatMap((supplier) => SURFACES.map((client) => [supplier, client] as const));

function eventsOf(text: string): readonly string[] {
  const parser = new SseParser();
  const batches = [parser.push(new TextEncoder().encode(text)), parser.end()];
  return batches.flatMap(({ events }) => events.map(({ data }) => data));
}

/** Events of all transcripts of a supplier, and things that are none. */
function pieces(supplier: DialectName): fc.Arbitrary<string> {
  const prefix = { chat: 'openai', messages: 'anthropic', responses: 'responses' }[supplier];
  const real = TRANSCRIPTS.filter((name) => name.startsWith(prefix)).flatMap((name) =>
    eventsOf(upstreamTranscript(name)),
  );
  const foreign = [
    '',
    '[DONE]',
    '{}',
    'null',
    '[]',
    '{',
    '{"error":{"message":"x"}}',
    '{"type":"error"}',
    '{"choices":[]}',
  ];
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...real) }, fc.constantFrom(...foreign));
}

/** A transcript of a supplier, damaged: events are missing, twice, in another order, or foreign. */
function damaged(supplier: DialectName): fc.Arbitrary<readonly string[]> {
  const prefix = { chat: 'openai', messages: 'anthropic', responses: 'responses' }[supplier];
  const whole = fc.constantFrom(...TRANSCRIPTS.filter((name) => name.startsWith(prefix)));
  const edits = fc.array(
    fc.tuple(fc.nat(200), fc.constantFrom('drop', 'twice', 'foreign', 'end'), pieces(supplier)),
    {
      maxLength: 4,
    },
  );
  return fc.tuple(whole, edits).map(([name, list]) => {
    const events = [...eventsOf(upstreamTranscript(name))];
    for (const [place, edit, piece] of list) {
      const at = events.length === 0 ? 0 : place % events.length;
      if (edit === 'drop') events.splice(at, 1);
      else if (edit === 'twice') events.splice(at, 0, events[at] ?? piece);
      else if (edit === 'foreign') events.splice(at, 0, piece);
      else events.splice(at);
    }
    return events;
  });
}

/** What is wrong with a list of neutral events; empty when nothing is. */
function faultsOf(events: readonly AnswerEvent[]): readonly string[] {
  const faults: string[] = [];
  const open = new Set<number>();
  let calls = 0;
  let stops = 0;
  for (const event of events) {
    if (event.type === 'call') {
      if (event.call !== calls) faults.push(`call ${event.call} where ${calls} was due`);
      calls += 1;
      open.add(event.call);
    } else if (event.type === 'arguments' && !open.has(event.call))
      faults.push('arguments outside of a call');
    else if (event.type === 'call_end' && !open.delete(event.call)) faults.push('a call ends twice');
    else if (event.type === 'stop') {
      stops += 1;
      if (open.size > 0) faults.push('calls are open at the stop');
    }
  }
  const isEnd = ({ type }: AnswerEvent) => type === 'done' || type === 'error';
  const last = events.at(-1);
  if (events[0]?.type !== 'start') faults.push('no start');
  if (events.filter(({ type }) => type === 'start').length !== 1) faults.push('more than one start');
  if (events.filter(isEnd).length !== 1 || last === undefined || !isEnd(last)) faults.push('not one end');
  if (stops > 1 || (last?.type === 'done' && stops !== 1)) faults.push(`${stops} stops`);
  return faults;
}

describe.each(SURFACES)('whatever a supplier of %s sends', (supplier) => {
  it('is read as one start, dense calls, one stop and one end', () => {
    const anything = fc.oneof(damaged(supplier), fc.array(pieces(supplier), { maxLength: 12 }));
    fc.assert(
      fc.property(anything, (datas) => {
        const reader = dialects[supplier].newStreamReader(REQUEST_ID);
        const events = [...datas.flatMap((data) => reader.push(data)), ...reader.end()];
        expect(faultsOf(events)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(PAIRS)('from a supplier of %s to a client of %s', (supplier, client) => {
  const wire = WIRES[supplier];

  it('every undamaged stream is sound', () => {
    const prefix = { chat: 'openai', messages: 'anthropic', responses: 'responses' }[supplier];
    for (const name of TRANSCRIPTS.filter((transcript) => transcript.startsWith(prefix))) {
      const { text, error } = relayText(wire, client, upstreamTranscript(name));
      const { faults, end } = lintStream(client, text);
      expect([name, faults, end]).toEqual([name, [], error === undefined ? 'complete' : 'error']);
    }
  });

  it('every damaged stream is sound, and ends once: whole or with an error', () => {
    fc.assert(
      fc.property(damaged(supplier), (datas) => {
        const stream = openAnswerStream(wire, envelopeOf(client));
        let text = '';
        let step = stream.push(datas[0] ?? '');
        for (const data of [...datas.slice(1), undefined]) {
          if (step.error === undefined) text += step.output;
          if (step.error !== undefined || step.isDone) break;
          step = data === undefined ? stream.end() : stream.push(data);
        }
        const isWhole = step.error === undefined && stream.isComplete;
        text += isWhole ? stream.finish(COUNTED, 'complete') : stream.fail(gridError('upstream_error'));
        const { faults, end } = lintStream(client, text);
        expect([faults, end]).toEqual([[], isWhole ? 'complete' : 'error']);
      }),
      { numRuns: 150 },
    );
  });

  it('a stream that the exchange cuts before an event is sound without it', () => {
    const prefix = { chat: 'openai', messages: 'anthropic', responses: 'responses' }[supplier];
    for (const name of TRANSCRIPTS.filter((transcript) => transcript.startsWith(prefix))) {
      const datas = eventsOf(upstreamTranscript(name));
      for (let cutAt = 0; cutAt < datas.length; cutAt += 1) {
        const stream = openAnswerStream(wire, envelopeOf(client));
        let text = '';
        for (const data of datas.slice(0, cutAt)) text += stream.push(data).output;
        const withheld = stream.push(datas[cutAt] ?? '');
        if (!withheld.hasContent) continue;
        text += stream.finish(COUNTED, 'cut');
        const { faults, end } = lintStream(client, text);
        expect([name, cutAt, faults, end]).toEqual([name, cutAt, [], 'complete']);
        expect(text).toMatch(
          /"(?:finish_reason":"length|stop_reason":"max_tokens|reason":"max_output_tokens)"/,
        );
      }
    }
  });
});
