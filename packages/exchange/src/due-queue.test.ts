import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DueQueue } from './due-queue.ts';

function drain(queue: DueQueue): [dueMs: number, number: number][] {
  const out: [number, number][] = [];
  for (let first = queue.first; first !== undefined; first = queue.first) {
    out.push([first.dueMs, first.number]);
    queue.delete(first.number);
  }
  return out;
}

const change = fc.record({ number: fc.nat({ max: 30 }), dueMs: fc.nat({ max: 9 }), gone: fc.boolean() });

describe('what is due', () => {
  it('leaves by time, then by number, whatever was moved or taken out before', () => {
    void fc.assert(
      fc.property(fc.array(change, { maxLength: 200, size: 'max' }), (changes) => {
        const queue = new DueQueue();
        const naive = new Map<number, number>();
        for (const { number, dueMs, gone } of changes) {
          if (gone) {
            queue.delete(number);
            naive.delete(number);
          } else {
            queue.set(number, dueMs);
            naive.set(number, dueMs);
          }
          expect(queue.size).toBe(naive.size);
          expect(queue.dueMsOf(number)).toBe(naive.get(number));
        }
        const sorted = [...naive].map(([number, dueMs]): [number, number] => [dueMs, number]);
        expect(drain(queue)).toEqual(sorted.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        expect(queue.size).toBe(0);
      }),
    );
  });
});
