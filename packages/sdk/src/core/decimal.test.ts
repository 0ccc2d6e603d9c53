import { describe, expect, it } from 'vitest';
import { fromScaled, toScaled } from './decimal.ts';

describe('decimals', () => {
  it.each([
    ['2.5000', 4, 25_000n],
    ['2.5', 4, 25_000n],
    ['0', 4, 0n],
    ['-0.0001', 4, -1n],
    ['25.125000', 6, 25_125_000n],
    // 2^53 + 1 micro-dollars: a float would already have lost the last digit.
    ['9007199254.740993', 6, 9_007_199_254_740_993n],
    ['3.00', 0, 3n],
  ])('reads %s at %i digits', (text, digits, scaled) => {
    expect(toScaled(text, digits)).toBe(scaled);
  });

  it.each(['', '1e3', '+1', ' 1', '1.', '.5', '0x1', 'NaN', '2.50001'])('refuses %j at 4 digits', (text) => {
    expect(() => toScaled(text, 4)).toThrow('not a decimal');
  });

  it.each([
    [25_000n, 4, '2.5000'],
    [1n, 4, '0.0001'],
    [-1n, 4, '-0.0001'],
    [0n, 6, '0.000000'],
    [7n, 0, '7'],
    [-12n, 0, '-12'],
  ])('writes %s at %i digits', (scaled, digits, text) => {
    expect(fromScaled(scaled, digits)).toBe(text);
  });
});
