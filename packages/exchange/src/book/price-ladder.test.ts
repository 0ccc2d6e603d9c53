import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check, PATIENCE } from '../testing/effort.ts';
import { NONE, PRICE_LIMIT_TICKS, PriceLadder } from './price-ladder.ts';

/** Keys where words, pages and summary words begin and end, and any others. */
const edges = [0, 5, 10, 15, 20, 25, 30].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);
const key = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.constantFrom(...edges, PRICE_LIMIT_TICKS - 1, PRICE_LIMIT_TICKS),
  fc.integer({ min: 0, max: PRICE_LIMIT_TICKS }),
);

class SortedArray {
  keys: number[] = [];

  toggle(value: number): boolean {
    const isNew = !this.keys.includes(value);
    this.keys = isNew
      ? [...this.keys, value].sort((a, b) => a - b)
      : this.keys.filter((one) => one !== value);
    return isNew;
  }

  next(value: number): number {
    return this.keys.find((one) => one > value) ?? NONE;
  }
}

function walk(ladder: PriceLadder): number[] {
  const keys: number[] = [];
  for (let at = ladder.bestKey; at !== NONE && keys.length < 1_000; at = ladder.next(at)) keys.push(at);
  return keys;
}

describe('price ladder', PATIENCE, () => {
  it('lists the same keys as a sorted array after every insert and removal', () => {
    const property = fc.property(
      fc.array(key, { maxLength: 120, size: 'max' }),
      fc.array(key, { maxLength: 10 }),
      (toggles, probes) => {
        const ladder = new PriceLadder();
        const sorted = new SortedArray();
        toggles.forEach((value, level) => {
          if (sorted.toggle(value)) ladder.insert(value, level);
          else ladder.remove(value);
          expect(ladder.levelAt(value) === NONE).toBe(!sorted.keys.includes(value));
          expect(walk(ladder)).toEqual(sorted.keys);
        });
        for (const probe of probes) expect(ladder.next(probe)).toBe(sorted.next(probe));
      },
    );
    check(property, { byDefault: 200, nightly: 20_000 });
  });

  it('finds a far key across every tier of its bitmaps', () => {
    for (const far of edges) {
      if (far <= 1) continue;
      const ladder = new PriceLadder();
      ladder.insert(1, 0);
      ladder.insert(far, 1);
      expect(ladder.next(1)).toBe(far);
      ladder.remove(1);
      expect(ladder.bestKey).toBe(far);
    }
  });

  it('keeps the level number of each key, also where a page is used again', () => {
    const ladder = new PriceLadder();
    ladder.insert(5_000, 7);
    ladder.remove(5_000);
    ladder.insert(90_001, 3);
    expect([ladder.levelAt(90_001), ladder.levelAt(90_000), ladder.levelAt(5_000)]).toEqual([3, NONE, NONE]);
  });
});
