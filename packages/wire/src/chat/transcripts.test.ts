import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../sse/parser.ts';
import { totalTokensOf } from '../usage.ts';
import { ChatStreamRewriter, doneEvent } from './stream.ts';

// Streams in the manner of real servers, with the decoration each adds, beside what a client gets of them.
const TRANSCRIPTS: readonly [string, number][] = [
  ['first-party', 10],
  ['router', 12],
  // Its last event lacks the blank line.
  ['local-server', 13],
];
const ENVELOPE = { completionId: 'chatcmpl-01', createdSeconds: 7, servedModel: 'lab/model' };

function read(name: string): string {
  return readFileSync(new URL(`transcripts/${name}.sse`, import.meta.url), 'utf8');
}

function relay(pieces: readonly Uint8Array[]): { text: string; totalTokens: number } {
  const parser = new SseParser();
  const rewriter = new ChatStreamRewriter(ENVELOPE);
  let text = '';
  let totalTokens = 0;
  for (const batch of [...pieces.map((piece) => parser.push(piece)), parser.end()]) {
    for (const { data } of batch.events) {
      const step = rewriter.push(data);
      text += step.output + (step.isDone ? doneEvent() : '');
      if (step.usage !== undefined) totalTokens = totalTokensOf(step.usage);
    }
  }
  return { text, totalTokens };
}

describe.each(TRANSCRIPTS)('the transcript of a %s', (name, totalTokens) => {
  const upstream = read(`${name}.upstream`);
  const expected = { text: read(`${name}.client`), totalTokens };

  it.each(['\n', '\r\n', '\r'])('is relayed to the byte when lines end with %j', (lineEnd) => {
    const bytes = new TextEncoder().encode(upstream.replaceAll('\n', lineEnd));
    expect(relay([bytes])).toEqual(expected);
  });

  it('is relayed alike however the bytes are cut', () => {
    const bytes = new TextEncoder().encode(upstream.replaceAll('\n', '\r\n'));
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 30 }), (places) => {
        const sorted = [...places].sort((left, right) => left - right);
        const pieces = [0, ...sorted].map((start, at) => bytes.subarray(start, sorted[at] ?? bytes.length));
        expect(relay(pieces)).toEqual(expected);
      }),
    );
  });
});
