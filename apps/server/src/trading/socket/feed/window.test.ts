import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BookLevel } from '../../book-side.ts';
import { type BookWindow, changesBetween, checksumOf, isNoChange, levelsText } from './window.ts';

/** Small deterministic random numbers, so that a failure can be repeated from its seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed >>> 0 || 1;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function level(priceTicks: number, quantityUnits: number): BookLevel {
  return { priceTicks, quantityUnits, orderCount: 1 };
}

/** What a client does: applies everything, then keeps the best `depth`. */
function applied(window: BookWindow, changes: ReturnType<typeof changesBetween>, depth: number): BookWindow {
  const side = (name: 'bids' | 'asks', sign: 1 | -1): BookLevel[] => {
    const levels = new Map(window[name].map((one) => [one.priceTicks, one.quantityUnits]));
    for (const { priceTicks, quantityUnits } of changes[name]) {
      if (quantityUnits === 0) levels.delete(priceTicks);
      else levels.set(priceTicks, quantityUnits);
    }
    return [...levels]
      .sort(([a], [b]) => sign * (a - b))
      .slice(0, depth)
      .map(([priceTicks, quantityUnits]) => level(priceTicks, quantityUnits));
  };
  return { bids: side('bids', -1), asks: side('asks', 1) };
}

describe('windows of a book', () => {
  it('sends a level that moves into view, and none that is pushed out of it', () => {
    const before = { bids: [level(30, 1), level(20, 1)], asks: [] };
    expect(changesBetween(before, { bids: [level(30, 1), level(10, 4)], asks: [] }, 2).bids).toEqual([
      { priceTicks: 20, quantityUnits: 0 },
      level(10, 4),
    ]);
    expect(changesBetween(before, { bids: [level(40, 2), level(30, 1)], asks: [] }, 2).bids).toEqual([
      level(40, 2),
    ]);
    expect(isNoChange(changesBetween(before, before, 2))).toBe(true);
  });

  it('leads a client that truncates to the same window, whatever happens behind it', () => {
    const seed = randomInt(2 ** 31);
    const roll = dice(seed);
    for (let round = 0; round < 300; round += 1) {
      const depth = 1 + roll(6);
      const book = { bids: new Map<number, number>(), asks: new Map<number, number>() };
      const window = (): BookWindow => {
        const side = (name: 'bids' | 'asks', sign: 1 | -1): BookLevel[] =>
          [...book[name]]
            .sort(([a], [b]) => sign * (a - b))
            .slice(0, depth)
            .map(([priceTicks, quantity]) => level(priceTicks, quantity));
        return { bids: side('bids', -1), asks: side('asks', 1) };
      };
      let client = window();
      for (let step = 0; step < 30; step += 1) {
        for (let change = roll(5); change >= 0; change -= 1) {
          const side = book[roll(2) === 0 ? 'bids' : 'asks'];
          const price = 1 + roll(12);
          if (roll(3) === 0) side.delete(price);
          else side.set(price, 1 + roll(3));
        }
        const after = window();
        client = applied(client, changesBetween(client, after, depth), depth);
        expect(client, `seed ${seed}`).toEqual(after);
      }
    }
  });

  it('has the published checksums', () => {
    const bids = [level(25_000, 7), level(24_900, 3)];
    const asks = [level(25_100, 4), level(25_200, 10)];
    expect(checksumOf({ bids, asks })).toBe(863458579);
    expect(checksumOf({ bids: [], asks: [] })).toBe(1661535913);
    expect(levelsText(bids)).toBe('[["2.5000","7"],["2.4900","3"]]');
    expect(levelsText([])).toBe('[]');
  });
});
