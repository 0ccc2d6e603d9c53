import type { BookLevel, OrderBook } from '@opengrid/sdk';

/** A row of the book; `share` is its cumulative quantity over the deepest one shown, 0 to 1. */
export type DepthRow = { level: BookLevel; share: number };

/** Both sides as drawn: asks from the worst down to the best, bids from the best down. `null` fills missing rows. */
export type DepthView = { asks: (DepthRow | null)[]; bids: (DepthRow | null)[] };

/** Rows of a side with few levels, which would look lost among the full number. */
export const thinRowCount = 4;

const padded = (rows: DepthRow[], rowCount: number): (DepthRow | null)[] => {
  const shownCount = rows.length <= thinRowCount ? Math.min(thinRowCount, rowCount) : rowCount;
  return Array.from({ length: shownCount }, (_, index) => rows[index] ?? null);
};

/** Lays a book out in one of two numbers of rows a side, so that nothing moves when a level comes or goes. */
export const depthView = (book: OrderBook, rowCount: number): DepthView => {
  const asks = book.asks.slice(0, rowCount);
  const bids = book.bids.slice(0, rowCount);
  // One scale for both sides: a thin side then looks thin.
  const deepest = Math.max(1, asks.at(-1)?.total ?? 0, bids.at(-1)?.total ?? 0);
  const rowsOf = (levels: BookLevel[]): DepthRow[] =>
    levels.map((level) => ({ level, share: level.total / deepest }));
  return { asks: padded(rowsOf(asks), rowCount).reverse(), bids: padded(rowsOf(bids), rowCount) };
};
