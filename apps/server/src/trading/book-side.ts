import type { Side } from '@opengrid/exchange';

export interface BookLevel {
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly orderCount: number;
}

/**
 * The levels of one side of a book, kept in order. The best is last in the array: most changes are near the best price,
 * so that an insertion or a removal moves few elements.
 */
export class BookSide {
  private readonly levels: BookLevel[] = [];
  private readonly sign: 1 | -1;

  constructor(side: Side) {
    this.sign = side === 'buy' ? 1 : -1;
  }

  /** Replaces the level at a price, or removes it when nothing is left there. */
  set(level: BookLevel): void {
    const index = this.indexOf(level.priceTicks);
    const isThere = this.levels[index]?.priceTicks === level.priceTicks;
    if (level.quantityUnits === 0) {
      if (isThere) this.levels.splice(index, 1);
    } else if (isThere) this.levels[index] = level;
    else this.levels.splice(index, 0, level);
  }

  get bestTicks(): number | undefined {
    return this.levels.at(-1)?.priceTicks;
  }

  /** Up to `limit` levels, best first. */
  top(limit: number): BookLevel[] {
    return this.levels.slice(Math.max(0, this.levels.length - limit)).reverse();
  }

  /** Where the price is, or belongs. */
  private indexOf(priceTicks: number): number {
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sign * (this.levels[middle]!.priceTicks - priceTicks) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
