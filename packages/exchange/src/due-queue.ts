/** Something that is due at a time, with the number that orders what is due at the same millisecond. */
export interface Due {
  readonly number: number;
  readonly dueMs: number;
}

function isBefore(a: Due, b: Due): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}

/**
 * Numbers by the time they are due: a binary heap that knows where each number stands, so that what is cancelled leaves at
 * once. Numbers leave in the order of time, then number, whatever the order they came in.
 */
export class DueQueue {
  private readonly heap: Due[] = [];
  private readonly placeOf = new Map<number, number>();

  get size(): number {
    return this.heap.length;
  }

  get first(): Due | undefined {
    return this.heap[0];
  }

  dueMsOf(number: number): number | undefined {
    const place = this.placeOf.get(number);
    return place === undefined ? undefined : this.heap[place]!.dueMs;
  }

  /** Adds a number, or moves it to another time. */
  set(number: number, dueMs: number): void {
    const place = this.placeOf.get(number) ?? this.heap.length;
    this.put(place, { number, dueMs });
    this.settle(place);
  }

  delete(number: number): void {
    const place = this.placeOf.get(number);
    if (place === undefined) return;
    this.placeOf.delete(number);
    const last = this.heap.pop()!;
    if (last.number === number) return;
    this.put(place, last);
    this.settle(place);
  }

  private put(place: number, due: Due): void {
    this.heap[place] = due;
    this.placeOf.set(due.number, place);
  }

  private settle(place: number): void {
    if (!this.rise(place)) this.sink(place);
  }

  private rise(from: number): boolean {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(this.heap[place]!, this.heap[parent]!)) break;
      this.swap(place, parent);
      place = parent;
    }
    return place !== from;
  }

  private sink(from: number): void {
    const { heap } = this;
    for (let place = from; ; ) {
      const left = 2 * place + 1;
      const right = left + 1;
      let least = place;
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right;
      if (least === place) return;
      this.swap(place, least);
      place = least;
    }
  }

  private swap(a: number, b: number): void {
    const [first, second] = [this.heap[a]!, this.heap[b]!];
    this.put(a, second);
    this.put(b, first);
  }
}
