import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

describe('RetryBudget', () => {
  it('allows ten tries a second, and beyond that one for every five requests', () => {
    let nowMs = 0;
    const budget = new RetryBudget(() => nowMs);
    const spent = () => {
      let count = 0;
      while (budget.spend()) count += 1;
      return count;
    };
    expect(spent()).toBe(10);
    nowMs = 500;
    expect(spent()).toBe(5);
    nowMs = 60_000;
    expect(spent()).toBe(10);
    for (let request = 0; request < 50; request += 1) budget.earn();
    expect(spent()).toBe(10);
    for (let request = 0; request < 10_000; request += 1) budget.earn();
    expect(spent()).toBe(100);
  });
});
