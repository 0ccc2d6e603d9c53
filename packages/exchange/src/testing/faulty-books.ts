import {
  NaiveBook,
  type NaiveChange,
  type NaiveLevel,
  type NaiveMessage,
  type NaiveReport,
  type NaiveSide,
  type Resting,
} from './naive-book.ts';

/**
 * Books with one fault each, all of them found in real engines. Several of them still give the reports that the public
 * benchmark asks for, because there an order's messages all follow each other.
 */

class CancelsAllBehind extends NaiveBook {
  override cancel(id: number): boolean {
    const order = this.orders.find((one) => one.id === id);
    if (order === undefined) return false;
    const from = this.orders.indexOf(order);
    const isLost = (one: Resting, at: number): boolean =>
      at >= from && one.side === order.side && one.priceTicks === order.priceTicks;
    this.orders = this.orders.filter((one, at) => !isLost(one, at));
    return true;
  }
}

class CancelsTheTail extends NaiveBook {
  override cancel(id: number): boolean {
    const order = this.orders.find((one) => one.id === id);
    if (order === undefined) return false;
    const level = this.queue(order.side).filter((one) => one.priceTicks === order.priceTicks);
    return this.remove(level.at(-1)!.id);
  }
}

class LosesPriorityOnShrink extends NaiveBook {
  override amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const report = super.amend(id, change);
    if (report?.end !== 'amended') return report;
    const order = this.orders.find((one) => one.id === id)!;
    this.orders = [...this.orders.filter((one) => one !== order), order];
    return report;
  }
}

class KeepsPriorityOnGrow extends NaiveBook {
  override amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const order = this.orders.find((one) => one.id === id);
    if (order?.priceTicks !== change.priceTicks || change.quantity <= order.left) {
      return super.amend(id, change);
    }
    order.left = change.quantity;
    return { fills: [], prevented: [], end: 'rests', left: order.left };
  }
}

class LosesTheOrderOfARefusedAmend extends NaiveBook {
  override amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const report = super.amend(id, change);
    if (report?.end === 'would_cross') this.remove(id);
    return report;
  }
}

class MatchesPastTheLimit extends NaiveBook {
  protected override touching(message: NaiveMessage): Resting[] {
    const priceTicks = message.priceTicks + (message.side === 'buy' ? 1 : -1);
    return super.touching({ ...message, priceTicks });
  }
}

class PrintsTheTakersPrice extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    const report = super.submit(message);
    return { ...report, fills: report.fills.map(([id, quantity]) => [id, quantity, message.priceTicks]) };
  }
}

class SweepsBidsWorstFirst extends NaiveBook {
  protected override touching(message: NaiveMessage): Resting[] {
    const makers = super.touching(message);
    return message.side === 'sell' ? makers.sort((a, b) => a.priceTicks - b.priceTicks) : makers;
  }
}

class MatchesNewestFirst extends NaiveBook {
  protected override touching(message: NaiveMessage): Resting[] {
    return super.touching(message).reverse().sort(byPrice(message.side));
  }
}

function byPrice(taker: NaiveSide): (a: Resting, b: Resting) => number {
  return (a, b) => (taker === 'buy' ? a.priceTicks - b.priceTicks : b.priceTicks - a.priceTicks);
}

class LeavesGhostLevels extends NaiveBook {
  private readonly ghosts = new Map<NaiveSide, number>();

  override cancel(id: number): boolean {
    const order = this.orders.find((one) => one.id === id);
    const isFound = super.cancel(id);
    const isLast = order !== undefined && !this.orders.some((one) => one.priceTicks === order.priceTicks);
    if (isLast) this.ghosts.set(order.side, order.priceTicks);
    return isFound;
  }

  override submit(message: NaiveMessage): NaiveReport {
    this.ghosts.clear();
    return super.submit(message);
  }

  override best(side: NaiveSide): number | undefined {
    const [best, ghost] = [super.best(side), this.ghosts.get(side)];
    if (best === undefined || ghost === undefined) return ghost ?? best;
    return side === 'buy' ? Math.max(best, ghost) : Math.min(best, ghost);
  }
}

class RestsImmediateResiduals extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    return super.submit(message.life === 'ioc' ? { ...message, life: 'gtc' } : message);
  }
}

class CountsOwnOrdersAsFillable extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    if (message.life !== 'fok') return super.submit(message);
    const offered = this.touching(message).reduce((sum, maker) => sum + maker.left, 0);
    return super.submit(offered < message.quantity ? message : { ...message, life: 'ioc' });
  }
}

class FillsFillOrKillInPart extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    return super.submit(message.life === 'fok' ? { ...message, life: 'ioc' } : message);
  }
}

class ForgetsPostOnly extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    return super.submit({ ...message, postOnly: false });
  }
}

class PreventsNoSelfTradeAfterAnAmend extends NaiveBook {
  override amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const before = this.orders.find((one) => one.id === id);
    const report = super.amend(id, change);
    const after = this.orders.find((one) => one.id === id);
    // A new owner that nobody else is: the amended order trades with everyone.
    if (before !== undefined && after !== undefined) {
      this.orders = this.orders.map((one) => (one === after ? { ...after, account: -id } : one));
    }
    return report;
  }
}

class ReportsPreventionAsATrade extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    const owned = new Map(this.orders.map((one) => [one.id, { ...one }]));
    const report = super.submit(message);
    const printed = report.prevented.map((id) => owned.get(id)!);
    const fills = printed.map(
      ({ id, left, priceTicks }) => [id, left, priceTicks] as [number, number, number],
    );
    return { ...report, fills: [...report.fills, ...fills] };
  }
}

class PrintsTradesOfNothing extends NaiveBook {
  override submit(message: NaiveMessage): NaiveReport {
    const report = super.submit(message);
    const next = this.touching(message)[0];
    if (report.end !== 'filled' || next === undefined) return report;
    return { ...report, fills: [...report.fills, [next.id, 0, next.priceTicks]] };
  }
}

class KeepsFilledMakersInItsIndex extends NaiveBook {
  private readonly index = new Set<number>();

  override submit(message: NaiveMessage): NaiveReport {
    const report = super.submit(message);
    if (report.end === 'rests') this.index.add(message.id);
    return report;
  }

  override cancel(id: number): boolean {
    super.cancel(id);
    return this.index.delete(id);
  }
}

class TakesAnAmendedQuantityTwice extends NaiveBook {
  private readonly lost = new Map<number, number>();

  override amend(id: number, change: NaiveChange): NaiveReport | undefined {
    const order = this.orders.find((one) => one.id === id);
    const before = order?.left ?? 0;
    const report = super.amend(id, change);
    if (report?.end === 'amended') this.lost.set(order!.priceTicks, before - report.left);
    return report;
  }

  override depth(side: NaiveSide): NaiveLevel[] {
    const levels = super.depth(side);
    for (const level of levels) level.quantity -= this.lost.get(level.priceTicks) ?? 0;
    return levels;
  }
}

/** By what each does wrong. */
export const FAULTY_BOOKS: ReadonlyMap<string, new () => NaiveBook> = new Map<string, new () => NaiveBook>([
  ['deletes everything behind a cancelled order', CancelsAllBehind],
  ['cancels the tail of the level, whatever order was asked for', CancelsTheTail],
  ['loses priority on a decrease', LosesPriorityOnShrink],
  ['keeps priority on an increase', KeepsPriorityOnGrow],
  ['loses the order when its amend is refused', LosesTheOrderOfARefusedAmend],
  ["matches past the taker's limit", MatchesPastTheLimit],
  ["prints at the taker's price", PrintsTheTakersPrice],
  ['sweeps bids worst first', SweepsBidsWorstFirst],
  ['matches the newest order of a level first', MatchesNewestFirst],
  ['leaves a ghost level after its last cancel', LeavesGhostLevels],
  ['rests what an immediate order leaves', RestsImmediateResiduals],
  ["counts the owner's own orders as fillable", CountsOwnOrdersAsFillable],
  ['fills a fill-or-kill order in part', FillsFillOrKillInPart],
  ['lets a post-only order trade', ForgetsPostOnly],
  ['prevents no self-trade after an amend', PreventsNoSelfTradeAfterAnAmend],
  ['reports a prevention as a trade', ReportsPreventionAsATrade],
  ['prints trades of nothing', PrintsTradesOfNothing],
  ['keeps filled makers in its index', KeepsFilledMakersInItsIndex],
  ['takes an amended quantity out of its level twice', TakesAnAmendedQuantityTwice],
]);
