import type { BookLevel, OrderBook } from '@opengrid/sdk';
import { expect, it } from 'vitest';
import { depthView } from './depth.ts';

const level = (price: string, quantity: number, total: number): BookLevel => ({
  price,
  quantity,
  size: quantity,
  order_count: 1,
  total,
});

const bookOf = (bids: BookLevel[], asks: BookLevel[]): OrderBook => ({
  market_id: 'market-1',
  symbol: 'text-standard',
  sequence: 1,
  timestamp: '2026-01-01T00:00:00.000Z',
  bids,
  asks,
  buy: bids,
  sell: asks,
  checksum: 0,
});

it('puts the best prices next to the spread and scales both sides alike', () => {
  const asks = [level('2.5100', 4, 4), level('2.5200', 10, 14)];
  const view = depthView(bookOf([level('2.5000', 7, 7)], asks), 3);
  expect(view.asks.map((row) => row?.level.price)).toEqual([undefined, '2.5200', '2.5100']);
  expect(view.asks.map((row) => row?.share)).toEqual([undefined, 1, 4 / 14]);
  expect(view.bids.map((row) => row?.share)).toEqual([0.5, undefined, undefined]);
});

it('cuts what is deeper than the view', () => {
  const bids = [level('3.0000', 1, 1), level('2.0000', 1, 2), level('1.0000', 98, 100)];
  const view = depthView(bookOf(bids, []), 2);
  expect(view.bids.map((row) => [row?.level.price, row?.share])).toEqual([
    ['3.0000', 0.5],
    ['2.0000', 1],
  ]);
  expect(view.asks).toEqual([null, null]);
});

it('shows a thin side in four rows and any other in all of them', () => {
  const levels = Array.from({ length: 5 }, (_, index) => level(`${9 - index}.0000`, 1, index + 1));
  const view = depthView(bookOf(levels, levels.slice(0, 4)), 10);
  expect(view.bids).toHaveLength(10);
  expect(view.asks).toHaveLength(4);
  expect(view.asks.at(-1)?.level.price).toBe('9.0000');
});
