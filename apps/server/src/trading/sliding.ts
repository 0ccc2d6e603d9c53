/** What has left a queue is given back when it is more than this, and more than half. */
const SPARE = 1_024;

/** A queue that gives back the memory of what was taken out, and never moves what is left item by item. */
export class SlidingQueue<T> {
  private items: T[] = [];
  private head = 0;

  get first(): T | undefined {
    return this.items[this.head];
  }

  get last(): T | undefined {
    return this.items.length > this.head ? this.items[this.items.length - 1] : undefined;
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** Takes the youngest item out again. */
  pop(): void {
    if (this.items.length > this.head) this.items.pop();
  }

  /** Takes the oldest item out. */
  shift(): void {
    if (this.head < this.items.length) this.head += 1;
    if (this.head > SPARE && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
  }
}

/**
 * The highest or lowest of the values that are inside a moving window. A value that a later one is at least as good as can
 * never be the best again, so it is forgotten at once: what is kept is sorted, and its first is the best.
 */
export class SlidingExtreme {
  private readonly candidates = new SlidingQueue<{ readonly atMs: number; readonly value: number }>();
  private readonly sign: 1 | -1;

  constructor(kind: 'highest' | 'lowest') {
    this.sign = kind === 'highest' ? 1 : -1;
  }

  get best(): number | undefined {
    return this.candidates.first?.value;
  }

  push(atMs: number, value: number): void {
    for (let last = this.candidates.last; last !== undefined; last = this.candidates.last) {
      if (this.sign * (last.value - value) > 0) break;
      this.candidates.pop();
    }
    this.candidates.push({ atMs, value });
  }

  /** Forgets what is at or before the edge. */
  leave(edgeMs: number): void {
    for (let first = this.candidates.first; first !== undefined; first = this.candidates.first) {
      if (first.atMs > edgeMs) break;
      this.candidates.shift();
    }
  }
}
