import { describe, expect, it } from 'vitest';
import { BookDriver, sideCode } from '../testing/book-driver.ts';
import { bytesOf, countSteps } from '../testing/book-steps.ts';
import { parseOrder, table } from '../testing/book-table.ts';
import { PREVENTION, SELL } from './book.ts';
import { NONE, PRICE_LIMIT_TICKS } from './price-ladder.ts';

describe('faults found in real engines', () => {
  it('does not match past its own limit', () => {
    table(`
      sell 1 A 1@101 => rests 1 ; empty | 101:1/1
      sell 2 A 1@103 => rests 1 ; empty | 101:1/1 103:1/1
      buy  3 B 2@102 => 1:1@101 rests 1 ; 102:1/1 | 103:1/1
    `);
  });

  it('does not lose neighbours when a head, middle or tail order is cancelled', () => {
    table(`
      sell 1 A 1@101 => rests 1 ; empty | 101:1/1
      sell 2 A 2@101 => rests 2 ; empty | 101:3/2
      sell 3 A 3@101 => rests 3 ; empty | 101:6/3
      sell 4 A 4@101 => rests 4 ; empty | 101:10/4
      cancel 2 => cancelled ; empty | 101:8/3
      cancel 1 => cancelled ; empty | 101:7/2
      sell 5 A 5@101 => rests 5 ; empty | 101:12/3
      cancel 5 => cancelled ; empty | 101:7/2
      buy  6 B 7@101 => 3:3@101 4:4@101 filled ; empty | empty
    `);
  });

  it('leaves no ghost level behind the last cancel: the best price is right at once', () => {
    const driver = new BookDriver();
    driver.submit(parseOrder('sell 1 A 1@101'));
    driver.submit(parseOrder('sell 2 A 1@105'));
    driver.cancel(1);
    expect(driver.book.bestTicks(SELL)).toBe(105);
    driver.cancel(2);
    expect(driver.book.bestTicks(SELL)).toBe(NONE);
    expect(driver.book.depth(SELL, 5)).toEqual([]);
  });

  it('forgets a maker that was filled: cancelling it later finds nothing', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      buy  2 B 2@101 => 1:2@101 filled ; empty | empty
      cancel 1 => unknown ; empty | empty
      cancel 2 => unknown ; empty | empty
    `);
  });

  it('refuses a number that is already resting, and takes it again after a cancel or a fill', () => {
    const { book } = new BookDriver();
    const incoming = {
      account: 1,
      side: sideCode('buy'),
      limitTicks: 9,
      quantity: 1,
      prevention: PREVENTION.cancelNewest,
    };
    book.rest(1, incoming, 1);
    expect(() => book.rest(1, incoming, 1)).toThrow('rests once');
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      cancel 1 => cancelled ; empty | empty
      sell 1 A 2@102 => rests 2 ; empty | 102:2/1
      buy  2 B 2@102 => 1:2@102 filled ; empty | empty
      sell 1 A 2@103 => rests 2 ; empty | 103:2/1
      buy  2 B 1@103 => 1:1@103 filled ; empty | 103:1/1
    `);
  });

  it('does not fill-or-kill at prices beyond the limit, nor count them', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      sell 2 A 2@103 => rests 2 ; empty | 101:2/1 103:2/1
      buy  3 B 4@102 fok => unfillable 4 ; empty | 101:2/1 103:2/1
      buy  4 B 4@103 fok => 1:2@101 2:2@103 filled ; empty | empty
    `);
  });

  it("does not count the owner's own orders as fillable", () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      sell 2 B 2@101 => rests 2 ; empty | 101:4/2
      buy  3 B 4@101 fok cancel_oldest => unfillable 4 ; empty | 101:4/2
      buy  4 B 2@101 fok => 1:2@101 filled ; empty | 101:2/1
    `);
  });

  it('keeps prices apart that differ by one tick at the far ends of the range', () => {
    const top = PRICE_LIMIT_TICKS - 1;
    table(`
      sell 1 A 1@${top} => rests 1 ; empty | ${top}:1/1
      sell 2 A 1@${top - 1} => rests 1 ; empty | ${top - 1}:1/1 ${top}:1/1
      buy  3 B 1@1 => rests 1 ; 1:1/1 | ${top - 1}:1/1 ${top}:1/1
      buy  4 B 1@2 => rests 1 ; 2:1/1 1:1/1 | ${top - 1}:1/1 ${top}:1/1
      buy  5 B 2@market => 2:1@${top - 1} 1:1@${top} filled ; 2:1/1 1:1/1 | empty
    `);
  });

  it('prints at the price of the maker, not at that of the taker', () => {
    table(`
      buy  1 A 2@99  => rests 2 ; 99:2/1 | empty
      sell 2 B 1@90  => 1:1@99 filled ; 99:1/1 | empty
      sell 3 B 1@market => 1:1@99 filled ; empty | empty
      sell 4 A 2@101 => rests 2 ; empty | 101:2/1
      buy  5 B 2@110 fok => 4:2@101 filled ; empty | empty
    `);
  });

  it('sweeps the highest bid first, however the bids came in', () => {
    table(`
      buy  1 A 1@97  => rests 1 ; 97:1/1 | empty
      buy  2 A 1@99  => rests 1 ; 99:1/1 97:1/1 | empty
      buy  3 A 1@98  => rests 1 ; 99:1/1 98:1/1 97:1/1 | empty
      sell 4 B 2@97  => 2:1@99 3:1@98 filled ; 97:1/1 | empty
    `);
  });

  it('takes an amended quantity out of its level once, and leaves the neighbours where they are', () => {
    table(`
      sell 1 A 3@101 => rests 3 ; empty | 101:3/1
      sell 2 A 9@101 => rests 9 ; empty | 101:12/2
      sell 3 A 4@101 => rests 4 ; empty | 101:16/3
      amend 2 5@101  => amended 5 ; empty | 101:12/3
      amend 2 5@102  => rests 5 ; empty | 101:7/2 102:5/1
      cancel 2       => cancelled ; empty | 101:7/2
      buy  4 B 7@101 => 1:3@101 3:4@101 filled ; empty | empty
    `);
  });

  it('keeps the place of an order that shrinks, and takes it from one that grows', () => {
    table(`
      sell 1 A 3@101 => rests 3 ; empty | 101:3/1
      sell 2 B 3@101 => rests 3 ; empty | 101:6/2
      amend 1 2@101  => amended 2 ; empty | 101:5/2
      buy  3 C 1@101 => 1:1@101 filled ; empty | 101:4/2
      amend 1 2@101  => rests 2 ; empty | 101:5/2
      buy  4 C 4@101 => 2:3@101 1:1@101 filled ; empty | 101:1/1
    `);
  });

  it('leaves an order in its place when its amend is refused', () => {
    table(`
      buy  1 A 3@99  => rests 3 ; 99:3/1 | empty
      buy  2 B 3@99  => rests 3 ; 99:6/2 | empty
      sell 3 C 3@101 => rests 3 ; 99:6/2 | 101:3/1
      amend 1 3@101 post_only => would_cross 3 ; 99:6/2 | 101:3/1
      amend 7 3@99   => unknown ; 99:6/2 | 101:3/1
      sell 4 C 4@99  => 1:3@99 2:1@99 filled ; 99:2/1 | 101:3/1
    `);
  });

  it('lets an amended order trade on its way, at the prices of the makers', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      buy  2 B 3@99  => rests 3 ; 99:3/1 | 101:2/1
      amend 2 5@102  => 1:2@101 rests 3 ; 102:3/1 | empty
    `);
  });

  it('prevents self-trades of an amended order too', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      buy  2 A 3@99  => rests 3 ; 99:3/1 | 101:2/1
      amend 2 3@101 cancel_oldest => -1 rests 3 ; 101:3/1 | empty
      sell 3 A 2@101 => prevented 2 ; 101:3/1 | empty
    `);
  });

  it('never reports a prevention as a trade', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      buy  2 A 1@101 decrement => prevented 0 ; empty | 101:1/1
      buy  3 A 5@101 cancel_oldest => -1 rests 5 ; 101:5/1 | empty
      sell 4 A 5@101 cancel_both => -3 prevented 5 ; empty | empty
    `);
  });

  it('prints no trade of nothing where a level was used up exactly', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      sell 2 A 2@101 => rests 2 ; empty | 101:4/2
      sell 3 A 2@102 => rests 2 ; empty | 101:4/2 102:2/1
      buy  4 B 4@102 => 1:2@101 2:2@101 filled ; empty | 102:2/1
    `);
  });

  it('rests nothing of a market order, at a sentinel price least of all', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      buy  2 B 5@market => 1:2@101 unfilled 3 ; empty | empty
      sell 3 A 1@${PRICE_LIMIT_TICKS - 1} => rests 1 ; empty | ${PRICE_LIMIT_TICKS - 1}:1/1
      sell 4 B 5@market => unfilled 5 ; empty | ${PRICE_LIMIT_TICKS - 1}:1/1
    `);
  });

  it('rests nothing of an immediate order', () => {
    table(`
      buy  1 A 2@99 => rests 2 ; 99:2/1 | empty
      sell 2 B 5@99 ioc => 1:2@99 unfilled 3 ; empty | empty
      buy  3 A 5@99 => rests 5 ; 99:5/1 | empty
    `);
  });

  it('adds up quantities of a level beyond 32 bits', () => {
    const quantity = 2 ** 50;
    table(`
      sell 1 A ${quantity}@101 => rests ${quantity} ; empty | 101:${quantity}/1
      sell 2 A ${quantity}@101 => rests ${quantity} ; empty | 101:${2 * quantity}/2
      buy  3 B ${quantity + 1}@101 => 1:${quantity}@101 2:1@101 filled ; empty | 101:${quantity - 1}/1
    `);
  });
});

/** No step of the book walks along a level, over levels or through an index: what it costs is bounded. */
describe('the cost of a deep book', () => {
  const DEEP = 40_000;
  const MOST_STEPS = 200;

  function deepLevel(): BookDriver {
    const driver = new BookDriver();
    for (let id = 1; id <= DEEP; id += 1) driver.submit(parseOrder(`sell ${id} A 1@101`));
    return driver;
  }

  it('is the same for a cancel at the head, in the middle and at the tail of a level', () => {
    const driver = deepLevel();
    for (const id of [1, DEEP / 2, DEEP - 1, DEEP]) {
      const steps = countSteps(driver.book, () => expect(driver.cancel(id)).toBe(true));
      expect(steps, `steps of cancelling ${id}`).toBeLessThan(MOST_STEPS);
    }
    expect(driver.depth('sell')).toEqual([{ priceTicks: 101, quantity: DEEP - 4, orderCount: DEEP - 4 }]);
  });

  it('is bounded for an insert, a shrink, a first fill and a look at the level', () => {
    const driver = deepLevel();
    const id = DEEP + 1;
    const steps = [
      () => driver.submit(parseOrder(`sell ${id} A 5@101`)),
      () => driver.amend(id, parseOrder(`sell ${id} A 2@101`)),
      () => driver.submit(parseOrder('buy 7000001 B 1@101')),
      () => driver.book.levelState(SELL, 101),
    ].map((action) => countSteps(driver.book, action));
    for (const count of steps) expect(count).toBeLessThan(MOST_STEPS);
  });

  it('is bounded where the best of many levels ends, near or far from the next', () => {
    const driver = new BookDriver();
    for (let level = 0; level < 2_000; level += 1) {
      driver.submit(parseOrder(`sell ${level + 1} A 1@${1 + level * 50_000}`));
    }
    for (let id = 1; id <= 100; id += 1) {
      const steps = countSteps(driver.book, () => driver.cancel(id));
      expect(steps, `steps of ending level ${id}`).toBeLessThan(MOST_STEPS);
      expect(driver.best('sell')).toBe(1 + id * 50_000);
    }
  });

  it('is bounded in memory: a market with ten orders takes little', () => {
    const driver = new BookDriver();
    for (let id = 1; id <= 10; id += 1) driver.submit(parseOrder(`sell ${id} A 1@${id * 200_000_000}`));
    expect(bytesOf(driver.book)).toBeLessThan(300_000);
  });
});
