const FIRST_CAPACITY = 64;

/** Fills of the last match, in order, as parallel arrays. Valid until the next match. */
export class FillList {
  count = 0;
  /** Slot of the maker. */
  slot = new Int32Array(FIRST_CAPACITY);
  /** Units. */
  quantity = new Float64Array(FIRST_CAPACITY);
  priceTicks = new Int32Array(FIRST_CAPACITY);

  clear(): void {
    this.count = 0;
  }

  push(slot: number, quantity: number, priceTicks: number): void {
    const index = this.count;
    if (index === this.slot.length) this.grow();
    this.slot[index] = slot;
    this.quantity[index] = quantity;
    this.priceTicks[index] = priceTicks;
    this.count = index + 1;
  }

  private grow(): void {
    const { slot, quantity, priceTicks } = this;
    const capacity = 2 * slot.length;
    this.slot = new Int32Array(capacity);
    this.slot.set(slot);
    this.quantity = new Float64Array(capacity);
    this.quantity.set(quantity);
    this.priceTicks = new Int32Array(capacity);
    this.priceTicks.set(priceTicks);
  }
}
