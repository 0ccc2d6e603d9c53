const PLAIN_WORD = /^[\w.:/@*-]{1,100}$/;

/**
 * Values of one metric label. A label with unbounded values would make the process grow with what callers send, and a
 * free text could carry content; so only plain words pass, and only so many different ones.
 */
export class BoundedLabel {
  private readonly seen = new Set<string>();
  private readonly limit: number;

  constructor(limit = 256) {
    this.limit = limit;
  }

  /** The value itself, or `other` when it is no plain word or there are too many. */
  of(value: string): string {
    if (this.seen.has(value)) return value;
    if (this.seen.size >= this.limit || !PLAIN_WORD.test(value)) return 'other';
    this.seen.add(value);
    return value;
  }
}
