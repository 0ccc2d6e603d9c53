import { describe, expect, it } from 'vitest';
import { BookDriver } from '../testing/book-driver.ts';
import { bytesOf } from '../testing/book-steps.ts';
import { parseOrder, table } from '../testing/book-table.ts';
import { BUY, PREVENTION, SELL } from './book.ts';

describe('price-time priority', () => {
  it('fills the best price first, then the oldest order, at the resting price', () => {
    table(`
      sell 1 A 5@102 => rests 5 ; empty | 102:5/1
      sell 2 A 5@101 => rests 5 ; empty | 101:5/1 102:5/1
      sell 3 B 5@101 => rests 5 ; empty | 101:10/2 102:5/1
      buy  4 C 12@105 => 2:5@101 3:5@101 1:2@102 filled ; empty | 102:3/1
    `);
  });

  it('keeps the place of an order that was partly filled', () => {
    table(`
      sell 1 A 5@101 => rests 5 ; empty | 101:5/1
      sell 2 B 5@101 => rests 5 ; empty | 101:10/2
      buy  3 C 2@101 => 1:2@101 filled ; empty | 101:8/2
      buy  4 C 4@101 => 1:3@101 2:1@101 filled ; empty | 101:4/1
    `);
  });

  it('sweeps bids from the highest down', () => {
    table(`
      buy  1 A 1@98  => rests 1 ; 98:1/1 | empty
      buy  2 A 1@100 => rests 1 ; 100:1/1 98:1/1 | empty
      buy  3 A 1@99  => rests 1 ; 100:1/1 99:1/1 98:1/1 | empty
      sell 4 B 3@market => 2:1@100 3:1@99 1:1@98 filled ; empty | empty
    `);
  });

  it('rests what is left of a limit order at its own price, on its own side', () => {
    table(`
      sell 1 A 3@101 => rests 3 ; empty | 101:3/1
      buy  2 B 8@102 => 1:3@101 rests 5 ; 102:5/1 | empty
      sell 3 A 1@102 => 2:1@102 filled ; 102:4/1 | empty
    `);
  });

  it('never lets market, immediate or fill-or-kill remainders rest', () => {
    table(`
      sell 1 A 3@101 => rests 3 ; empty | 101:3/1
      buy  2 B 9@101 ioc => 1:3@101 unfilled 6 ; empty | empty
      buy  3 B 9@market => unfilled 9 ; empty | empty
      sell 4 A 3@101 => rests 3 ; empty | 101:3/1
      buy  5 B 4@101 fok => unfillable 4 ; empty | 101:3/1
      buy  6 B 3@101 fok => 4:3@101 filled ; empty | empty
    `);
  });

  it('refuses post-only orders that would trade, equal price included, and rests those that would not', () => {
    table(`
      sell 1 A 3@101 => rests 3 ; empty | 101:3/1
      buy  2 B 3@101 post_only => would_cross 3 ; empty | 101:3/1
      buy  3 B 3@102 post_only => would_cross 3 ; empty | 101:3/1
      buy  4 B 3@100 post_only => rests 3 ; 100:3/1 | 101:3/1
      sell 5 A 3@100 post_only => would_cross 3 ; 100:3/1 | 101:3/1
    `);
  });

  it('prevents self-trades as the incoming order asks, wherever in the queue the own order stands', () => {
    table(`
      sell 1 A 2@101 => rests 2 ; empty | 101:2/1
      sell 2 B 3@101 => rests 3 ; empty | 101:5/2
      sell 3 A 4@101 => rests 4 ; empty | 101:9/3
      buy  4 B 9@101 => 1:2@101 prevented 7 ; empty | 101:7/2
      buy  5 B 5@101 decrement => 3:2@101 -2 filled ; empty | 101:2/1
      buy  6 A 5@101 cancel_both => -3 prevented 5 ; empty | empty
    `);
  });
});

describe('a large book', () => {
  const LEVELS = 1_000;

  it('is swept by one order through a thousand levels', () => {
    const driver = new BookDriver();
    for (let id = LEVELS; id >= 1; id -= 1) driver.submit(parseOrder(`sell ${id} A ${id}@${100 + id}`));
    expect(driver.depth('sell')).toHaveLength(LEVELS);
    const report = driver.submit(parseOrder('buy 2000 B 1000000@market'));
    const swept = Array.from({ length: LEVELS }, (_, index) => [index + 1, index + 1, 101 + index]);
    expect(report.fills).toEqual(swept);
    expect(driver.book.orderCount).toBe(0);
  });

  it('keeps what is noted of its orders while it grows', () => {
    const { book } = new BookDriver();
    const incoming = parseOrder('buy 1 A 5@101');
    const terms = { ...incoming, side: BUY, limitTicks: 101, prevention: PREVENTION.cancelNewest } as const;
    const first = book.rest(1, terms, 5);
    book.orders.flags[first]! |= 2;
    book.orders.heldCardMicros[first] = 77;
    for (let id = 2; id <= LEVELS; id += 1) book.rest(id, terms, 5);
    expect([book.find(1), book.orders.flags[first], book.orders.heldCardMicros[first]]).toEqual([
      first,
      2,
      77,
    ]);
  });

  it('begins every order with sums of zero, also in a place where another ended', () => {
    const { book } = new BookDriver();
    const terms = { account: 1, side: SELL, limitTicks: 9, quantity: 3, prevention: 0 } as const;
    const { orders } = book;
    const sums = ['filledQuantity', 'filledValueMicros', 'feeMicros', 'heldPromotionalMicros'] as const;
    const columns = [...sums, 'heldProceedsMicros', 'heldCardMicros'] as const;
    const slot = book.rest(1, terms, 3);
    for (const column of columns) orders[column][slot] = 5;
    book.unlink(slot);
    book.freeSlot(slot);
    const again = book.rest(2, terms, 2);
    expect(again).toBe(slot);
    for (const column of columns) expect(orders[column][again], column).toBe(0);
  });

  it('is no larger after a busy day than what rests on it', () => {
    const driver = new BookDriver();
    for (let id = 1; id < 20_000; id += 4) {
      driver.submit(parseOrder(`sell ${id} A 2@${100 + (id % 50)}`));
      driver.submit(parseOrder(`buy ${id + 1} B 1@market`));
      driver.submit(parseOrder(`buy ${id + 2} A 1@market decrement`));
      driver.submit(parseOrder(`buy ${id + 3} B 1@${id % 50}`));
      driver.cancel(id + 3);
    }
    expect(driver.book.orderCount).toBe(0);
    expect(bytesOf(driver.book)).toBeLessThan(100_000);
  });
});
