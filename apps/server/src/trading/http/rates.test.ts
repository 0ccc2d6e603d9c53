import { expect, it } from 'vitest';
import { DEFAULT_TRADING_SETTINGS, type TradingSettings } from '../settings.ts';
import { TradingRates } from './rates.ts';
import type { RateClass } from './route.ts';

function limits(settings: Partial<TradingSettings> = {}) {
  const clock = { nowMs: 1_000_000 };
  const rates = new TradingRates({ ...DEFAULT_TRADING_SETTINGS, ...settings }, () => clock.nowMs);
  /** How many of so many requests at once are allowed. */
  const allowed = (rate: RateClass, requests: number, key = '7:1'): number =>
    Array.from({ length: requests }, () => rates.take(rate, key)).filter(({ isAllowed }) => isAllowed).length;
  return { clock, rates, allowed };
}

it('orders: 20 at once, then 10 a second, each account and market for itself', () => {
  const { clock, allowed } = limits();
  expect(allowed('order', 30)).toBe(20);
  expect(allowed('order', 30, '7:2')).toBe(20);
  expect(allowed('order', 30, '8:1')).toBe(20);
  clock.nowMs += 1_000;
  expect(allowed('order', 30)).toBe(10);
  clock.nowMs += 99;
  expect(allowed('order', 1)).toBe(0);
  clock.nowMs += 1;
  expect(allowed('order', 1)).toBe(1);
});

it('orders: a limit a minute holds beside the one a second, and the tighter one is told', () => {
  const { clock, rates, allowed } = limits({ orderRpm: 60 });
  let done = 0;
  for (let second = 0; second < 10; second += 1) {
    done += allowed('order', 20);
    clock.nowMs += 1_000;
  }
  // 60 at once and one a second from then on, of which the last has not been asked for yet.
  expect(done).toBe(60 + 9);
  const decision = rates.take('order', '7:1');
  expect(decision).toMatchObject({ isAllowed: true, limit: 60, remaining: 0 });
  expect(rates.take('order', '7:1')).toMatchObject({ isAllowed: false, limit: 60, retryAfterSeconds: 1 });
});

it('cancels and reads have buckets of their own that orders never empty', () => {
  const { allowed } = limits();
  expect(allowed('order', 100, '7:')).toBe(20);
  expect(allowed('cancel', 60, '7:')).toBe(50);
  expect(allowed('read', 60, '7:')).toBe(50);
});

it('a rate of 0 is no limit', () => {
  const { rates, allowed } = limits({ orderRate: 0, orderRpm: 0, cancelRate: 0, signedReadRate: 0 });
  for (const rate of ['order', 'cancel', 'read'] as const) expect(allowed(rate, 5_000)).toBe(5_000);
  expect(rates.take('order', 'x')).toMatchObject({ isAllowed: true, limit: 0 });
});
