/** A source of numbers in [0, 1). */
export type Random = () => number;

/** FNV-1a over UTF-16 code units: a small stable hash that spreads prompts over seeds. Not for secrets. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * mulberry32: the same 32-bit seed gives the same sequence on every machine, which Math.random cannot
 * promise. Its period of 2^32 is far beyond one completion.
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
