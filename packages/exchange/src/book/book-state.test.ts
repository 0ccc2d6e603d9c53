import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BookDriver } from '../testing/book-driver.ts';
import { firstDifference } from '../testing/book-probe.ts';
import { isNightly, PATIENCE } from '../testing/effort.ts';
import { FAULTY_BOOKS } from '../testing/faulty-books.ts';
import { LineHash } from '../testing/line-hash.ts';
import { BookPlayer, type MixedShape, type MixedWorkload, mixedWorkload } from '../testing/mixed-workload.ts';

/** Scores of orders of five owners within a few ticks: levels are long, own orders meet, everything is touched. */
const CROWDED: MixedShape = {
  count: 200_000,
  seed: 41,
  accounts: 5,
  bandTicks: 14,
  cancels: 22,
  messagesAStep: 1,
};

/** SHA-256 of the report of that stream: pinned, so that a change of any trade, order or ending shows. */
const REPORT_SHA256 = 'acbfdae6d1742d661e651c36d32f56c972612591c5b3d01bade247973578c760';

const moreSeeds = Array.from({ length: isNightly ? 40 : 0 }, (_, index) => 100 + index);
const seeds = [CROWDED.seed, ...moreSeeds];

/** Plays a workload and hashes all it says: trades, what self-trade prevention took, how each message ended. */
class HashingPlayer extends BookPlayer {
  readonly report = new LineHash(createHash('sha256'));
  private at = 0;
  private taker = 0;

  play(workload: MixedWorkload): string {
    for (this.at = 0; this.at < workload.count; this.at += 1) {
      this.taker = workload.id[this.at]!;
      const result = this.apply(workload, this.at);
      this.report.line([0, this.at, this.taker, result, this.left, this.book.orderCount]);
    }
    return this.report.digest();
  }

  protected override settle(): void {
    const { fills, orders, prevented, decremented } = this.book;
    for (let index = 0; index < fills.count; index += 1) {
      const maker = orders.orderSeq[fills.slot[index]!]!;
      this.report.line([1, this.at, fills.priceTicks[index]!, fills.quantity[index]!, maker, this.taker]);
    }
    for (const slot of prevented) this.report.line([2, this.at, orders.orderSeq[slot]!]);
    for (const { slot, quantity } of decremented) {
      this.report.line([3, this.at, orders.orderSeq[slot]!, quantity]);
    }
    super.settle();
  }
}

describe('the whole state of a book', PATIENCE, () => {
  it.each(seeds)(
    'is that of a naive book after every message of a crowded random stream, seed %i',
    (seed) => {
      expect(firstDifference(new BookDriver(), mixedWorkload({ ...CROWDED, seed }))).toBeUndefined();
    },
  );

  it('gives a report that never changes', () => {
    expect(new HashingPlayer().play(mixedWorkload(CROWDED))).toBe(REPORT_SHA256);
  });

  it.each([...FAULTY_BOOKS.keys()])('tells a book that %s', (fault) => {
    const FaultyBook = FAULTY_BOOKS.get(fault)!;
    const difference = firstDifference(new FaultyBook(), mixedWorkload({ ...CROWDED, count: 5_000 }));
    expect(difference).toMatch(/^message \d+: /);
  });
});
