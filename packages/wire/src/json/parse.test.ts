import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locateJsonError } from './locate.ts';
import { parseJsonObject } from './parse.ts';

const SECRET = 'canary-7f3a';

function messageFor(source: string | Uint8Array): string | undefined {
  const result = parseJsonObject(source);
  return result.ok ? undefined : result.error.message;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseJsonObject', () => {
  it('gives the object', () => {
    const result = parseJsonObject(new TextEncoder().encode('\uFEFF {"a":[1,{"b":"é"}]} '));
    expect(result).toEqual({ ok: true, value: { a: [1, { b: 'é' }] } });
  });

  it.each([
    ['', 'line 1, column 1'],
    ['{"a":1', 'line 1, column 7'],
    ['{"a":1,}', 'line 1, column 8'],
    [`{\n  "a": "${SECRET}",\n  b: 1}`, 'line 3, column 3'],
    [`{"a":"${SECRET}\n"}`, 'line 1, column 18'],
    ['{"a":"\\x"}', 'line 1, column 7'],
    ['{"a":01}', 'line 1, column 7'],
    ['{"a":tru}', 'line 1, column 6'],
    [`{"a":1} ${SECRET}`, 'line 1, column 9'],
    ['{"a" 1}', 'line 1, column 6'],
  ])('says where %j breaks and quotes nothing', (text, place) => {
    expect(messageFor(text)).toContain(place);
    expect(messageFor(text)).not.toContain(SECRET);
  });

  it.each(['[]', '1', 'null', '"text"'])('refuses %s, which is no object', (text) => {
    expect(messageFor(text)).toBe('The request body must be a JSON object.');
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(messageFor(Uint8Array.of(0x7b, 0xff, 0x7d))).toBe('The request body is not valid UTF-8.');
  });

  it('accepts 64 levels and refuses 65, brackets in strings aside', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}"[{\\"["${']'.repeat(levels - 1)}}`;
    expect(parseJsonObject(nested(64)).ok).toBe(true);
    expect(messageFor(nested(65))).toBe(
      'The request body is nested deeper than 64 levels (line 1, column 69).',
    );
    expect(messageFor('['.repeat(1000))).toContain('deeper than 64');
    expect(messageFor('['.repeat(2_000_000))).toContain('deeper than 64');
    expect(messageFor(`${nested(65)}${' '.repeat(2_000_000)}`)).toContain('deeper than 64');
    expect(parseJsonObject(`${nested(64)}${' '.repeat(2_000_000)}`).ok).toBe(true);
  });

  it('keeps keys of the prototype as plain members', () => {
    const result = parseJsonObject('{"__proto__":{"polluted":true},"constructor":1}');
    expect(result.ok && Object.keys(result.value)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('locateJsonError', () => {
  it('finds a place exactly when JSON.parse fails', () => {
    const edited = fc.tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom(...'{}[],:"\\0-.e \n\ttx', ''),
    );
    fc.assert(
      fc.property(edited, ([json, at, character]) => {
        const index = at % (json.length + 1);
        const text = json.slice(0, index) + character + json.slice(index + 1);
        expect(locateJsonError(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('points at a place before which more could still follow', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), (json) => {
        const place = locateJsonError(`${json} !`);
        expect(place).toEqual({ line: 1, column: json.length + 2 });
      }),
    );
  });
});
