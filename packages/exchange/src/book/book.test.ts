import { describe, it } from 'vitest';
import { table } from '../testing/book-table.ts';

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
