import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InexactNumber, parseLosslessBody } from './lossless-body.ts';

function parse(text: string): unknown {
  const result = parseLosslessBody(Buffer.from(text));
  return result.ok ? result.value : result.error.code;
}

describe('a lossless body', () => {
  it('may begin with a mark of its byte order', () => {
    expect(parse('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it('is what JSON.parse reads', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
    fc.assert(
      fc.property(object, fc.integer({ min: 0, max: 3 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!/[eE][+-]?\d/.test(text));
        expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 300 },
    );
  });

  it.each(['1e1', '1E2', '2.50000000000000001', '9007199254740993', '1'.repeat(40), '1e400', '0.0000001'])(
    'does not take %s for a number',
    (text) => {
      expect(parse(`{"price": ${text} }`)).toEqual({ price: new InexactNumber() });
    },
  );

  it.each([
    ['2.50', 2.5],
    ['10.0', 10],
    ['100', 100],
    ['0', 0],
    ['-1', -1],
  ])('reads %s exactly', (text, value) => {
    expect(parse(`{"a":[${text}]}`)).toEqual({ a: [value] });
  });

  it('refuses a name that occurs twice, at any depth and however it is escaped', () => {
    expect(parse('{"a":1,"a":1}')).toBe('invalid_json');
    expect(parse(String.raw`{"x":[{"a":1,"\u0061":2}]}`)).toBe('invalid_json');
    expect(parse('{"a":{"a":1},"b":{"a":1}}')).toEqual({ a: { a: 1 }, b: { a: 1 } });
    expect(parse('{"__proto__":1,"constructor":2}')).not.toBe('invalid_json');
  });

  it.each(['', '[]', '"a"', 'nul', '{"a":}', '[1]{}', '\u0000', `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`])(
    'refuses %j',
    (text) => {
      expect(parse(text)).toBe('invalid_json');
    },
  );
});
