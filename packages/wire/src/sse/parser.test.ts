import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeData, encodeEvent, KEEP_ALIVE_COMMENT } from './encode.ts';
import { type SseEvent, SseParser } from './parser.ts';

function parse(pieces: readonly Uint8Array[]): SseEvent[] {
  const parser = new SseParser();
  return [...pieces.flatMap((piece) => parser.push(piece).events), ...parser.end().events];
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((left, right) => left - right);
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length));
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const value = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, ''));
const field = fc.constantFrom('data: ', 'data:', 'event: ', ': ', 'id: ', 'retry: ', 'other: ', '');
const stream = fc
  .array(fc.tuple(field, value, lineEnd, fc.array(lineEnd, { maxLength: 2 })), { maxLength: 12 })
  .map((lines) => lines.map(([name, text, end, blanks]) => name + text + end + blanks.join('')).join(''));

describe('SseParser', () => {
  it('gives the same events however the bytes are cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
        const bytes = bytesOf(text);
        expect(parse(cut(bytes, places))).toEqual(parse([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same events byte by byte', () => {
    const text = 'data: {"a":"é€😀"}\r\n\r\n: ping\r\rdata: one\rdata: two\r\revent: done\ndata:\n\n';
    const expected = [
      { event: undefined, data: '{"a":"é€😀"}' },
      { event: undefined, data: 'one\ntwo' },
      { event: 'done', data: '' },
    ];
    const bytes = bytesOf(text);
    expect(parse([bytes])).toEqual(expected);
    expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('reads what was encoded', () => {
    fc.assert(
      fc.property(fc.json(), value, (json, name) => {
        fc.pre(name !== '' && !name.startsWith(' ') && Buffer.from(name).toString() === name);
        const text = encodeData(json) + KEEP_ALIVE_COMMENT + encodeEvent(name, json);
        // Half a surrogate pair has no UTF-8; it arrives as a replacement character.
        const compact = Buffer.from(json).toString();
        expect(parse([bytesOf(text)])).toEqual([
          { event: undefined, data: compact },
          { event: name, data: compact },
        ]);
      }),
    );
  });

  it('drops a byte order mark, whole or cut', () => {
    const bytes = bytesOf('\uFEFFdata: x\n\n');
    expect(parse([bytes])).toEqual([{ event: undefined, data: 'x' }]);
    expect(parse(cut(bytes, [1, 2]))).toEqual([{ event: undefined, data: 'x' }]);
  });

  it('takes the letters that a byte order mark looks like in Latin-1 for letters, however cut', () => {
    const bytes = bytesOf('\u00ef\u00bb\u00bfdata: x\n\n');
    expect(parse([bytes])).toEqual([]);
    expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual([]);
  });

  it('gives the last event when the stream ends without a blank line', () => {
    expect(parse([bytesOf('data: [DONE]')])).toEqual([{ event: undefined, data: '[DONE]' }]);
  });

  it('refuses an event over the limit, in one piece or in many, and everything after it', () => {
    const bytes = bytesOf(`data: ok\n\ndata: ${'x'.repeat(2000)}\n\ndata: after\n\n`);
    for (const size of [bytes.length, 7]) {
      const parser = new SseParser(1000);
      const events: SseEvent[] = [];
      let error: string | undefined;
      for (let start = 0; start < bytes.length; start += size) {
        const batch = parser.push(bytes.subarray(start, start + size));
        events.push(...batch.events);
        error = batch.error ?? error;
      }
      expect(events).toEqual([{ event: undefined, data: 'ok' }]);
      expect(error).toBe('event_too_large');
      expect(parser.push(bytesOf('data: more\n\n'))).toEqual({ events: [], error: 'event_too_large' });
      expect(parser.end().events).toEqual([]);
    }
  });

  it('refuses a line that never ends', () => {
    const parser = new SseParser(1000);
    const batches = Array.from({ length: 30 }, () => parser.push(bytesOf('x'.repeat(100))));
    expect(batches.at(-1)?.error).toBe('event_too_large');
  });
});
