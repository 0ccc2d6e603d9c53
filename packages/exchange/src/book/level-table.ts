import { NONE } from './price-ladder.ts';

const FIRST_CAPACITY = 64;

/** Price levels of both sides: each a first-in-first-out list of order slots, with its sums. */
export class LevelTable {
  head = new Int32Array(0);
  tail = new Int32Array(0);
  orderCount = new Int32Array(0);
  /** Sum of what is left of its orders, in units. */
  quantity = new Float64Array(0);
  private freeHead = NONE;

  constructor() {
    this.grow(FIRST_CAPACITY);
  }

  /** An empty level. */
  allocate(): number {
    if (this.freeHead === NONE) this.grow(this.head.length * 2);
    const level = this.freeHead;
    this.freeHead = this.tail[level]!;
    this.head[level] = NONE;
    this.tail[level] = NONE;
    this.orderCount[level] = 0;
    this.quantity[level] = 0;
    return level;
  }

  free(level: number): void {
    this.tail[level] = this.freeHead;
    this.freeHead = level;
  }

  private grow(capacity: number): void {
    const before = this.head.length;
    for (const column of ['head', 'tail', 'orderCount'] as const) {
      const grown = new Int32Array(capacity);
      grown.set(this[column]);
      this[column] = grown;
    }
    const quantity = new Float64Array(capacity);
    quantity.set(this.quantity);
    this.quantity = quantity;
    for (let level = capacity - 1; level >= before; level -= 1) this.free(level);
  }
}
