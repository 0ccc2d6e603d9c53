import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32Hex, formatConsumptionKey, isWellFormedConsumptionKey, keyPrefixOf } from './key-format.ts';

const VECTOR = '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';
const hex = fc.stringMatching(/^[0-9a-f]{56}$/);

describe('consumption keys', () => {
  it('reproduce the published vector', () => {
    expect(formatConsumptionKey('00112233445566778899aabbccddeeff00112233445566778899aabb')).toBe(VECTOR);
    expect(isWellFormedConsumptionKey(VECTOR)).toBe(true);
    expect(keyPrefixOf(VECTOR)).toBe('sk-or-v1-00112233');
  });

  it('carry the same checksum that zlib computes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{0,80}$/), (text) => {
        expect(Number.parseInt(crc32Hex(text), 16)).toBe(crc32(text));
      }),
    );
  });

  it('are well-formed when made here and not when one character differs', () => {
    fc.assert(
      fc.property(
        hex,
        fc.nat({ max: 72 }),
        fc.constantFrom(...'0123456789abcdefG '),
        (random, index, character) => {
          const key = formatConsumptionKey(random);
          expect(isWellFormedConsumptionKey(key)).toBe(true);
          fc.pre(key[index] !== character);
          const altered = key.slice(0, index) + character + key.slice(index + 1);
          expect(isWellFormedConsumptionKey(altered)).toBe(false);
        },
      ),
    );
  });

  it.each(['', 'sk-or-v1-', `${VECTOR}0`, `${VECTOR}\n`, VECTOR.toUpperCase(), ` ${VECTOR}`])(
    'refuses %j',
    (text) => {
      expect(isWellFormedConsumptionKey(text)).toBe(false);
    },
  );

  it('refuses to make a key of anything but 28 bytes of hex', () => {
    expect(() => formatConsumptionKey('00')).toThrow(RangeError);
    expect(() => formatConsumptionKey('G'.repeat(56))).toThrow(RangeError);
  });
});
