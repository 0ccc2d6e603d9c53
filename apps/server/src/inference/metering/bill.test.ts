import { assertTokenUsage, inputTokensOf, type TokenUsage, totalTokensOf } from '@opengrid/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitToHold, limitUsage, toleratedTokens } from './bill.ts';
import { TextTally } from './text-tally.ts';

const count = fc.nat({ max: 100_000 });
const usage: fc.Arbitrary<TokenUsage> = fc
  .record({ inputUncached: count, cacheRead: count, cacheWrite5m: count, cacheWrite1h: count, output: count })
  .chain((classes) => fc.nat({ max: classes.output }).map((reasoning) => ({ ...classes, reasoning })));

describe('bills', () => {
  it('never exceed the hold, keep their sums, and lose nothing that fits', () => {
    fc.assert(
      fc.property(usage, count, (reported, heldTokens) => {
        const billed = fitToHold(reported, heldTokens);
        assertTokenUsage(billed);
        expect(totalTokensOf(billed)).toBe(Math.min(totalTokensOf(reported), heldTokens));
      }),
    );
  });

  it('are cut by side', () => {
    fc.assert(
      fc.property(usage, count, count, (reported, input, output) => {
        const limited = limitUsage(reported, { input, output });
        assertTokenUsage(limited);
        expect(inputTokensOf(limited)).toBe(Math.min(inputTokensOf(reported), input));
        expect(limited.output).toBe(Math.min(reported.output, output));
      }),
    );
  });

  it('tolerate fifteen percent, rounded up', () => {
    expect([toleratedTokens(100, 15), toleratedTokens(1, 15), toleratedTokens(0, 15)]).toEqual([115, 2, 0]);
  });
});

describe('TextTally', () => {
  it('estimates the same however a text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (pieces) => {
        const tally = new TextTally();
        const foreseen = new TextTally().tokensWith(pieces.join(''));
        for (const piece of pieces) tally.add(piece);
        expect(tally.tokens).toBe(foreseen);
      }),
    );
  });

  it('goes on from an exact count', () => {
    const tally = new TextTally();
    tally.add('x'.repeat(360));
    expect(tally.tokens).toBe(100);
    tally.calibrate(40);
    expect(tally.tokensWith('x'.repeat(36))).toBe(50);
  });
});
