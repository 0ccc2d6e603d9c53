import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chatCompletionId,
  ID_PREFIXES,
  isId,
  makeId,
  makeUlid,
  parseInstrumentReference,
  parseMarketReference,
} from './ids.ts';

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe('ids', () => {
  it('encode as the ULID specification does', () => {
    expect(makeUlid(1_469_918_176_385, new Uint8Array(10))).toBe('01aryz6s410000000000000000');
    expect(makeUlid(2 ** 48 - 1, new Uint8Array(10).fill(255))).toBe('7zzzzzzzzzzzzzzzzzzzzzzzzz');
  });

  it('decode to the time and the bytes they were made of', () => {
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    fc.assert(
      fc.property(time, random, (timeMs, bytes) => {
        let value = 0n;
        for (const character of makeUlid(timeMs, bytes))
          value = value * 32n + BigInt(alphabet.indexOf(character));
        const hex = Buffer.from(bytes).toString('hex');
        expect(value).toBe((BigInt(timeMs) << 80n) + BigInt(`0x${hex}`));
      }),
    );
  });

  it('sort by time', () => {
    fc.assert(
      fc.property(time, time, random, random, (first, second, left, right) => {
        fc.pre(first < second);
        expect(makeId('req', first, left) < makeId('req', second, right)).toBe(true);
      }),
    );
  });

  it.each(ID_PREFIXES)('%s ids have the public form', (prefix) => {
    const id = makeId(prefix, 1_767_225_600_000, new Uint8Array(10).fill(7));
    expect(id).toMatch(/^[a-z_]+_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(id.length).toBeLessThanOrEqual(64);
    expect(isId(id, prefix)).toBe(true);
    expect(isId(id, prefix === 'user' ? 'order' : 'user')).toBe(false);
  });

  it('name a completion after its request', () => {
    expect(chatCompletionId('req_01jz3v8m2k7f9q0x4w6t5s1r8p')).toBe('chatcmpl-01jz3v8m2k7f9q0x4w6t5s1r8p');
  });

  it('refuse the wrong number of bytes and impossible times', () => {
    expect(() => makeUlid(0, new Uint8Array(9))).toThrow(RangeError);
    expect(() => makeUlid(-1, new Uint8Array(10))).toThrow(RangeError);
    expect(() => makeUlid(2 ** 48, new Uint8Array(10))).toThrow(RangeError);
  });
});

describe('references', () => {
  const uuid = '4bba4a2f-78b3-585a-a4b9-848d2f0a4514';

  it('are accepted in all four spellings', () => {
    for (const text of [`market-${uuid}`, `market_${uuid}`, uuid, uuid.toUpperCase()]) {
      expect(parseMarketReference(text)).toEqual({ kind: 'uuid', uuid });
    }
    expect(parseMarketReference('TEXT-Standard')).toEqual({ kind: 'symbol', symbol: 'text-standard' });
    expect(parseInstrumentReference(`instrument_${uuid}`)).toEqual({ kind: 'uuid', uuid });
    expect(parseInstrumentReference('USD')).toEqual({ kind: 'symbol', symbol: 'usd' });
  });

  it.each(['', 'text_standard', `instrument-${uuid}`, 'a--b', 'a-b-c-d-e', `${uuid}0`, 'x'.repeat(65), 'é'])(
    'refuses %j as a market',
    (text) => expect(parseMarketReference(text)).toBeUndefined(),
  );
});
