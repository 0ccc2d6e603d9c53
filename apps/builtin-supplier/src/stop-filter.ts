/**
 * Finds stop sequences in text that arrives in parts. Text is held back only as long as it may still turn out
 * to be the beginning of a stop sequence.
 */
export class StopFilter {
  readonly #stops: readonly string[];
  #held = '';
  #matched = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** True once a stop sequence was found; what came after it is lost on purpose. */
  get matched(): boolean {
    return this.#matched;
  }

  /** Takes the next part and returns the text that is now safe to show. */
  push(part: string): string {
    if (this.#matched) return '';
    const text = this.#held + part;
    const found = this.#earliestStop(text);
    this.#matched = found !== undefined;
    const end = found ?? text.length - this.#heldLength(text);
    this.#held = this.#matched ? '' : text.slice(end);
    return text.slice(0, end);
  }

  /** The text still held back when nothing follows it. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }

  /**
   * Where the stop sequence begins that is complete first: the same one, however the text is cut into parts.
   */
  #earliestStop(text: string): number | undefined {
    const found = this.#stops
      .map((stop) => ({ start: text.indexOf(stop), end: text.indexOf(stop) + stop.length }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) => a.end - b.end || a.start - b.start);
    return found[0]?.start;
  }

  /** The length of the longest end of the text that begins a stop sequence. */
  #heldLength(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let size = Math.min(stop.length - 1, text.length); size > longest; size--) {
        if (text.endsWith(stop.slice(0, size))) longest = size;
      }
    }
    return longest;
  }
}
