import { invariant } from '../integers.ts';
import { OrderTable } from './order-table.ts';
import { NONE, PRICE_LIMIT_TICKS, PriceLadder } from './price-ladder.ts';

export const BUY = 0;
export const SELL = 1;
export type SideCode = typeof BUY | typeof SELL;

/** What happens when an order would meet another of the same account. The incoming order's mode counts. */
export const PREVENTION = { cancelNewest: 0, cancelOldest: 1, cancelBoth: 2, decrement: 3 } as const;
export type PreventionCode = (typeof PREVENTION)[keyof typeof PREVENTION];

/** An order on its way into the book. */
export interface Incoming {
  readonly account: number;
  readonly side: SideCode;
  /** Worst acceptable price in ticks. */
  readonly limitTicks: number;
  readonly quantity: number;
  readonly prevention: PreventionCode;
}

/** Fills of the last match, in order, as parallel arrays. Valid until the next match. */
export class FillList {
  count = 0;
  slot: number[] = [];
  quantity: number[] = [];
  priceTicks: number[] = [];

  clear(): void {
    this.count = 0;
  }

  push(slot: number, quantity: number, priceTicks: number): void {
    this.slot[this.count] = slot;
    this.quantity[this.count] = quantity;
    this.priceTicks[this.count] = priceTicks;
    this.count += 1;
  }
}

export interface DepthLevel {
  readonly priceTicks: number;
  readonly quantity: number;
  readonly orderCount: number;
}

/** One side: its ladder and its price levels, each an intrusive first-in-first-out list of order slots. */
class BookSide {
  readonly ladder = new PriceLadder();
  readonly head: number[] = [];
  readonly tail: number[] = [];
  readonly quantity: number[] = [];
  readonly orderCount: number[] = [];
  private readonly freeLevels: number[] = [];
  private readonly mirrored: boolean;

  constructor(side: SideCode) {
    this.mirrored = side === BUY;
  }

  keyOf(priceTicks: number): number {
    return this.mirrored ? PRICE_LIMIT_TICKS - priceTicks : priceTicks;
  }

  priceOf(key: number): number {
    return this.mirrored ? PRICE_LIMIT_TICKS - key : key;
  }

  openLevel(key: number): number {
    const level = this.freeLevels.pop() ?? this.head.length;
    this.head[level] = NONE;
    this.tail[level] = NONE;
    this.quantity[level] = 0;
    this.orderCount[level] = 0;
    this.ladder.insert(key, level);
    return level;
  }

  closeLevel(key: number, level: number): void {
    this.ladder.remove(key);
    this.freeLevels.push(level);
  }
}

/**
 * One order book: price-time priority, trades at the resting price. It knows orders and quantities, not money: the caller
 * checks balances before and settles the {@link fills} after.
 */
export class Book {
  readonly orders = new OrderTable();
  readonly fills = new FillList();
  /** Own resting orders that self-trade prevention ended during the last match (slots, to be freed by the caller). */
  readonly prevented: number[] = [];
  /** Own resting orders that self-trade prevention made smaller during the last match, and by how much. */
  readonly decremented: { slot: number; quantity: number }[] = [];
  /** Whether self-trade prevention ended the incoming order in the last match. */
  incomingPrevented = false;
  private readonly sides: readonly [BookSide, BookSide] = [new BookSide(BUY), new BookSide(SELL)];
  private readonly slotOf = new Map<number, number>();

  get orderCount(): number {
    return this.slotOf.size;
  }

  /** The slot of a resting order by its sequence number, or NONE. */
  find(orderSeq: number): number {
    return this.slotOf.get(orderSeq) ?? NONE;
  }

  bestTicks(side: SideCode): number {
    const { ladder } = this.sides[side];
    return ladder.bestKey === NONE ? NONE : this.sides[side].priceOf(ladder.bestKey);
  }

  sideOf(slot: number): SideCode {
    return (this.orders.flags[slot]! & 1) as SideCode;
  }

  levelState(side: SideCode, priceTicks: number): { quantity: number; orderCount: number } {
    const book = this.sides[side];
    const level = book.ladder.levelAt(book.keyOf(priceTicks));
    if (level === NONE) return { quantity: 0, orderCount: 0 };
    return { quantity: book.quantity[level]!, orderCount: book.orderCount[level]! };
  }

  /** Up to `limit` levels, best first. */
  depth(side: SideCode, limit: number): DepthLevel[] {
    const levels: DepthLevel[] = [];
    const book = this.sides[side];
    for (let key = book.ladder.bestKey; key !== NONE && levels.length < limit; key = book.ladder.next(key)) {
      const level = book.ladder.levelAt(key);
      levels.push({
        priceTicks: book.priceOf(key),
        quantity: book.quantity[level]!,
        orderCount: book.orderCount[level]!,
      });
    }
    return levels;
  }

  /** Slots of one side in priority order: best price first, oldest first within a price. */
  *slots(side: SideCode): Generator<number> {
    const book = this.sides[side];
    for (let key = book.ladder.bestKey; key !== NONE; key = book.ladder.next(key)) {
      const level = book.ladder.levelAt(key);
      for (let slot = book.head[level]!; slot !== NONE; slot = this.orders.next[slot]!) yield slot;
    }
  }

  /**
   * What {@link match} would trade, without doing it: the quantity, and the worst price it would touch (NONE when nothing).
   * Own orders count as matching treats them: they end the order, shrink it or step aside, but never fill it.
   */
  available(incoming: Incoming): { quantity: number; worstTicks: number } {
    const { orders } = this;
    let wanted = incoming.quantity;
    let quantity = 0;
    let worstTicks = NONE;
    for (const slot of this.slots(incoming.side === BUY ? SELL : BUY)) {
      const priceTicks = orders.priceTicks[slot]!;
      if (wanted === 0 || !crosses(incoming, priceTicks)) break;
      const part = Math.min(wanted, orders.remaining[slot]!);
      if (orders.account[slot] === incoming.account) {
        if (endsIncoming(incoming.prevention)) break;
        if (incoming.prevention === PREVENTION.decrement) wanted -= part;
        continue;
      }
      wanted -= part;
      quantity += part;
      worstTicks = priceTicks;
    }
    return { quantity, worstTicks };
  }

  /**
   * Matches an incoming order. Fills land in {@link fills}; makers that were used up are unlinked but their slots stay
   * readable until {@link freeSlot}.
   * @returns the quantity that is left.
   */
  match(incoming: Incoming): number {
    this.fills.clear();
    this.prevented.length = 0;
    this.decremented.length = 0;
    this.incomingPrevented = false;
    const makers = this.sides[incoming.side === BUY ? SELL : BUY];
    let left = incoming.quantity;
    while (left > 0) {
      const key = makers.ladder.bestKey;
      if (key === NONE) break;
      const priceTicks = makers.priceOf(key);
      if (!crosses(incoming, priceTicks)) break;
      const slot = makers.head[makers.ladder.levelAt(key)]!;
      if (this.orders.account[slot] === incoming.account) {
        left = this.prevent(incoming, slot, left);
        if (this.incomingPrevented) break;
        continue;
      }
      const quantity = Math.min(left, this.orders.remaining[slot]!);
      this.fills.push(slot, quantity, priceTicks);
      left -= quantity;
      this.reduce(slot, quantity);
    }
    return left;
  }

  /** Puts an order at the end of its price level. The caller fills the remaining columns of the returned slot. */
  rest(orderSeq: number, incoming: Incoming, remaining: number): number {
    invariant(!this.slotOf.has(orderSeq), 'book: an order sequence rests once');
    const side = this.sides[incoming.side];
    const key = side.keyOf(incoming.limitTicks);
    let level = side.ladder.levelAt(key);
    if (level === NONE) level = side.openLevel(key);
    const slot = this.orders.allocate();
    const { orders } = this;
    orders.orderSeq[slot] = orderSeq;
    orders.account[slot] = incoming.account;
    orders.priceTicks[slot] = incoming.limitTicks;
    orders.remaining[slot] = remaining;
    orders.level[slot] = level;
    orders.flags[slot] = incoming.side;
    const last = side.tail[level]!;
    orders.previous[slot] = last;
    if (last === NONE) side.head[level] = slot;
    else orders.next[last] = slot;
    side.tail[level] = slot;
    side.quantity[level]! += remaining;
    side.orderCount[level]! += 1;
    this.slotOf.set(orderSeq, slot);
    return slot;
  }

  /** Takes an order out of the book whatever its place in its level. The slot stays readable until freed. */
  unlink(slot: number): void {
    const { orders } = this;
    const side = this.sides[this.sideOf(slot)];
    const level = orders.level[slot]!;
    const before = orders.previous[slot]!;
    const after = orders.next[slot]!;
    if (before === NONE) side.head[level] = after;
    else orders.next[before] = after;
    if (after === NONE) side.tail[level] = before;
    else orders.previous[after] = before;
    side.quantity[level]! -= orders.remaining[slot]!;
    side.orderCount[level]! -= 1;
    this.slotOf.delete(orders.orderSeq[slot]!);
    if (side.orderCount[level] === 0) side.closeLevel(side.keyOf(orders.priceTicks[slot]!), level);
  }

  freeSlot(slot: number): void {
    this.orders.free(slot);
  }

  private reduce(slot: number, quantity: number): void {
    const side = this.sides[this.sideOf(slot)];
    this.orders.remaining[slot]! -= quantity;
    side.quantity[this.orders.level[slot]!]! -= quantity;
    if (this.orders.remaining[slot] === 0) this.unlink(slot);
  }

  /** Applies self-trade prevention against the own order at the head of the best level. */
  private prevent(incoming: Incoming, slot: number, left: number): number {
    const { prevention } = incoming;
    if (prevention === PREVENTION.decrement) return this.decrement(slot, left);
    if (prevention !== PREVENTION.cancelNewest) {
      this.prevented.push(slot);
      this.unlink(slot);
    }
    if (prevention !== PREVENTION.cancelOldest) this.incomingPrevented = true;
    return left;
  }

  private decrement(slot: number, left: number): number {
    const quantity = Math.min(left, this.orders.remaining[slot]!);
    this.reduce(slot, quantity);
    this.decremented.push({ slot, quantity });
    if (this.orders.remaining[slot] === 0) this.prevented.push(slot);
    if (left === quantity) this.incomingPrevented = true;
    return left - quantity;
  }
}

function crosses(incoming: Incoming, makerTicks: number): boolean {
  return incoming.side === BUY ? makerTicks <= incoming.limitTicks : makerTicks >= incoming.limitTicks;
}

/** Whether meeting an own order ends the incoming one at once. */
function endsIncoming(prevention: PreventionCode): boolean {
  return prevention === PREVENTION.cancelNewest || prevention === PREVENTION.cancelBoth;
}
