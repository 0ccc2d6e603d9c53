import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type MessageSink, playScenario, SCENARIOS } from '../testing/public-workload.ts';
import { PATIENCE } from '../testing/scene.ts';
import { Book, type Incoming, PREVENTION } from './book.ts';
import { NONE } from './price-ladder.ts';

type Sides = 0 | 1;

/** Writes the reports of the public benchmark while the book works, and hashes them. */
class Reporter implements MessageSink {
  private readonly book = new Book();
  private readonly hash = createHash('sha256');
  private lines: string[] = [];
  private sequence = 0;
  private isFirst = true;

  place(
    order: { id: number; side: Sides; price: number; quantity: number },
    life: 'rest' | 'immediate',
  ): void {
    const { id, side, price, quantity } = order;
    this.lines.push(`0,${this.sequence},${side},${id},${price},${quantity}`);
    const left = this.take(order, life);
    if (left > 0 && life === 'immediate') this.lines.push(`2,${this.sequence},${side},${id},${price}`);
    this.next();
  }

  /** An amend of this benchmark takes the order out and puts it in again: none of its amends shrinks an order. */
  modify(id: number, price: number, quantity: number): void {
    const slot = this.book.find(id);
    if (slot === NONE) this.lines.push(`5,${this.sequence},${id}`);
    else {
      const side = this.book.sideOf(slot);
      this.remove(slot);
      this.take({ id, side, price, quantity }, 'rest');
      this.lines.push(`3,${this.sequence},${side},${id},${price},${quantity}`);
    }
    this.next();
  }

  cancel(id: number): void {
    const slot = this.book.find(id);
    if (slot === NONE) this.lines.push(`4,${this.sequence},${id}`);
    else {
      this.lines.push(
        `2,${this.sequence},${this.book.sideOf(slot)},${id},${this.book.orders.priceTicks[slot]}`,
      );
      this.remove(slot);
    }
    this.next();
  }

  digest(): string {
    this.flush();
    return this.hash.digest('hex');
  }

  private take(order: { id: number; side: Sides; price: number; quantity: number }, life: string): number {
    const { id, side, price, quantity } = order;
    // Every order has an owner of its own: the benchmark knows no accounts.
    const incoming: Incoming = {
      account: id,
      side,
      limitTicks: price,
      quantity,
      prevention: PREVENTION.cancelNewest,
    };
    const left = this.book.match(incoming);
    const { fills, orders } = this.book;
    for (let index = 0; index < fills.count; index += 1) {
      const slot = fills.slot[index]!;
      const traded = `${fills.priceTicks[index]},${fills.quantity[index]}`;
      this.lines.push(`1,${this.sequence},${traded},${orders.orderSeq[slot]},${id}`);
      if (orders.remaining[slot] === 0) this.book.freeSlot(slot);
    }
    if (left > 0 && life === 'rest') this.book.rest(id, incoming, left);
    return left;
  }

  private remove(slot: number): void {
    this.book.unlink(slot);
    this.book.freeSlot(slot);
  }

  private next(): void {
    this.sequence += 1;
    if (this.lines.length > 10_000) this.flush();
  }

  private flush(): void {
    if (this.lines.length === 0) return;
    this.hash.update((this.isFirst ? '' : '\n') + this.lines.join('\n'));
    this.isFirst = false;
    this.lines = [];
  }
}

const isNightly = process.env.OPENGRID_NIGHTLY !== undefined;
/** Each scenario takes seconds; the one with the most trades runs every time. */
const chosen = SCENARIOS.filter(({ name }) => isNightly || name === 'flash-crash');

describe('the public benchmark flash1-dev/matching-engine-benchmark', PATIENCE, () => {
  it.each(chosen)(
    'scenario $name: two million messages give the published report, byte for byte',
    (scenario) => {
      const reporter = new Reporter();
      playScenario(scenario, reporter);
      expect(reporter.digest()).toBe(scenario.sha256);
    },
  );
});
