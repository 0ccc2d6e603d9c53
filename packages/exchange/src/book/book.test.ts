import { describe, expect, it } from 'vitest';
import { BookDriver, sideCode } from '../testing/book-driver.ts';
import type { NaiveMessage, NaivePrevention } from '../testing/naive-book.ts';
import { BUY, PREVENTION, SELL } from './book.ts';
import { NONE, PRICE_LIMIT_TICKS } from './price-ladder.ts';

/**
 * A table of messages and what the book must say. A message is `<side> <id> <account> <quantity>@<price> [words]` or
 * `cancel <id>`; the answer is fills as `<maker>:<quantity>@<price>`, then how the message ended, then both sides of the
 * book as `<price>:<quantity>/<orders>`, bids before the bar and asks behind it, best first.
 */
function table(text: string): void {
  const driver = new BookDriver();
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const [message, expected] = line.split('=>').map((one) => one.trim().replaceAll(/ +/g, ' ')) as [
      string,
      string,
    ];
    expect(`${message} => ${answer(driver, message)}`).toBe(`${message} => ${expected}`);
  }
}

function answer(driver: BookDriver, message: string): string {
  const [verb, id] = message.split(' ') as [string, string];
  if (verb === 'cancel')
    return `${driver.cancel(Number(id)) ? 'cancelled' : 'unknown'} ; ${bookText(driver)}`;
  const { fills, prevented, end, left } = driver.submit(parse(message));
  const words = [
    ...fills.map(([maker, quantity, price]) => `${maker}:${quantity}@${price}`),
    ...prevented.map((own) => `-${own}`),
    end === 'filled' ? end : `${end} ${left}`,
  ];
  return `${words.join(' ')} ; ${bookText(driver)}`;
}

function parse(message: string): NaiveMessage {
  const [side, id, account, order, ...words] = message.split(' ') as [
    NaiveMessage['side'],
    string,
    string,
    string,
  ];
  const [quantity, price] = order.split('@') as [string, string];
  const worst = side === 'buy' ? PRICE_LIMIT_TICKS - 1 : 1;
  const style = words as string[];
  const modes: NaivePrevention[] = ['cancel_oldest', 'cancel_both', 'decrement'];
  return {
    id: Number(id),
    account: account.charCodeAt(0),
    side,
    priceTicks: price === 'market' ? worst : Number(price),
    quantity: Number(quantity),
    life: style.includes('fok') ? 'fok' : style.includes('ioc') || price === 'market' ? 'ioc' : 'gtc',
    postOnly: style.includes('post_only'),
    prevention: modes.find((mode) => style.includes(mode)) ?? 'cancel_newest',
  };
}

function bookText({ book }: BookDriver): string {
  const side = (code: typeof BUY | typeof SELL): string =>
    book
      .depth(code, 100)
      .map(({ priceTicks, quantity, orderCount }) => `${priceTicks}:${quantity}/${orderCount}`)
      .join(' ') || 'empty';
  return `${side(BUY)} | ${side(SELL)}`;
}

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
    driver.submit(parse('sell 1 A 1@101'));
    driver.submit(parse('sell 2 A 1@105'));
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

  it('cancels anywhere in a deep level', () => {
    const driver = new BookDriver();
    const count = 50_000;
    for (let id = 1; id <= count; id += 1) driver.submit(parse(`sell ${id} A 1@101`));
    // Every other order from the middle onwards: engines that walk the level for each cancel do not get through this.
    for (let id = 1; id <= count; id += 2) expect(driver.cancel(((id + count / 2) % count) + 1)).toBe(true);
    expect(driver.book.depth(sideCode('sell'), 1)).toEqual([
      { priceTicks: 101, quantity: count / 2, orderCount: count / 2 },
    ]);
  });
});
