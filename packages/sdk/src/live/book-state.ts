import { crc32 } from './checksum.ts';
import type { Fields } from './frame.ts';

/** One price of a live book. */
export type LiveLevel = { readonly price: string; readonly quantity: number };

type Level = { ticks: number; level: LiveLevel };
type Change = Level;
/** 1 on the side where the lowest price is best, -1 where the highest is. */
type Direction = 1 | -1;

const checkedLevels = 10;
const pricePattern = /^\d+\.\d{4}$/;

/** Reads `["2.5000","7"]`; null when it is no such pair. */
const readChange = (pair: unknown): Change | null => {
  if (!Array.isArray(pair)) return null;
  const [price, quantity] = pair as unknown[];
  if (typeof price !== 'string' || !pricePattern.test(price)) return null;
  if (typeof quantity !== 'string' || !/^\d{1,15}$/.test(quantity)) return null;
  // Without its point a price of four decimals is a whole number of ticks, which a double holds exactly.
  const ticks = Number(price.replace('.', ''));
  if (!Number.isSafeInteger(ticks)) return null;
  return { ticks, level: { price, quantity: Number(quantity) } };
};

const readChanges = (value: unknown): Change[] | null => {
  if (!Array.isArray(value)) return null;
  const changes = value.map(readChange);
  return changes.includes(null) ? null : (changes as Change[]);
};

/** One side, best price first. */
class Side {
  readonly #direction: Direction;
  readonly #levels: Level[] = [];

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  apply({ ticks, level }: Change): void {
    const index = this.#indexOf(ticks);
    const isThere = this.#levels[index]?.ticks === ticks;
    if (level.quantity === 0) {
      if (isThere) this.#levels.splice(index, 1);
      return;
    }
    this.#levels.splice(index, isThere ? 1 : 0, { ticks, level });
  }

  truncate(depth: number): void {
    if (depth !== 0 && this.#levels.length > depth) this.#levels.length = depth;
  }

  levels(): LiveLevel[] {
    return this.#levels.map(({ level }) => level);
  }

  checkedText(): string {
    const best = this.#levels.slice(0, checkedLevels);
    return best.map(({ level }) => `${level.price}:${level.quantity}`).join(',');
  }

  /** Where a price is, or where it belongs. */
  #indexOf(ticks: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#levels[middle]!.ticks - ticks) * this.#direction < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The levels of one book as its stream tells them. Whatever does not fit makes it unusable, which is told at once. */
export class BookState {
  readonly #depth: number;
  readonly #bids = new Side(-1);
  readonly #asks = new Side(1);
  /** The market's sequence that this book is of. */
  sequence = -1;
  timestamp = '';
  checksum = 0;

  private constructor(depth: number) {
    this.#depth = depth;
  }

  /** A book from `book_snapshot`; null when the snapshot is incomplete or contradicts its checksum. */
  static from(data: Fields, depth: number): BookState | null {
    const state = new BookState(depth);
    return state.#take(data) ? state : null;
  }

  /**
   * Applies one `book_delta` as a whole.
   * @returns false when a message is missing before it, or the result is not what the server has; the book must then
   *   be thrown away
   */
  apply(data: Fields): boolean {
    return data.prev_seq === this.sequence && this.#take(data);
  }

  bids(): LiveLevel[] {
    return this.#bids.levels();
  }

  asks(): LiveLevel[] {
    return this.#asks.levels();
  }

  #take(data: Fields): boolean {
    const { seq, timestamp, checksum } = data;
    const bids = readChanges(data.bids);
    const asks = readChanges(data.asks);
    if (bids === null || asks === null || !Number.isSafeInteger(seq)) return false;
    for (const change of bids) this.#bids.apply(change);
    for (const change of asks) this.#asks.apply(change);
    this.#bids.truncate(this.#depth);
    this.#asks.truncate(this.#depth);
    this.sequence = seq as number;
    this.timestamp = typeof timestamp === 'string' ? timestamp : '';
    this.checksum = crc32(`${this.#asks.checkedText()};${this.#bids.checkedText()}`);
    return this.checksum === checksum;
  }
}
