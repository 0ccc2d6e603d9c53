import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DayStatistics, type HistoryTrade, TradeHistory } from './trade-history.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

function naiveAverage(trades: readonly HistoryTrade[]): number | undefined {
  let units = 0n;
  let ticks = 0n;
  for (const { quantityUnits, excludedUnits, priceTicks } of trades) {
    units += BigInt(quantityUnits - excludedUnits);
    ticks += BigInt(quantityUnits - excludedUnits) * BigInt(priceTicks);
  }
  return units === 0n ? undefined : Number((2n * ticks + units) / (2n * units));
}

function naiveDay(trades: readonly HistoryTrade[], nowMs: number): DayStatistics {
  const day = trades.filter(({ atMs }) => atMs > nowMs - DAY_MS);
  const prices = day.map(({ priceTicks }) => priceTicks);
  const sum = (of: (trade: HistoryTrade) => number): number => day.reduce((total, one) => total + of(one), 0);
  return {
    openTicks: prices[0],
    highTicks: prices.length === 0 ? undefined : Math.max(...prices),
    lowTicks: prices.length === 0 ? undefined : Math.min(...prices),
    closeTicks: prices.at(-1),
    volumeUnits: sum(({ quantityUnits }) => quantityUnits),
    valueMicros: sum(({ quantityUnits, priceTicks }) => quantityUnits * priceTicks * 100),
    tradeCount: day.length,
  };
}

/** Steps around the edges of a window: the same millisecond, one before and after a day, and much longer. */
const STEP_MS = fc.oneof(
  fc.constantFrom(0, 0, 1, DAY_MS - 1, DAY_MS, DAY_MS + 1, WEEK_MS - 60_000, WEEK_MS),
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: DAY_MS }),
);

const TRADE = fc
  .record({
    stepMs: STEP_MS,
    priceTicks: fc.integer({ min: 1, max: 50 }),
    quantityUnits: fc.integer({ min: 1, max: 100 }),
    part: fc.constantFrom(0, 0, 0, 0.5, 1),
  })
  .map(({ part, ...trade }) => ({ ...trade, excludedUnits: Math.floor(trade.quantityUnits * part) }));

const ACTION = fc.oneof({ weight: 3, arbitrary: TRADE }, { weight: 1, arbitrary: STEP_MS });

describe('figures of the last 24 hours', () => {
  it('are those of a computation from all trades, at every millisecond', () => {
    fc.assert(
      fc.property(fc.array(ACTION, { maxLength: 60 }), (actions) => {
        const history = new TradeHistory();
        const trades: HistoryTrade[] = [];
        let nowMs = 1_767_225_600_000;
        for (const action of actions) {
          nowMs += typeof action === 'number' ? action : action.stepMs;
          if (typeof action !== 'number') {
            const { priceTicks, quantityUnits, excludedUnits } = action;
            trades.push({ atMs: nowMs, priceTicks, quantityUnits, excludedUnits });
            history.add(trades.at(-1)!);
          }
          expect(history.dayStatistics(nowMs)).toEqual(naiveDay(trades, nowMs));
          const day = trades.filter(({ atMs }) => atMs > nowMs - DAY_MS);
          expect(history.vwap24hTicks(nowMs)).toBe(naiveAverage(day));
          const oldestMinute = Math.floor((nowMs - WEEK_MS) / 60_000);
          const week = trades.filter(({ atMs }) => Math.floor(atMs / 60_000) >= oldestMinute);
          expect(history.vwap7dTicks(nowMs)).toBe(naiveAverage(week));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('lose a trade exactly 24 hours after it, and keep the last price', () => {
    const history = new TradeHistory();
    history.add({ atMs: 1_000, priceTicks: 25_000, quantityUnits: 4, excludedUnits: 0 });
    expect(history.dayStatistics(1_000 + DAY_MS - 1)).toMatchObject({ tradeCount: 1, highTicks: 25_000 });
    expect(history.dayStatistics(1_000 + DAY_MS)).toEqual({
      openTicks: undefined,
      highTicks: undefined,
      lowTicks: undefined,
      closeTicks: undefined,
      volumeUnits: 0,
      valueMicros: 0,
      tradeCount: 0,
    });
    expect(history.last?.priceTicks).toBe(25_000);
  });

  it('are right after more trades than are kept in memory at once', () => {
    const history = new TradeHistory();
    for (let second = 0; second < 10_000; second += 1) {
      const atMs = second * 60_000;
      history.add({ atMs, priceTicks: 1 + (second % 7), quantityUnits: 1, excludedUnits: 0 });
      expect(history.dayStatistics(atMs).tradeCount).toBe(Math.min(second + 1, 1_440));
    }
    expect(history.dayStatistics(10_000 * 60_000)).toMatchObject({ highTicks: 7, lowTicks: 1 });
  });
});
