import { invariant } from '../integers.ts';
import { FillList } from './fill-list.ts';
import { LevelTable } from './level-table.ts';
import { OrderIndex } from './order-index.ts';
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

export interface DepthLevel {
  readonly priceTicks: number;
  readonly quantity: number;
  readonly orderCount: number;
}

/** Where a price stands in its side's ladder: the better, the lower. Its own inverse. */
function keyOf(side: SideCode, priceTicks: number): number {
  return side === BUY ? PRICE_LIMIT_TICKS - priceTicks : priceTicks;
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
  private readonly ladders: readonly [PriceLadder, PriceLadder] = [new PriceLadder(), new PriceLadder()];
  private readonly levels = new LevelTable();
  private readonly index = new OrderIndex();

  get orderCount(): number {
    return this.index.count;
  }

  /** The slot of a resting order by its sequence number, or NONE. */
  find(orderSeq: number): number {
    return this.index.find(orderSeq, this.orders.orderSeq);
  }

  bestTicks(side: SideCode): number {
    const { bestKey } = this.ladders[side];
    return bestKey === NONE ? NONE : keyOf(side, bestKey);
  }

  sideOf(slot: number): SideCode {
    return (this.orders.flags[slot]! & 1) as SideCode;
  }

  levelState(side: SideCode, priceTicks: number): { quantity: number; orderCount: number } {
    const level = this.ladders[side].levelAt(keyOf(side, priceTicks));
    if (level === NONE) return { quantity: 0, orderCount: 0 };
    return { quantity: this.levels.quantity[level]!, orderCount: this.levels.orderCount[level]! };
  }

  /** Up to `limit` levels, best first. */
  depth(side: SideCode, limit: number): DepthLevel[] {
    const depth: DepthLevel[] = [];
    const ladder = this.ladders[side];
    for (let key = ladder.bestKey; key !== NONE && depth.length < limit; key = ladder.next(key)) {
      const level = ladder.levelAt(key);
      const quantity = this.levels.quantity[level]!;
      depth.push({ priceTicks: keyOf(side, key), quantity, orderCount: this.levels.orderCount[level]! });
    }
    return depth;
  }

  /** Slots of one side in priority order: best price first, oldest first within a price. */
  *slots(side: SideCode): Generator<number> {
    const ladder = this.ladders[side];
    for (let key = ladder.bestKey; key !== NONE; key = ladder.next(key)) {
      const first = this.levels.head[ladder.levelAt(key)]!;
      for (let slot = first; slot !== NONE; slot = this.orders.next[slot]!) yield slot;
    }
  }

  /**
   * What {@link match} would trade, without doing it: the quantity, and the worst price it would touch (NONE when nothing).
   * Own orders count as matching treats them: they end the order, shrink it or step aside, but never fill it.
   */
  available(incoming: Incoming): { quantity: number; worstTicks: number } {
    const { orders } = this;
    const side = opposite(incoming.side);
    const ladder = this.ladders[side];
    const limitKey = keyOf(side, incoming.limitTicks);
    let wanted = incoming.quantity;
    let quantity = 0;
    let worstTicks = NONE;
    for (let key = ladder.bestKey; key !== NONE && key <= limitKey; key = ladder.next(key)) {
      let slot = this.levels.head[ladder.levelAt(key)]!;
      for (; slot !== NONE && wanted > 0; slot = orders.next[slot]!) {
        const part = Math.min(wanted, orders.remaining[slot]!);
        if (orders.account[slot] === incoming.account) {
          if (endsIncoming(incoming.prevention)) return { quantity, worstTicks };
          if (incoming.prevention === PREVENTION.decrement) wanted -= part;
          continue;
        }
        wanted -= part;
        quantity += part;
        worstTicks = orders.priceTicks[slot]!;
      }
      if (wanted === 0) break;
    }
    return { quantity, worstTicks };
  }

  /**
   * Matches an incoming order. Fills land in {@link fills}; makers that were used up are unlinked but their slots stay
   * readable until {@link freeSlot}.
   * @returns the quantity that is left.
   */
  match(incoming: Incoming): number {
    this.forgetLastMatch();
    const side = opposite(incoming.side);
    const ladder = this.ladders[side];
    const limitKey = keyOf(side, incoming.limitTicks);
    let left = incoming.quantity;
    for (let key = ladder.bestKey; key !== NONE && key <= limitKey; key = ladder.bestKey) {
      left = this.matchLevel(incoming, ladder.levelAt(key), left);
      if (left === 0 || this.incomingPrevented) break;
    }
    return left;
  }

  /** Puts an order at the end of its price level. The caller fills the remaining columns of the returned slot. */
  rest(orderSeq: number, incoming: Incoming, remaining: number): number {
    const { orders, levels } = this;
    const { side, limitTicks } = incoming;
    const level = this.levelFor(side, limitTicks);
    const slot = orders.allocate();
    orders.orderSeq[slot] = orderSeq;
    this.index.insert(orderSeq, slot, orders.orderSeq);
    orders.account[slot] = incoming.account;
    orders.priceTicks[slot] = limitTicks;
    orders.remaining[slot] = remaining;
    orders.quantity[slot] = remaining;
    orders.level[slot] = level;
    orders.flags[slot] = side;
    const last = levels.tail[level]!;
    orders.previous[slot] = last;
    orders.next[slot] = NONE;
    if (last === NONE) levels.head[level] = slot;
    else orders.next[last] = slot;
    levels.tail[level] = slot;
    levels.quantity[level]! += remaining;
    levels.orderCount[level]! += 1;
    return slot;
  }

  /** Makes a resting order smaller where it stands: it keeps its place in the queue. */
  shrink(slot: number, remaining: number): void {
    const { orders, levels } = this;
    const less = orders.remaining[slot]! - remaining;
    invariant(remaining > 0 && less > 0, 'book: shrinking leaves less than before, and something');
    orders.remaining[slot] = remaining;
    levels.quantity[orders.level[slot]!]! -= less;
  }

  /** Takes an order out of the book whatever its place in its level. The slot stays readable until freed. */
  unlink(slot: number): void {
    const { orders, levels } = this;
    const level = orders.level[slot]!;
    const before = orders.previous[slot]!;
    const after = orders.next[slot]!;
    if (before === NONE) levels.head[level] = after;
    else orders.next[before] = after;
    if (after === NONE) levels.tail[level] = before;
    else orders.previous[after] = before;
    this.index.remove(orders.orderSeq[slot]!, slot);
    levels.quantity[level]! -= orders.remaining[slot]!;
    levels.orderCount[level]! -= 1;
    if (before === NONE && after === NONE) this.closeLevel(slot, level);
  }

  freeSlot(slot: number): void {
    this.orders.free(slot);
  }

  private forgetLastMatch(): void {
    this.fills.clear();
    // Most matches prevent nothing, and setting the length of an array is a call.
    if (this.prevented.length > 0) this.prevented.length = 0;
    if (this.decremented.length > 0) this.decremented.length = 0;
    this.incomingPrevented = false;
  }

  /** Trades with one level until it or the incoming order is used up. */
  private matchLevel(incoming: Incoming, level: number, quantity: number): number {
    const { orders, levels, fills } = this;
    const { account } = incoming;
    const first = levels.head[level]!;
    const priceTicks = orders.priceTicks[first]!;
    let left = quantity;
    for (let slot = first; slot !== NONE && left > 0; ) {
      const after = orders.next[slot]!;
      const resting = orders.remaining[slot]!;
      if (orders.account[slot] === account) {
        left = this.prevent(incoming, slot, left);
        if (this.incomingPrevented) return left;
      } else if (resting > left) {
        fills.push(slot, left, priceTicks);
        orders.remaining[slot] = resting - left;
        levels.quantity[level]! -= left;
        return 0;
      } else {
        fills.push(slot, resting, priceTicks);
        left -= resting;
        this.useUp(slot);
      }
      slot = after;
    }
    return left;
  }

  private useUp(slot: number): void {
    this.unlink(slot);
    this.orders.remaining[slot] = 0;
  }

  private levelFor(side: SideCode, priceTicks: number): number {
    const ladder = this.ladders[side];
    const key = keyOf(side, priceTicks);
    const found = ladder.levelAt(key);
    if (found !== NONE) return found;
    const level = this.levels.allocate();
    ladder.insert(key, level);
    return level;
  }

  private closeLevel(slot: number, level: number): void {
    const side = this.sideOf(slot);
    this.ladders[side].remove(keyOf(side, this.orders.priceTicks[slot]!));
    this.levels.free(level);
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
    const resting = this.orders.remaining[slot]!;
    const quantity = Math.min(left, resting);
    this.decremented.push({ slot, quantity });
    if (quantity < resting) this.shrink(slot, resting - quantity);
    else {
      this.useUp(slot);
      this.prevented.push(slot);
    }
    if (left === quantity) this.incomingPrevented = true;
    return left - quantity;
  }
}

function opposite(side: SideCode): SideCode {
  return side === BUY ? SELL : BUY;
}

/** Whether meeting an own order ends the incoming one at once. */
function endsIncoming(prevention: PreventionCode): boolean {
  return prevention === PREVENTION.cancelNewest || prevention === PREVENTION.cancelBoth;
}
