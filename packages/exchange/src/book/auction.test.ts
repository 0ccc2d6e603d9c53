import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auctionTicks } from './auction.ts';
import { Book, BUY, PREVENTION, SELL, type SideCode } from './book.ts';

type Quote = readonly [side: SideCode, priceTicks: number, quantity: number];

function bookOf(quotes: readonly Quote[]): Book {
  const book = new Book();
  for (const [index, [side, limitTicks, quantity]] of quotes.entries()) {
    const incoming = { account: index + 1, side, limitTicks, quantity, prevention: PREVENTION.cancelNewest };
    book.rest(index + 1, incoming, quantity);
  }
  return book;
}

/** Quotes as text: `6@25 4@24 | 3@23 5@26`, bids before the bar. */
function parse(text: string): Quote[] {
  const [bids, asks] = text.split('|').map((side) => side.trim().split(' ').filter(Boolean));
  const quote =
    (side: SideCode) =>
    (word: string): Quote => {
      const [quantity, priceTicks] = word.split('@').map(Number);
      return [side, priceTicks!, quantity!];
    };
  return [...bids!.map(quote(BUY)), ...asks!.map(quote(SELL))];
}

function traded(quotes: readonly Quote[], priceTicks: number): number {
  const sum = (side: SideCode, isReached: (quote: Quote) => boolean): number =>
    quotes.filter((one) => one[0] === side && isReached(one)).reduce((total, one) => total + one[2], 0);
  return Math.min(
    sum(BUY, (quote) => quote[1] >= priceTicks),
    sum(SELL, (quote) => quote[1] <= priceTicks),
  );
}

/** Every price there is, tried. */
function naivePrice(quotes: readonly Quote[], reference: number): number | undefined {
  let best: { priceTicks: number; units: number } | undefined;
  for (let priceTicks = 1; priceTicks <= 40; priceTicks += 1) {
    const units = traded(quotes, priceTicks);
    if (units === 0) continue;
    const isNearer = (than: number): boolean => Math.abs(priceTicks - reference) < Math.abs(than - reference);
    if (best === undefined || units > best.units || (units === best.units && isNearer(best.priceTicks)))
      best = { priceTicks, units };
  }
  return best?.priceTicks;
}

describe('the price of an auction', () => {
  it.each([
    ['what does not cross has none', '5@24 | 5@25', 24, undefined],
    ['an empty side has none', '5@24 | ', 24, undefined],
    ['one price that both name', '5@25 | 5@25', 24, 25],
    ['the most units, not the best price', '1@30 9@25 | 9@24 1@20', 29, 25],
    ['a tie goes to the reference price, also between orders', '5@30 | 5@20', 26, 26],
    ['a tie whose reference lies above ends at the highest price', '5@30 | 5@20', 99, 30],
    ['a tie whose reference lies below ends at the lowest price', '5@30 | 5@20', 3, 20],
    ['without a reference price, the lowest', '5@30 | 5@20', undefined, 20],
    ['more supply pushes it down', '5@30 | 4@20 4@21', 30, 30],
    ['more demand pushes it up', '4@30 4@29 | 5@20', 20, 20],
  ])('%s', (_what, text, reference, expected) => {
    expect(auctionTicks(bookOf(parse(text)), reference)).toBe(expected);
  });

  it('is the one that trying every price finds', () => {
    const quote = fc.tuple(
      fc.constantFrom(BUY, SELL),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
    );
    const property = fc.property(
      fc.array(quote, { maxLength: 24, size: 'max' }),
      fc.integer({ min: 1, max: 40 }),
      (quotes, reference) => {
        expect(auctionTicks(bookOf(quotes), reference)).toBe(naivePrice(quotes, reference));
      },
    );
    void fc.assert(property, { numRuns: 2_000 });
  });
});
