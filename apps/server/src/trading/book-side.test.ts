import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BookLevel, BookSide } from './book-side.ts';
import { checksumText } from './shapes.ts';

const CHANGE = fc.record({
  priceTicks: fc.integer({ min: 1, max: 30 }),
  quantityUnits: fc.constantFrom(0, 1, 2, 3),
  orderCount: fc.constant(1),
});

describe('a side of the public book', () => {
  it.each(['buy', 'sell'] as const)('is sorted best first after every change: %s', (side) => {
    fc.assert(
      fc.property(fc.array(CHANGE, { maxLength: 80 }), (changes) => {
        const book = new BookSide(side);
        const naive = new Map<number, BookLevel>();
        for (const level of changes) {
          book.set(level);
          if (level.quantityUnits === 0) naive.delete(level.priceTicks);
          else naive.set(level.priceTicks, level);
          const sign = side === 'buy' ? -1 : 1;
          const sorted = [...naive.values()].sort((a, b) => sign * (a.priceTicks - b.priceTicks));
          expect(book.top(Number.MAX_SAFE_INTEGER)).toEqual(sorted);
          expect(book.top(3)).toEqual(sorted.slice(0, 3));
          expect(book.bestTicks).toBe(sorted[0]?.priceTicks);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function levels(...pairs: readonly [number, number][]): BookLevel[] {
  return pairs.map(([priceTicks, quantityUnits]) => ({ priceTicks, quantityUnits, orderCount: 1 }));
}

describe('the checksum of a book', () => {
  it('is the published one for the published book', () => {
    const asks = levels([25_100, 4], [25_200, 10]);
    const bids = levels([25_000, 7], [24_900, 3]);
    expect(checksumText(asks, bids)).toBe('2.5100:4,2.5200:10;2.5000:7,2.4900:3');
    expect(crc32(checksumText(asks, bids))).toBe(863_458_579);
  });

  it('of an empty book is that of a semicolon', () => {
    expect(crc32(checksumText([], []))).toBe(1_661_535_913);
  });

  it('covers ten levels a side and no more', () => {
    const many = levels(...Array.from({ length: 12 }, (_, index): [number, number] => [100 + index, 1]));
    const ten = many.slice(0, 10);
    expect(checksumText(many, many)).toBe(checksumText(ten, ten));
    expect(checksumText(many, many)).not.toBe(checksumText(ten.slice(0, 9), ten));
  });
});
