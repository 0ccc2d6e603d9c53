import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookDriver, sideCode } from '../testing/book-driver.ts';
import { check, PATIENCE } from '../testing/effort.ts';
import { NaiveBook, type NaiveMessage } from '../testing/naive-book.ts';
import { NONE, PRICE_LIMIT_TICKS } from './price-ladder.ts';

/** Mostly a narrow band, so that orders meet; sometimes the ends of the range and the seams of the ladder. */
const price = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1_020, max: 1_028 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1, 2, 1_023, 1_024, 2 ** 20, 2 ** 30 - 1, 2 ** 30, PRICE_LIMIT_TICKS - 1),
  },
);

const placing = fc.record({
  account: fc.integer({ min: 1, max: 4 }),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  priceTicks: price,
  quantity: fc.integer({ min: 1, max: 12 }),
  style: fc.constantFrom('gtc', 'gtc', 'gtc', 'gtc', 'post_only', 'ioc', 'fok', 'market'),
  prevention: fc.constantFrom('cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement') as fc.Arbitrary<
    NaiveMessage['prevention']
  >,
});

type Placing = typeof placing extends fc.Arbitrary<infer T> ? T : never;

/** Cancels aim at a place in the list of live orders, so that heads, middles and tails are all hit. */
const step = fc.oneof(
  { weight: 3, arbitrary: placing },
  { weight: 1, arbitrary: fc.record({ cancelAt: fc.nat({ max: 1_000 }) }) },
);

function messageOf(id: number, { style, ...rest }: Placing): NaiveMessage {
  const isMarket = style === 'market';
  const bound = rest.side === 'buy' ? PRICE_LIMIT_TICKS - 1 : 1;
  return {
    id,
    ...rest,
    priceTicks: isMarket ? bound : rest.priceTicks,
    life: style === 'ioc' || isMarket ? 'ioc' : style === 'fok' ? 'fok' : 'gtc',
    postOnly: style === 'post_only',
  };
}

function expectSameBook(driver: BookDriver, naive: NaiveBook): void {
  for (const side of ['buy', 'sell'] as const) {
    const levels = naive.depth(side);
    expect(driver.book.depth(sideCode(side), 10_000)).toEqual(levels);
    expect(driver.book.bestTicks(sideCode(side))).toBe(levels[0]?.priceTicks ?? NONE);
    expect(driver.queue(side)).toEqual(naive.queue(side).map(({ id, left }) => ({ id, left })));
  }
  expect(driver.book.orderCount).toBe(naive.orders.length);
}

describe('the book beside a naive one', PATIENCE, () => {
  it('gives the same reports, best prices, depth and queues after every message', () => {
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 250, size: 'max' }), (steps) => {
      const [driver, naive] = [new BookDriver(), new NaiveBook()];
      const retired: number[] = [];
      let fresh = 0;
      for (const one of steps) {
        if ('cancelAt' in one) {
          const id = naive.orders[one.cancelAt % Math.max(1, naive.orders.length)]?.id ?? 0;
          expect(driver.cancel(id)).toBe(naive.cancel(id));
          if (id !== 0) retired.push(id);
        } else {
          // Every other new order takes a number that ended before, whether by cancel, fill or rejection.
          const id = (fresh % 2 === 0 ? undefined : retired.pop()) ?? fresh + 1;
          fresh += 1;
          const message = messageOf(id, one);
          expect(driver.submit(message)).toEqual(naive.submit(message));
          if (!naive.orders.some((order) => order.id === id)) retired.push(id);
        }
        expectSameBook(driver, naive);
      }
    });
    check(property, { byDefault: 150, nightly: 20_000 });
  });
});
