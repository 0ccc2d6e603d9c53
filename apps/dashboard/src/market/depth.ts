import type { BookLevel, OrderBook } from '@opengrid/sdk';

/** A row of the book; `share` is its cumulative quantity over the deepest one shown, 0 to 1. */
export type DepthRow = { level: BookLevel; share: number };

/** Both sides as drawn: asks from the worst down to the best, bids from the best down. `null` fills missing rows. */
export type DepthView = { asks: (DepthRow | null)[]; bids: (DepthRow | null)[] };

const padded = (rows: DepthRow[], rowCount: number): (DepthRow | null)[] =>
  Array.from({ length: rowCount }, (_, index) => rows[index] ?? null);

/** Lays a book out in a fixed number of rows, so that nothing moves when a level comes or goes. */
export const depthView = (book: OrderBook, rowCount: number): DepthView => {
  const asks = book.asks.slice(0, rowCount);
  const bids = book.bids.slice(0, rowCount);
  // One scale for both sides: a thin side then looks thin.
  const deepest = Math.max(1, asks.at(-1)?.total ?? 0, bids.at(-1)?.total ?? 0);
  const rowsOf = (levels: BookLevel[]): DepthRow[] =>
    levels.map((level) => ({ level, share: level.total / deepest }));
  return { asks: padded(rowsOf(asks), rowCount).reverse(), bids: padded(rowsOf(bids), rowCount) };
};
