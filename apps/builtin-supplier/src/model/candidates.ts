import { ORDER } from './format.ts';
import { countOf, findChild, type Table } from './table.ts';

// Absolute discounting: every seen n-gram gives up half a sighting, and what is given up goes to the shorter
// context.
const DISCOUNT = 0.5;
// The shorter context gets only this part of its due, since it knows less. By eye: 0.3 wanders off, 0
// recites.
const BACKOFF_SHARE = 0.05;
// Only the most frequent followers of one context take part, like `top_k` elsewhere. The context "the" alone
// has thousands, most of them seen once, and weighing each of them for every word would cost more than it
// gives.
const FOLLOWERS_AT_MOST = 192;

/**
 * The words that may come next and how likely each is. One instance serves one thread: `collect` overwrites
 * the result of the call before, so that writing a word allocates nothing.
 */
export class Candidates {
  /** Word numbers, the first `size` of them valid. */
  readonly words: Uint16Array;
  /** Probability mass of a word number; they need not add up to 1. Zero for words that are no candidates. */
  readonly scores: Float64Array;
  size = 0;

  readonly #table: Table;
  readonly #strongest = new Map<number, Uint32Array>();

  constructor(table: Table) {
    this.#table = table;
    this.words = new Uint16Array(table.words.length);
    this.scores = new Float64Array(table.words.length);
  }

  /** Collects the followers of the last words of `context` (oldest first; -1 is an unknown word). */
  collect(context: readonly number[]): void {
    for (let index = 0; index < this.size; index++) this.scores[this.words[index]!] = 0;
    this.size = 0;
    let share = 1;
    for (let length = ORDER - 1; length >= 1; length--) {
      const node = this.#findContext(context, length);
      if (node === undefined) continue;
      const taken = this.#addFollowers(length - 1, node, share);
      share *= BACKOFF_SHARE * Math.max(0, 1 - taken);
    }
  }

  #findContext(context: readonly number[], length: number): number | undefined {
    if (context.length < length) return undefined;
    let node: number | undefined;
    for (let index = context.length - length; index < context.length; index++) {
      const word = context[index]!;
      if (word < 0) return undefined;
      const depth = index - (context.length - length);
      node = depth === 0 ? word : findChild(this.#table, depth - 1, node!, word);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** Adds the followers of one node and returns the part of its probability that they hold. */
  #addFollowers(depth: number, node: number, share: number): number {
    const level = this.#table.levels[depth]!;
    const followers = this.#table.levels[depth + 1]!;
    const total = countOf(level, node);
    const start = level.childStarts[node]!;
    const end = level.childStarts[node + 1]!;
    const strongest = end - start > FOLLOWERS_AT_MOST ? this.#strongestOf(depth, start, end) : undefined;
    const size = strongest?.length ?? end - start;
    let taken = 0;
    for (let index = 0; index < size; index++) {
      const child = strongest === undefined ? start + index : strongest[index]!;
      const part = (countOf(followers, child) - DISCOUNT) / total;
      taken += part;
      this.#add(followers.words[child]!, share * part);
    }
    return taken;
  }

  #add(word: number, score: number): void {
    if (this.scores[word] === 0) this.words[this.size++] = word;
    this.scores[word]! += score;
  }

  /**
   * The most frequent children, in the order of the table; remembered, because a crowded context is met
   * often.
   */
  #strongestOf(depth: number, start: number, end: number): Uint32Array {
    const key = depth * 0x1_0000_0000 + start;
    const known = this.#strongest.get(key);
    if (known !== undefined) return known;
    const codes = this.#table.levels[depth + 1]!.codes;
    const children = Array.from({ length: end - start }, (_, index) => start + index);
    children.sort((a, b) => codes[b]! - codes[a]! || a - b);
    const kept = Uint32Array.from(children.slice(0, FOLLOWERS_AT_MOST)).sort();
    this.#strongest.set(key, kept);
    return kept;
  }
}
