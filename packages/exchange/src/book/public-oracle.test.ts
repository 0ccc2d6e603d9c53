import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { PATIENCE } from '../testing/effort.ts';
import { LineHash } from '../testing/line-hash.ts';
import { MESSAGE, type PublicWorkload, PublicWorkloads, SCENARIOS } from '../testing/public-workload.ts';
import { Book, PREVENTION, type SideCode } from './book.ts';
import { NONE } from './price-ladder.ts';

/** Report lines of the benchmark: acknowledgement, trade, cancel, amend, refused cancel, refused amend. */
const LINE = { placed: 0, trade: 1, cancelled: 2, amended: 3, cancelRefused: 4, amendRefused: 5 } as const;

/** Plays a workload on the book and hashes the reports that the benchmark asks for. */
class Reporter {
  private readonly book = new Book();
  private readonly report = new LineHash(createHash('sha256'));
  private readonly workload: PublicWorkload;

  constructor(workload: PublicWorkload) {
    this.workload = workload;
  }

  digest(): string {
    for (let at = 0; at < this.workload.count; at += 1) this.play(at);
    return this.report.digest();
  }

  private play(at: number): void {
    const kind = this.workload.kind[at];
    if (kind === MESSAGE.modify) this.modify(at);
    else if (kind === MESSAGE.cancel) this.cancel(at);
    else this.place(at, kind === MESSAGE.immediate);
  }

  private place(at: number, isImmediate: boolean): void {
    const { id, side, price, quantity } = this.workload;
    this.report.line([LINE.placed, at, side[at]!, id[at]!, price[at]!, quantity[at]!]);
    const left = this.take(at);
    if (left === 0) return;
    if (isImmediate) this.report.line([LINE.cancelled, at, side[at]!, id[at]!, price[at]!]);
    else this.book.rest(id[at]!, this.incoming(at), left);
  }

  /** An amend of this benchmark takes the order out and puts it in again: none of its amends shrinks an order. */
  private modify(at: number): void {
    const { id, side, price, quantity } = this.workload;
    const slot = this.book.find(id[at]!);
    if (slot === NONE) {
      this.report.line([LINE.amendRefused, at, id[at]!]);
      return;
    }
    this.remove(slot);
    const left = this.take(at);
    if (left > 0) this.book.rest(id[at]!, this.incoming(at), left);
    this.report.line([LINE.amended, at, side[at]!, id[at]!, price[at]!, quantity[at]!]);
  }

  private cancel(at: number): void {
    const { id, side } = this.workload;
    const slot = this.book.find(id[at]!);
    if (slot === NONE) {
      this.report.line([LINE.cancelRefused, at, id[at]!]);
      return;
    }
    this.report.line([LINE.cancelled, at, side[at]!, id[at]!, this.book.orders.priceTicks[slot]!]);
    this.remove(slot);
  }

  /** Matches and reports the trades; what is left comes back. */
  private take(at: number): number {
    const left = this.book.match(this.incoming(at));
    const { fills, orders } = this.book;
    const taker = this.workload.id[at]!;
    for (let index = 0; index < fills.count; index += 1) {
      const slot = fills.slot[index]!;
      const [priceTicks, quantity] = [fills.priceTicks[index]!, fills.quantity[index]!];
      this.report.line([LINE.trade, at, priceTicks, quantity, orders.orderSeq[slot]!, taker]);
      if (orders.remaining[slot] === 0) this.book.freeSlot(slot);
    }
    return left;
  }

  /** Every order has an owner of its own: the benchmark knows no accounts. */
  private incoming(at: number) {
    const { id, side, price, quantity } = this.workload;
    return {
      account: id[at]!,
      side: side[at] as SideCode,
      limitTicks: price[at]!,
      quantity: quantity[at]!,
      prevention: PREVENTION.cancelNewest,
    };
  }

  private remove(slot: number): void {
    this.book.unlink(slot);
    this.book.freeSlot(slot);
  }
}

describe('the public benchmark flash1-dev/matching-engine-benchmark', PATIENCE, () => {
  let workloads: PublicWorkloads;

  beforeAll(() => {
    workloads = new PublicWorkloads();
  });

  it.each(SCENARIOS)(
    'scenario $name: two million messages give the published report, byte for byte',
    (scenario) => {
      expect(new Reporter(workloads.of(scenario)).digest()).toBe(scenario.sha256);
    },
  );
});
