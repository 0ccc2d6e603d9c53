import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateInputTokens } from './tokens.ts';

describe('input estimate', () => {
  it('is bytes over the ratio, rounded up, plus the images', () => {
    expect(estimateInputTokens({ textBytes: 36, imageCount: 0 })).toBe(10);
    expect(estimateInputTokens({ textBytes: 37, imageCount: 2 }, 4)).toBe(10 + 2 * 1600);
    expect(estimateInputTokens({ textBytes: 0, imageCount: 0 })).toBe(1);
  });

  it('never shrinks when the input grows', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat({ max: 100 }), (textBytes, more, imageCount) => {
        const small = estimateInputTokens({ textBytes, imageCount });
        expect(estimateInputTokens({ textBytes: textBytes + more, imageCount })).toBeGreaterThanOrEqual(
          small,
        );
      }),
    );
  });

  it.each([0, -1, Number.NaN])('refuses the ratio %d', (ratio) => {
    expect(() => estimateInputTokens({ textBytes: 1, imageCount: 0 }, ratio)).toThrow(RangeError);
  });
});
