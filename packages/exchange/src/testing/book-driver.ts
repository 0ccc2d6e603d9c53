import { Book, BUY, type Incoming, PREVENTION, SELL, type SideCode } from '../book/book.ts';
import { NONE } from '../book/price-ladder.ts';
import type { NaiveChange, NaiveLevel, NaiveMessage, NaiveReport, NaiveSide } from './naive-book.ts';

const PREVENTION_CODES = {
  cancel_newest: PREVENTION.cancelNewest,
  cancel_oldest: PREVENTION.cancelOldest,
  cancel_both: PREVENTION.cancelBoth,
  decrement: PREVENTION.decrement,
} as const;

/** Drives the fast book with the messages of the naive one and reports in its words. */
export class BookDriver {
  readonly book = new Book();

  cancel(id: number): boolean {
    const slot = this.book.find(id);
    if (slot === NONE) return false;
    this.book.unlink(slot);
    this.book.freeSlot(slot);
    return true;
  }

  /** As the exchange amends: in one step, and a refusal leaves the order where it was. */
  amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const { book } = this;
    const slot = book.find(id);
    if (slot === NONE) return undefined;
    const remaining = book.orders.remaining[slot]!;
    const { priceTicks, quantity } = change;
    if (priceTicks === book.orders.priceTicks[slot] && quantity <= remaining) {
      if (quantity < remaining) book.shrink(slot, quantity);
      return { fills: [], prevented: [], end: 'amended', left: quantity };
    }
    const side = book.sideOf(slot) === BUY ? 'buy' : 'sell';
    const message = { ...change, id, account: book.orders.account[slot]!, side, life: 'gtc' } as const;
    if (change.postOnly && this.isCrossing(message)) return nothing(message, 'would_cross');
    this.cancel(id);
    return this.submit(message);
  }

  submit(message: NaiveMessage): NaiveReport {
    const incoming: Incoming = {
      account: message.account,
      side: sideCode(message.side),
      limitTicks: message.priceTicks,
      quantity: message.quantity,
      prevention: PREVENTION_CODES[message.prevention],
    };
    if (message.postOnly && this.isCrossing(message)) return nothing(message, 'would_cross');
    if (message.life === 'fok' && this.book.available(incoming).quantity < message.quantity) {
      return nothing(message, 'unfillable');
    }
    const left = this.book.match(incoming);
    const report = this.reportOf(message, left);
    if (report.end === 'rests') this.book.rest(message.id, incoming, left);
    return report;
  }

  private isCrossing(message: NaiveMessage): boolean {
    const best = this.book.bestTicks(message.side === 'buy' ? SELL : BUY);
    if (best === NONE) return false;
    return message.side === 'buy' ? best <= message.priceTicks : best >= message.priceTicks;
  }

  private reportOf(message: NaiveMessage, left: number): NaiveReport {
    const { fills, orders, prevented } = this.book;
    const seen: NaiveReport['fills'] = [];
    const ended: number[] = [];
    for (let index = 0; index < fills.count; index += 1) {
      const slot = fills.slot[index]!;
      seen.push([orders.orderSeq[slot]!, fills.quantity[index]!, fills.priceTicks[index]!]);
      if (orders.remaining[slot] === 0) this.book.freeSlot(slot);
    }
    for (const slot of prevented) {
      ended.push(orders.orderSeq[slot]!);
      this.book.freeSlot(slot);
    }
    return { fills: seen, prevented: ended, end: this.endOf(message, left), left };
  }

  private endOf(message: NaiveMessage, left: number): NaiveReport['end'] {
    if (this.book.incomingPrevented) return 'prevented';
    if (left === 0) return 'filled';
    return message.life === 'gtc' ? 'rests' : 'unfilled';
  }

  best(side: NaiveSide): number | undefined {
    const best = this.book.bestTicks(sideCode(side));
    return best === NONE ? undefined : best;
  }

  depth(side: NaiveSide): NaiveLevel[] {
    return this.book.depth(sideCode(side), Number.MAX_SAFE_INTEGER);
  }

  /** Resting orders of one side in the order they would trade. */
  queue(side: NaiveSide): { id: number; left: number }[] {
    const { orders } = this.book;
    const slots = [...this.book.slots(sideCode(side))];
    return slots.map((slot) => ({ id: orders.orderSeq[slot]!, left: orders.remaining[slot]! }));
  }
}

export function sideCode(side: NaiveSide): SideCode {
  return side === 'buy' ? BUY : SELL;
}

function nothing(message: NaiveMessage, end: NaiveReport['end']): NaiveReport {
  return { fills: [], prevented: [], end, left: message.quantity };
}
