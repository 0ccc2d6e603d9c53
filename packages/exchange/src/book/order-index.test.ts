import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check, PATIENCE } from '../testing/effort.ts';
import { OrderIndex } from './order-index.ts';
import { NONE } from './price-ladder.ts';

const SLOTS = 400;

/** Numbers that follow each other, numbers whose low 32 bits are alike, and the ends of the range. */
const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 4 }))
    .map(([low, high]) => high * 2 ** 32 + low),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
);

/** An index beside a map: adding what is not there, taking out what is, looking for anything. */
class Pair {
  readonly index = new OrderIndex();
  readonly map = new Map<number, number>();
  readonly orderSeq = new Float64Array(SLOTS);
  private readonly free = Array.from({ length: SLOTS }, (_, slot) => slot);

  toggle(order: number): void {
    const slot = this.map.get(order);
    if (slot === undefined) this.add(order, this.free.pop()!);
    else {
      this.index.remove(order, slot);
      this.map.delete(order);
      this.free.push(slot);
    }
  }

  private add(order: number, slot: number): void {
    this.orderSeq[slot] = order;
    this.index.insert(order, slot, this.orderSeq);
    this.map.set(order, slot);
  }

  find(order: number): number {
    return this.index.find(order, this.orderSeq);
  }
}

describe('order index', PATIENCE, () => {
  it('finds what a map finds after every insert and removal', () => {
    const property = fc.property(fc.array(number, { maxLength: 600, size: 'max' }), (orders) => {
      const pair = new Pair();
      for (const order of orders) {
        pair.toggle(order);
        expect(pair.find(order)).toBe(pair.map.get(order) ?? NONE);
        expect(pair.index.count).toBe(pair.map.size);
      }
      for (const order of [...orders, 0, 301, 2 ** 33]) {
        expect(pair.find(order)).toBe(pair.map.get(order) ?? NONE);
      }
    });
    check(property, { byDefault: 60, nightly: 10_000 });
  });

  it('refuses a number that is there', () => {
    const pair = new Pair();
    pair.toggle(2 ** 32 + 7);
    pair.toggle(7);
    expect(() => pair.index.insert(2 ** 32 + 7, 9, pair.orderSeq)).toThrow('rests once');
  });
});
