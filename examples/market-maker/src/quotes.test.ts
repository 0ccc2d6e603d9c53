import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type QuoteInput, quotesOf } from './quotes.ts';

const plain: QuoteInput = {
  referenceTicks: 10_000n,
  spreadBps: 200n,
  levels: 2,
  units: 5,
  unitsHeld: 100,
  usdMicros: 1_000_000_000n,
};

const shown = (input: QuoteInput): string[] =>
  quotesOf(input).map(({ side, level, priceTicks, units }) => `${side} ${level} ${units} at ${priceTicks}`);

describe('quotes of the market maker', () => {
  it('lie around the reference, half a spread apart', () => {
    expect(shown(plain)).toEqual([
      'buy 0 5 at 9900',
      'sell 0 5 at 10100',
      'buy 1 5 at 9800',
      'sell 1 5 at 10200',
    ]);
  });

  it('go as far as money and units do', () => {
    // 0.9900 USD a unit: 2.97 USD buy three.
    expect(shown({ ...plain, unitsHeld: 6, usdMicros: 2_970_000n })).toEqual([
      'buy 0 3 at 9900',
      'sell 0 5 at 10100',
      'sell 1 1 at 10200',
    ]);
    expect(shown({ ...plain, unitsHeld: 0, usdMicros: 0n })).toEqual([]);
  });

  it('never meet, never cost more than there is, and never sell what is not held', () => {
    const inputs = fc.record({
      referenceTicks: fc.bigInt(1n, 10_000_000n),
      spreadBps: fc.bigInt(1n, 20_000n),
      levels: fc.integer({ min: 0, max: 5 }),
      units: fc.integer({ min: 1, max: 1_000 }),
      unitsHeld: fc.integer({ min: 0, max: 3_000 }),
      usdMicros: fc.bigInt(0n, 10n ** 12n),
    });
    fc.assert(
      fc.property(inputs, (input) => {
        const quotes = quotesOf(input);
        const [bids, asks] = ['buy', 'sell'].map((side) => quotes.filter((quote) => quote.side === side));
        for (const bid of bids!) for (const ask of asks!) expect(bid.priceTicks < ask.priceTicks).toBe(true);
        const cost = bids!.reduce(
          (sum, { priceTicks, units }) => sum + priceTicks * 100n * BigInt(units),
          0n,
        );
        expect(cost <= input.usdMicros).toBe(true);
        expect(asks!.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(input.unitsHeld);
        expect(quotes.every(({ priceTicks, units }) => priceTicks > 0n && units > 0)).toBe(true);
      }),
    );
  });
});
