import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../sse/parser.ts';
import { openAnswerStream, type WireName } from './dialects.ts';
import { envelopeOf, relayPieces, relayText, SURFACES, TRANSCRIPTS, upstreamTranscript } from './testing.ts';

// Streams in the manner of real servers, beside what a client of each surface gets of them.
const PAIRS = TRANSCRIPTS.flatMap((name) => SURFACES.map((surface) => [name, surface] as const));

/** The wire of a transcript is the beginning of its name. */
function wireOf(name: string): WireName {
  if (name.startsWith('anthropic')) return 'anthropic';
  return name.startsWith('responses') ? 'openai-responses' : 'openai';
}

/** What a stream parser makes of pieces. The streams themselves see nothing but its events. */
function eventsOf(pieces: readonly Uint8Array[]): unknown {
  const parser = new SseParser();
  return [...pieces.map((piece) => parser.push(piece)), parser.end()].flatMap(({ events }) => events);
}

it.each(TRANSCRIPTS)('%s has the same events when it is cut at any one byte', (name) => {
  const bytes = new TextEncoder().encode(upstreamTranscript(name).replaceAll('\n', '\r\n'));
  const expected = JSON.stringify(eventsOf([bytes]));
  for (let at = 0; at <= bytes.length; at += 1) {
    const cut = [bytes.subarray(0, at), bytes.subarray(at)];
    if (JSON.stringify(eventsOf(cut)) !== expected) expect.unreachable(`differs when cut at byte ${at}`);
  }
});

describe.each(PAIRS)('%s for a client of %s', (name, surface) => {
  const upstream = upstreamTranscript(name);
  const wire = wireOf(name);

  it('is what the client gets', async () => {
    const { text } = relayText(wire, surface, upstream);
    await expect(text).toMatchFileSnapshot(`transcripts/${name}.${surface}.sse`);
  });

  it('is the same however the bytes are cut', () => {
    const expected = relayText(wire, surface, upstream);
    const bytes = new TextEncoder().encode(upstream.replaceAll('\n', '\r\n'));
    const places = fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 });
    fc.assert(
      fc.property(places, (cuts) => {
        const sorted = [...cuts].sort((left, right) => left - right);
        const pieces = [0, ...sorted].map((start, index) =>
          bytes.subarray(start, sorted[index] ?? bytes.length),
        );
        expect(relayPieces(openAnswerStream(wire, envelopeOf(surface)), pieces)).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });
});
