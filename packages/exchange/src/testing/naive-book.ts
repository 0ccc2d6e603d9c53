/**
 * The reference book of the tests: plain arrays, the whole book scanned for every step, no index that could go stale. It is
 * slow on purpose; what it says is what a reader of the matching rules would say.
 */

export type NaiveSide = 'buy' | 'sell';
export type NaivePrevention = 'cancel_newest' | 'cancel_oldest' | 'cancel_both' | 'decrement';

export interface NaiveMessage {
  readonly id: number;
  readonly account: number;
  readonly side: NaiveSide;
  /** Worst price; market orders bring the bound they were given. */
  readonly priceTicks: number;
  readonly quantity: number;
  readonly life: 'gtc' | 'ioc' | 'fok';
  readonly postOnly: boolean;
  readonly prevention: NaivePrevention;
}

export interface Resting {
  readonly id: number;
  readonly account: number;
  readonly side: NaiveSide;
  readonly priceTicks: number;
  left: number;
}

/** A new price and a new quantity that is left. The order keeps its side and its owner. */
export type NaiveChange = Pick<NaiveMessage, 'priceTicks' | 'quantity' | 'postOnly' | 'prevention'>;

export interface NaiveLevel {
  priceTicks: number;
  quantity: number;
  orderCount: number;
}

export interface NaiveReport {
  /** Maker, quantity, price. */
  readonly fills: [id: number, quantity: number, priceTicks: number][];
  /** Own resting orders that self-trade prevention ended. */
  readonly prevented: number[];
  readonly end: 'rests' | 'filled' | 'prevented' | 'unfilled' | 'unfillable' | 'would_cross' | 'amended';
  readonly left: number;
}

export class NaiveBook {
  orders: Resting[] = [];

  /** Resting orders of one side, best price first, oldest first within a price. */
  queue(side: NaiveSide): Resting[] {
    const better = (a: Resting, b: Resting): number =>
      side === 'buy' ? b.priceTicks - a.priceTicks : a.priceTicks - b.priceTicks;
    return this.orders.filter((order) => order.side === side).sort(better);
  }

  best(side: NaiveSide): number | undefined {
    return this.queue(side)[0]?.priceTicks;
  }

  depth(side: NaiveSide): NaiveLevel[] {
    const levels: NaiveLevel[] = [];
    for (const { priceTicks, left } of this.queue(side)) {
      const last = levels.at(-1);
      if (last?.priceTicks !== priceTicks) levels.push({ priceTicks, quantity: left, orderCount: 1 });
      else {
        last.quantity += left;
        last.orderCount += 1;
      }
    }
    return levels;
  }

  cancel(id: number): boolean {
    return this.remove(id);
  }

  /** Less at the same price keeps its place; anything else goes to the end, under the rules of a new order. */
  amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const order = this.orders.find((one) => one.id === id);
    if (order === undefined) return undefined;
    if (change.priceTicks === order.priceTicks && change.quantity <= order.left) {
      order.left = change.quantity;
      return { fills: [], prevented: [], end: 'amended', left: order.left };
    }
    const { account, side } = order;
    const message: NaiveMessage = { ...change, id, account, side, life: 'gtc' };
    if (change.postOnly && this.touching(message).length > 0) return nothing(message, 'would_cross');
    this.remove(id);
    return this.submit(message);
  }

  submit(message: NaiveMessage): NaiveReport {
    if (message.postOnly && this.touching(message).length > 0) return nothing(message, 'would_cross');
    const saved = message.life === 'fok' ? this.orders.map((order) => ({ ...order })) : [];
    const report = this.match(message);
    const filled = report.fills.reduce((sum, [, quantity]) => sum + quantity, 0);
    if (message.life === 'fok' && filled < message.quantity) {
      this.orders = saved;
      return nothing(message, 'unfillable');
    }
    if (report.end === 'rests') {
      const { id, account, side, priceTicks } = message;
      this.orders.push({ id, account, side, priceTicks, left: report.left });
    }
    return report;
  }

  protected remove(id: number): boolean {
    const before = this.orders.length;
    this.orders = this.orders.filter((order) => order.id !== id);
    return this.orders.length < before;
  }

  /** Resting orders that a message may trade with, in the order it would. */
  protected touching(message: NaiveMessage): Resting[] {
    const other = message.side === 'buy' ? 'sell' : 'buy';
    const isReached = (price: number): boolean =>
      message.side === 'buy' ? price <= message.priceTicks : price >= message.priceTicks;
    return this.queue(other).filter((order) => isReached(order.priceTicks));
  }

  protected match(message: NaiveMessage): NaiveReport {
    const fills: [number, number, number][] = [];
    const prevented: number[] = [];
    let left = message.quantity;
    for (const maker of this.touching(message)) {
      if (left === 0) break;
      const quantity = Math.min(left, maker.left);
      if (maker.account !== message.account) {
        fills.push([maker.id, quantity, maker.priceTicks]);
        maker.left -= quantity;
        left -= quantity;
        if (maker.left === 0) this.remove(maker.id);
        continue;
      }
      if (message.prevention === 'cancel_newest') return { fills, prevented, end: 'prevented', left };
      if (message.prevention === 'decrement') {
        maker.left -= quantity;
        left -= quantity;
      }
      if (message.prevention !== 'decrement' || maker.left === 0) {
        prevented.push(maker.id);
        this.remove(maker.id);
      }
      if (message.prevention === 'cancel_both' || left === 0)
        return { fills, prevented, end: 'prevented', left };
    }
    if (left === 0) return { fills, prevented, end: 'filled', left };
    return { fills, prevented, end: message.life === 'gtc' ? 'rests' : 'unfilled', left };
  }
}

function nothing(message: NaiveMessage, end: NaiveReport['end']): NaiveReport {
  return { fills: [], prevented: [], end, left: message.quantity };
}
