import { invariant } from '../integers.ts';

/** Returned where there is no level or no order. */
export const NONE = -1;

/** Prices are below this many ticks, so that three steps of a tree address every one of them. */
export const PRICE_LIMIT_TICKS = 2 ** 31 - 1;

/** A node of the tree has 1,024 children: of a leaf they are levels, of a middle node leaves. */
const NODE_BITS = 10;
const NODE_SIZE = 1 << NODE_BITS;
const NODE_MASK = NODE_SIZE - 1;
/** 32 words of 32 bits say which children of a node are there; one more says which of these words are not zero. */
const WORD_BITS = 5;
const WORD_MASK = 31;
const ROOT_SIZE = 1 << (31 - 2 * NODE_BITS);

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * The ordered set of occupied prices of one side of a book, each mapped to its level index. Keys count away from the best
 * price: the price itself for asks, its mirror for bids, so the best key is always the lowest.
 *
 * It is a tree of three steps (11, 10 and 10 bits of the key) in flat arrays. Prices that trade lie together, so most
 * calls stay in the leaf of the last one, and the next best price is one or two bit operations away, whatever the depth.
 * Nodes are made where prices are, so a quiet market costs a few kilobytes and the whole range stays usable.
 */
export class PriceLadder {
  /** Middle node of each 2^20 keys, and one bit for each that is there. */
  private readonly root = new Int32Array(ROOT_SIZE).fill(NONE);
  private readonly rootWords = new Int32Array(ROOT_SIZE >>> WORD_BITS);
  private children = new Int32Array(0);
  private words = new Int32Array(0);
  private summary = new Int32Array(0);
  private readonly spareNodes: number[] = [];
  /** The leaf that was used last, and which 1,024 keys it holds. */
  private leafPage = NONE;
  private leaf = NONE;
  private best = NONE;

  /** The lowest occupied key, or NONE. */
  get bestKey(): number {
    return this.best;
  }

  levelAt(key: number): number {
    const leaf = this.leafOf(key >>> NODE_BITS);
    return leaf === NONE ? NONE : this.children[(leaf << NODE_BITS) | (key & NODE_MASK)]!;
  }

  insert(key: number, level: number): void {
    const page = key >>> NODE_BITS;
    const found = this.leafOf(page);
    const leaf = found === NONE ? this.addLeaf(page) : found;
    this.put(leaf, key & NODE_MASK, level);
    if (this.best === NONE || key < this.best) this.best = key;
  }

  /** Takes out a key that is there. */
  remove(key: number): void {
    const page = key >>> NODE_BITS;
    const leaf = this.leafOf(page);
    invariant(leaf !== NONE, 'price ladder: a removed key is there');
    this.take(leaf, key & NODE_MASK);
    if (key === this.best) this.best = this.next(key);
    if (this.summary[leaf] === 0) this.dropLeaf(page, leaf);
  }

  /** The lowest occupied key above `key`, or NONE. */
  next(key: number): number {
    const page = key >>> NODE_BITS;
    const leaf = this.leafOf(page);
    if (leaf !== NONE) {
      const offset = this.firstFrom(leaf, (key & NODE_MASK) + 1);
      if (offset !== NONE) return (page << NODE_BITS) | offset;
    }
    return this.firstAfterPage(page);
  }

  private leafOf(page: number): number {
    if (page === this.leafPage) return this.leaf;
    const middle = this.root[page >>> NODE_BITS]!;
    if (middle === NONE) return NONE;
    const leaf = this.children[(middle << NODE_BITS) | (page & NODE_MASK)]!;
    if (leaf === NONE) return NONE;
    this.leafPage = page;
    this.leaf = leaf;
    return leaf;
  }

  /** The first child of a node at or after `from` (0 to 1,024), or NONE. */
  private firstFrom(node: number, from: number): number {
    if (from >= NODE_SIZE) return NONE;
    const base = node << WORD_BITS;
    let word = from >>> WORD_BITS;
    let bits = this.words[base | word]! & (-1 << (from & WORD_MASK));
    if (bits === 0) {
      // Shifting -2 rather than -1 leaves the bits above `word`, and none when it is the last.
      const later = this.summary[node]! & (-2 << word);
      if (later === 0) return NONE;
      word = lowestBit(later);
      bits = this.words[base | word]!;
    }
    return (word << WORD_BITS) | lowestBit(bits);
  }

  private firstAfterPage(page: number): number {
    let index = page >>> NODE_BITS;
    let middle = this.root[index]!;
    let offset = middle === NONE ? NONE : this.firstFrom(middle, (page & NODE_MASK) + 1);
    if (offset === NONE) {
      index = this.firstRootFrom(index + 1);
      if (index === NONE) return NONE;
      middle = this.root[index]!;
      offset = this.firstFrom(middle, 0);
    }
    const leaf = this.children[(middle << NODE_BITS) | offset]!;
    return (((index << NODE_BITS) | offset) << NODE_BITS) | this.firstFrom(leaf, 0);
  }

  /** Looks over 64 words at most, and only where no price follows within a million ticks. */
  private firstRootFrom(from: number): number {
    let word = from >>> WORD_BITS;
    if (word >= this.rootWords.length) return NONE;
    let bits = this.rootWords[word]! & (-1 << (from & WORD_MASK));
    while (bits === 0) {
      word += 1;
      if (word === this.rootWords.length) return NONE;
      bits = this.rootWords[word]!;
    }
    return (word << WORD_BITS) | lowestBit(bits);
  }

  private put(node: number, offset: number, child: number): void {
    const word = offset >>> WORD_BITS;
    this.children[(node << NODE_BITS) | offset] = child;
    this.words[(node << WORD_BITS) | word]! |= 1 << (offset & WORD_MASK);
    this.summary[node]! |= 1 << word;
  }

  private take(node: number, offset: number): void {
    const word = offset >>> WORD_BITS;
    const at = (node << WORD_BITS) | word;
    this.children[(node << NODE_BITS) | offset] = NONE;
    this.words[at]! &= ~(1 << (offset & WORD_MASK));
    if (this.words[at] === 0) this.summary[node]! &= ~(1 << word);
  }

  private addLeaf(page: number): number {
    const index = page >>> NODE_BITS;
    let middle = this.root[index]!;
    if (middle === NONE) {
      middle = this.newNode();
      this.root[index] = middle;
      this.rootWords[index >>> WORD_BITS]! |= 1 << (index & WORD_MASK);
    }
    const leaf = this.newNode();
    this.put(middle, page & NODE_MASK, leaf);
    return leaf;
  }

  /** An emptied node has only NONE in it, so that it can be used again as it is. */
  private dropLeaf(page: number, leaf: number): void {
    const index = page >>> NODE_BITS;
    const middle = this.root[index]!;
    this.take(middle, page & NODE_MASK);
    this.spareNodes.push(leaf);
    this.leafPage = NONE;
    if (this.summary[middle] !== 0) return;
    this.root[index] = NONE;
    this.rootWords[index >>> WORD_BITS]! &= ~(1 << (index & WORD_MASK));
    this.spareNodes.push(middle);
  }

  private newNode(): number {
    if (this.spareNodes.length === 0) this.grow(Math.max(2, this.summary.length * 2));
    return this.spareNodes.pop()!;
  }

  private grow(nodes: number): void {
    const before = this.summary.length;
    const children = new Int32Array(nodes << NODE_BITS);
    children.set(this.children);
    this.children = children.fill(NONE, before << NODE_BITS);
    const words = new Int32Array(nodes << WORD_BITS);
    words.set(this.words);
    this.words = words;
    const summary = new Int32Array(nodes);
    summary.set(this.summary);
    this.summary = summary;
    for (let node = nodes - 1; node >= before; node -= 1) this.spareNodes.push(node);
  }
}
