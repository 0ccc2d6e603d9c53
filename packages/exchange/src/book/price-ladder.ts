import { invariant } from '../integers.ts';

/** Returned where there is no level or no order. */
export const NONE = -1;

/** Prices are below this many ticks, so that bitmaps of 32-bit words address them in few steps. */
export const PRICE_LIMIT_TICKS = 2 ** 31 - 1;

const PAGE_BITS = 10;
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_COUNT = 1 << (31 - PAGE_BITS);

interface Page {
  /** One bit a price of the page. */
  readonly words: Int32Array;
  /** One bit a word of the page. */
  summary: number;
  /** Level index of each price of the page, where its bit is set. */
  readonly level: Int32Array;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The bits of `word` at and above position `from` (0 to 32). */
function bitsFrom(word: number, from: number): number {
  return from > 31 ? 0 : word & (-1 << from);
}

/**
 * The ordered set of occupied prices of one side of a book, each mapped to its level index. Keys count away from the best
 * price: the price itself for asks, its mirror for bids, so the best key is always the lowest. Insert, remove and
 * next-best cost a few word operations, whatever the depth.
 */
export class PriceLadder {
  private readonly pages = new Map<number, Page>();
  private readonly sparePages: Page[] = [];
  /**
   * Summary bitmaps over pages; each bit of one says that a word of the one before it is not zero. The last is a single
   * word, so that a climb which finds nothing there has seen every page.
   */
  private readonly tiers: readonly Int32Array[] = [
    new Int32Array(PAGE_COUNT >> 5),
    new Int32Array(PAGE_COUNT >> 10),
    new Int32Array(PAGE_COUNT >> 15),
    new Int32Array(PAGE_COUNT >> 20),
    new Int32Array(1),
  ];
  private best = NONE;

  /** The lowest occupied key, or NONE. */
  get bestKey(): number {
    return this.best;
  }

  levelAt(key: number): number {
    const page = this.pages.get(key >>> PAGE_BITS);
    if (page === undefined) return NONE;
    const offset = key & (PAGE_SIZE - 1);
    return (page.words[offset >>> 5]! & (1 << (offset & 31))) === 0 ? NONE : page.level[offset]!;
  }

  insert(key: number, level: number): void {
    const pageIndex = key >>> PAGE_BITS;
    const page = this.pages.get(pageIndex) ?? this.addPage(pageIndex);
    const offset = key & (PAGE_SIZE - 1);
    page.words[offset >>> 5]! |= 1 << (offset & 31);
    page.summary |= 1 << (offset >>> 5);
    page.level[offset] = level;
    if (this.best === NONE || key < this.best) this.best = key;
  }

  remove(key: number): void {
    const pageIndex = key >>> PAGE_BITS;
    const page = this.pages.get(pageIndex);
    invariant(page !== undefined, 'price ladder: the page of a removed key exists');
    const offset = key & (PAGE_SIZE - 1);
    const word = offset >>> 5;
    page.words[word]! &= ~(1 << (offset & 31));
    if (page.words[word] === 0) page.summary &= ~(1 << word);
    if (page.summary === 0) this.dropPage(pageIndex, page);
    if (key === this.best) this.best = this.next(key);
  }

  /** The lowest occupied key above `key`, or NONE. */
  next(key: number): number {
    const from = key + 1;
    if (from > PRICE_LIMIT_TICKS) return NONE;
    const inPage = this.firstInPage(from >>> PAGE_BITS, from & (PAGE_SIZE - 1));
    if (inPage !== NONE) return inPage;
    const pageIndex = this.nextPage((from >>> PAGE_BITS) + 1);
    return pageIndex === NONE ? NONE : this.firstInPage(pageIndex, 0);
  }

  private firstInPage(pageIndex: number, offset: number): number {
    const page = this.pages.get(pageIndex);
    if (page === undefined) return NONE;
    let word = offset >>> 5;
    let bits = bitsFrom(page.words[word]!, offset & 31);
    if (bits === 0) {
      const later = bitsFrom(page.summary, word + 1);
      if (later === 0) return NONE;
      word = lowestBit(later);
      bits = page.words[word]!;
    }
    return (pageIndex << PAGE_BITS) | (word << 5) | lowestBit(bits);
  }

  /** Climbs the tiers until one shows an occupied page at or after `from`, then descends to it. */
  private nextPage(from: number): number {
    let index = from;
    for (let tier = 0; tier < this.tiers.length; tier += 1) {
      const words = this.tiers[tier]!;
      const word = index >>> 5;
      if (word >= words.length) return NONE;
      const bits = bitsFrom(words[word]!, index & 31);
      if (bits !== 0) return this.descend(tier, (word << 5) | lowestBit(bits));
      index = word + 1;
    }
    return NONE;
  }

  private descend(fromTier: number, fromIndex: number): number {
    let index = fromIndex;
    for (let tier = fromTier - 1; tier >= 0; tier -= 1) {
      index = (index << 5) | lowestBit(this.tiers[tier]![index]!);
    }
    return index;
  }

  private addPage(pageIndex: number): Page {
    const page = this.sparePages.pop() ?? {
      words: new Int32Array(PAGE_SIZE >> 5),
      summary: 0,
      level: new Int32Array(PAGE_SIZE),
    };
    this.pages.set(pageIndex, page);
    let index = pageIndex;
    for (const words of this.tiers) {
      words[index >>> 5]! |= 1 << (index & 31);
      index >>>= 5;
    }
    return page;
  }

  private dropPage(pageIndex: number, page: Page): void {
    this.pages.delete(pageIndex);
    if (this.sparePages.length < 64) this.sparePages.push(page);
    let index = pageIndex;
    for (const words of this.tiers) {
      words[index >>> 5]! &= ~(1 << (index & 31));
      if (words[index >>> 5] !== 0) return;
      index >>>= 5;
    }
  }
}
