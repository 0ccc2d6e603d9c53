import { invariant } from '../integers.ts';
import { NONE } from './price-ladder.ts';

const FIRST_BITS = 6;
/** 2^32 divided by the golden ratio: multiplying by it spreads numbers that follow each other evenly. */
const GOLDEN = 0x9e3779b1;

/**
 * Where a resting order is: its sequence number mapped to its slot. Open addressing with linear probing in one flat array
 * of pairs (low 32 bits of the number, slot + 1), at most half full; what is taken out is closed up at once, so that
 * nothing is left behind by orders that came and went. Full numbers are compared through the table of orders.
 */
export class OrderIndex {
  /** How many orders rest. */
  count = 0;
  private pairs = new Int32Array(2 << FIRST_BITS);
  private mask = (1 << FIRST_BITS) - 1;
  private shift = 32 - FIRST_BITS;

  /** The slot of an order, or NONE. `orderSeq` is the column of the table that the slots belong to. */
  find(order: number, orderSeq: Float64Array): number {
    const low = order | 0;
    const { pairs, mask } = this;
    let at = Math.imul(low, GOLDEN) >>> this.shift;
    for (let entry = pairs[2 * at + 1]!; entry !== 0; entry = pairs[2 * at + 1]!) {
      if (pairs[2 * at] === low && orderSeq[entry - 1] === order) return entry - 1;
      at = (at + 1) & mask;
    }
    return NONE;
  }

  /** Adds an order that is not there yet. Its slot must hold its number already. */
  insert(order: number, slot: number, orderSeq: Float64Array): void {
    if (2 * this.count > this.mask) this.grow();
    const low = order | 0;
    const { pairs, mask } = this;
    let at = Math.imul(low, GOLDEN) >>> this.shift;
    for (let entry = pairs[2 * at + 1]!; entry !== 0; entry = pairs[2 * at + 1]!) {
      const isSame = pairs[2 * at] === low && orderSeq[entry - 1] === order;
      invariant(!isSame, 'book: an order sequence rests once');
      at = (at + 1) & mask;
    }
    pairs[2 * at] = low;
    pairs[2 * at + 1] = slot + 1;
    this.count += 1;
  }

  /** Takes out an order that is there. */
  remove(order: number, slot: number): void {
    const { pairs, mask } = this;
    let at = Math.imul(order | 0, GOLDEN) >>> this.shift;
    while (pairs[2 * at + 1] !== slot + 1) at = (at + 1) & mask;
    this.closeGap(at);
    this.count -= 1;
  }

  /** Moves what follows a gap into it, unless that would put an entry before the place its number asks for. */
  private closeGap(emptied: number): void {
    const { pairs, mask, shift } = this;
    let gap = emptied;
    let at = (gap + 1) & mask;
    for (let entry = pairs[2 * at + 1]!; entry !== 0; entry = pairs[2 * at + 1]!) {
      const low = pairs[2 * at]!;
      const home = Math.imul(low, GOLDEN) >>> shift;
      if (((at - home) & mask) >= ((at - gap) & mask)) {
        pairs[2 * gap] = low;
        pairs[2 * gap + 1] = entry;
        gap = at;
      }
      at = (at + 1) & mask;
    }
    pairs[2 * gap + 1] = 0;
  }

  private grow(): void {
    const old = this.pairs;
    this.pairs = new Int32Array(2 * old.length);
    this.mask = 2 * this.mask + 1;
    this.shift -= 1;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      let at = Math.imul(old[from]!, GOLDEN) >>> this.shift;
      while (this.pairs[2 * at + 1] !== 0) at = (at + 1) & this.mask;
      this.pairs[2 * at] = old[from]!;
      this.pairs[2 * at + 1] = old[from + 1]!;
    }
  }
}
