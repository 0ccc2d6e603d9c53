import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check, PATIENCE } from './testing/scene.ts';
import { TradeWindow } from './trade-window.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function trade(atMs: number, priceTicks: number, quantityUnits: number, parties: [number, number] = [1, 2]) {
  return { atMs, priceTicks, quantityUnits, buyer: parties[0], seller: parties[1] };
}

describe('trade window', PATIENCE, () => {
  it('averages by volume, rounded half up to the tick', () => {
    const window = new TradeWindow();
    window.add(trade(0, 25_000, 10));
    window.add(trade(0, 30_000, 5));
    expect(window.vwap24hTicks(0)).toBe(26_667);
    window.add(trade(0, 10, 1));
    expect(new TradeWindow().vwap24hTicks(0)).toBeUndefined();
  });

  it('forgets trades after exactly five minutes and one day', () => {
    const window = new TradeWindow();
    window.add(trade(1_000, 100, 1));
    expect(window.vwap5mTicks(1_000 + 5 * MINUTE_MS - 1)).toBe(100);
    expect(window.vwap5mTicks(1_000 + 5 * MINUTE_MS)).toBeUndefined();
    expect(window.lastTicks(1_000 + DAY_MS - 1)).toBe(100);
    expect(window.vwap24hTicks(1_000 + DAY_MS - 1)).toBe(100);
    expect(window.lastTicks(1_000 + DAY_MS)).toBeUndefined();
    expect(window.vwap24hTicks(1_000 + DAY_MS)).toBeUndefined();
  });

  it('is the same after somebody looked ahead', () => {
    const window = new TradeWindow();
    window.add(trade(0, 100, 1));
    window.add(trade(1, 200, 1));
    expect(window.vwap24hTicks(2 * DAY_MS)).toBeUndefined();
    expect(window.vwap24hTicks(1)).toBe(150);
    expect(window.vwap5mTicks(1)).toBe(150);
    expect(window.export(1)).toHaveLength(2);
  });

  it('does not count what two of ten accounts trade with each other beyond a fifth of the volume', () => {
    const window = new TradeWindow();
    for (let account = 1; account <= 8; account += 2) window.add(trade(0, 100, 10, [account, account + 1]));
    // Fewer than ten accounts so far: nothing is suspect.
    expect(window.add(trade(0, 100, 10, [2, 1]))).toBe(0);
    // With 9 and 10 the volume is 60: the pair 9-10 has 10 of it, a sixth.
    expect(window.add(trade(0, 100, 10, [9, 10]))).toBe(0);
    // 40 of 80 for the pair 1-2, of which 16 are allowed: all of the new 20 are too many.
    expect(window.add(trade(0, 900, 20, [1, 2]))).toBe(20);
    expect(window.add(trade(0, 900, 20, [9, 10]))).toBe(10);
    expect(window.vwap24hTicks(0)).toBe(Math.round((60 * 100 + 10 * 900) / 70));
  });

  it('agrees with sums over all trades, whatever is looked at in between and however it was restored', () => {
    const step = fc.record({
      waitMs: fc.constantFrom(0, 1, MINUTE_MS, 4 * MINUTE_MS, DAY_MS / 2),
      priceTicks: fc.integer({ min: 1, max: 1_000 }),
      quantityUnits: fc.integer({ min: 1, max: 50 }),
      parties: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 2 }),
      lookMs: fc.constantFrom(0, 0, 5 * MINUTE_MS, DAY_MS, 2 * DAY_MS),
    });
    const property = fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      let window = new TradeWindow();
      const all: PastTrade[] = [];
      let nowMs = 0;
      for (const { waitMs, lookMs, parties, ...rest } of steps) {
        nowMs += waitMs;
        const excluded = window.add({ atMs: nowMs, ...rest, buyer: parties[0]!, seller: parties[1]! });
        const past: PastTrade = { atMs: nowMs, ...rest, parties, counted: rest.quantityUnits - excluded };
        expect(excluded).toBe(excessOf(all, past));
        all.push(past);
        window.vwap5mTicks(nowMs + lookMs);
        expect(window.vwap24hTicks(nowMs)).toBe(average(all, nowMs - DAY_MS));
        expect(window.vwap5mTicks(nowMs)).toBe(average(all, nowMs - 5 * MINUTE_MS));
        const restored = new TradeWindow();
        restored.restore(window.export(nowMs), nowMs);
        if (lookMs === DAY_MS) window = restored;
        expect(restored.vwap24hTicks(nowMs)).toBe(window.vwap24hTicks(nowMs));
        expect(restored.vwap5mTicks(nowMs)).toBe(window.vwap5mTicks(nowMs));
      }
    });
    check(property, { byDefault: 100, nightly: 5_000 });
  });
});

interface PastTrade {
  readonly atMs: number;
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly parties: readonly number[];
  readonly counted: number;
}

/** What the pair of a new trade has beyond a fifth of the day's volume, where ten or more accounts traded. */
function excessOf(all: readonly PastTrade[], added: PastTrade): number {
  const day = [...all.filter((one) => one.atMs > added.atMs - DAY_MS), added];
  if (new Set(day.flatMap((one) => one.parties)).size < 10) return 0;
  const sum = (trades: readonly PastTrade[]): number =>
    trades.reduce((units, one) => units + one.quantityUnits, 0);
  const pair = day.filter((one) => one.parties.every((party) => added.parties.includes(party)));
  return Math.max(0, Math.min(added.quantityUnits, sum(pair) - Math.floor(sum(day) / 5)));
}

function average(
  trades: { atMs: number; priceTicks: number; counted: number }[],
  afterMs: number,
): number | undefined {
  const live = trades.filter((one) => one.atMs > afterMs);
  const units = live.reduce((sum, one) => sum + one.counted, 0);
  const value = live.reduce((sum, one) => sum + one.counted * one.priceTicks, 0);
  return units === 0 ? undefined : Math.floor((2 * value + units) / (2 * units));
}
