import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

describe('RetryBudget', () => {
  it('allows a reserve, then one try more for every five requests', () => {
    const budget = new RetryBudget();
    const spent = () => {
      let count = 0;
      while (budget.spend()) count += 1;
      return count;
    };
    expect(spent()).toBe(10);
    for (let request = 0; request < 50; request += 1) budget.earn();
    expect(spent()).toBe(10);
    for (let request = 0; request < 10_000; request += 1) budget.earn();
    expect(spent()).toBe(100);
  });
});
