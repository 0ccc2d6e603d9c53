import { NONE } from './price-ladder.ts';

const FIRST_CAPACITY = 64;

/** Columns of numbers up to 2^53. */
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

const INTEGER_COLUMNS = ['priceTicks', 'next', 'previous', 'level'] as const;

/**
 * Resting orders as a structure of arrays with a free list. Money is in micro-dollars, quantities are whole units. A slot
 * stays readable after it was unlinked from its level, until it is freed, so that whoever settles a fill can still read
 * the maker.
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

  constructor() {
    this.grow(FIRST_CAPACITY);
  }

  /** A slot whose sums are zero. The columns that say what the order is are written by whoever asked for it. */
  allocate(): number {
    if (this.freeHead === NONE) this.grow(this.capacity * 2);
    const slot = this.freeHead;
    this.freeHead = this.next[slot]!;
    this.filledQuantity[slot] = 0;
    this.filledValueMicros[slot] = 0;
    this.feeMicros[slot] = 0;
    this.heldPromotionalMicros[slot] = 0;
    this.heldProceedsMicros[slot] = 0;
    this.heldCardMicros[slot] = 0;
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
    for (const column of FLOAT_COLUMNS) {
      const grown = new Float64Array(capacity);
      grown.set(this[column]);
      this[column] = grown;
    }
    for (const column of INTEGER_COLUMNS) {
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
