import { NONE } from './price-ladder.ts';

/** Numeric columns of a resting order. Money is in micro-dollars, quantities are whole units. */
const FLOAT_COLUMNS = [
  'orderSeq',
  'account',
  'remaining',
  'quantity',
  'filledQuantity',
  'filledValueMicros',
  'feeMicros',
  'heldPromotionalMicros',
  'heldProceedsMicros',
  'heldCardMicros',
] as const;

/**
 * Resting orders as a structure of arrays with a free list. A slot stays readable after it was unlinked from its level,
 * until it is freed, so that whoever settles a fill can still read the maker.
 */
export class OrderTable {
  orderSeq = new Float64Array(0);
  account = new Float64Array(0);
  remaining = new Float64Array(0);
  quantity = new Float64Array(0);
  filledQuantity = new Float64Array(0);
  filledValueMicros = new Float64Array(0);
  feeMicros = new Float64Array(0);
  heldPromotionalMicros = new Float64Array(0);
  heldProceedsMicros = new Float64Array(0);
  heldCardMicros = new Float64Array(0);
  priceTicks = new Int32Array(0);
  next = new Int32Array(0);
  previous = new Int32Array(0);
  level = new Int32Array(0);
  /** Bit 0: sell. Bit 1: move fills to consumption. */
  flags = new Uint8Array(0);
  private freeHead = NONE;
  private capacity = 0;

  constructor(initialCapacity = 1024) {
    this.grow(initialCapacity);
  }

  allocate(): number {
    if (this.freeHead === NONE) this.grow(this.capacity * 2);
    const slot = this.freeHead;
    this.freeHead = this.next[slot]!;
    this.next[slot] = NONE;
    this.previous[slot] = NONE;
    for (const column of FLOAT_COLUMNS) this[column][slot] = 0;
    return slot;
  }

  free(slot: number): void {
    this.next[slot] = this.freeHead;
    this.level[slot] = NONE;
    this.freeHead = slot;
  }

  heldMicros(slot: number): number {
    return this.heldPromotionalMicros[slot]! + this.heldProceedsMicros[slot]! + this.heldCardMicros[slot]!;
  }

  private grow(capacity: number): void {
    for (const column of FLOAT_COLUMNS) this[column] = grownFloats(this[column], capacity);
    for (const column of ['priceTicks', 'next', 'previous', 'level'] as const) {
      const grown = new Int32Array(capacity);
      grown.set(this[column]);
      this[column] = grown;
    }
    const flags = new Uint8Array(capacity);
    flags.set(this.flags);
    this.flags = flags;
    for (let slot = capacity - 1; slot >= this.capacity; slot -= 1) {
      this.level[slot] = NONE;
      this.next[slot] = this.freeHead;
      this.freeHead = slot;
    }
    this.capacity = capacity;
  }
}

function grownFloats(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity);
  grown.set(column);
  return grown;
}
