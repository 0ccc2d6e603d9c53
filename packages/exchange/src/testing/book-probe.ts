import { PREVENTION } from '../book/book.ts';
import { ACTION, LIFE, type MixedWorkload } from './mixed-workload.ts';
import {
  NaiveBook,
  type NaiveChange,
  type NaiveLevel,
  type NaiveMessage,
  type NaivePrevention,
  type NaiveReport,
  type NaiveSide,
  type Resting,
} from './naive-book.ts';

/** A book that can be looked at as a whole. */
export interface ProbedBook {
  submit(message: NaiveMessage): NaiveReport;
  amend(id: number, change: NaiveChange): NaiveReport | undefined;
  cancel(id: number): boolean;
  best(side: NaiveSide): number | undefined;
  depth(side: NaiveSide): readonly NaiveLevel[];
  queue(side: NaiveSide): readonly { readonly id: number; readonly left: number }[];
}

const SIDES: readonly NaiveSide[] = ['buy', 'sell'];

const PREVENTIONS = new Map<number, NaivePrevention>([
  [PREVENTION.cancelNewest, 'cancel_newest'],
  [PREVENTION.cancelOldest, 'cancel_oldest'],
  [PREVENTION.cancelBoth, 'cancel_both'],
  [PREVENTION.decrement, 'decrement'],
]);

const LIVES = new Map<number, NaiveMessage['life']>([
  [LIFE.rest, 'gtc'],
  [LIFE.postOnly, 'gtc'],
  [LIFE.immediate, 'ioc'],
  [LIFE.fillOrKill, 'fok'],
]);

export function messageAt(workload: MixedWorkload, at: number): NaiveMessage {
  return {
    id: workload.id[at]!,
    account: workload.account[at]!,
    side: SIDES[workload.side[at]!]!,
    priceTicks: workload.priceTicks[at]!,
    quantity: workload.quantity[at]!,
    life: LIVES.get(workload.life[at]!)!,
    postOnly: workload.life[at] === LIFE.postOnly,
    prevention: PREVENTIONS.get(workload.prevention[at]!)!,
  };
}

function answerAt(book: ProbedBook, workload: MixedWorkload, at: number): NaiveReport | boolean | undefined {
  const id = workload.id[at]!;
  if (workload.action[at] === ACTION.cancel) return book.cancel(id);
  const message = messageAt(workload, at);
  return workload.action[at] === ACTION.amend ? book.amend(id, message) : book.submit(message);
}

/** The levels of a queue: what a depth view must show. */
function levelsOf(queue: readonly Resting[]): NaiveLevel[] {
  const levels: NaiveLevel[] = [];
  let last: NaiveLevel | undefined;
  for (const { priceTicks, left } of queue) {
    if (last?.priceTicks !== priceTicks) {
      last = { priceTicks, quantity: 0, orderCount: 0 };
      levels.push(last);
    }
    last.quantity += left;
    last.orderCount += 1;
  }
  return levels;
}

function isSameQueue(seen: ReturnType<ProbedBook['queue']>, right: readonly Resting[]): boolean {
  if (seen.length !== right.length) return false;
  return right.every(({ id, left }, place) => seen[place]!.id === id && seen[place]!.left === left);
}

function isSameDepth(seen: readonly NaiveLevel[], right: readonly NaiveLevel[]): boolean {
  if (seen.length !== right.length) return false;
  return right.every(({ priceTicks, quantity, orderCount }, place) => {
    const level = seen[place]!;
    return level.priceTicks === priceTicks && level.quantity === quantity && level.orderCount === orderCount;
  });
}

function differenceOf(book: ProbedBook, side: NaiveSide, right: readonly Resting[]): string | undefined {
  const show = (what: string, seen: unknown): string =>
    `${side} ${what} is ${JSON.stringify(seen)}, the queue ${JSON.stringify(right)}`;
  const [best, depth, queue] = [book.best(side), book.depth(side), book.queue(side)];
  if (best !== right[0]?.priceTicks) return show('best price', best);
  if (!isSameDepth(depth, levelsOf(right))) return show('depth', depth);
  return isSameQueue(queue, right) ? undefined : show('queue', queue);
}

/**
 * Feeds a workload to a book and to the naive one, and after every message compares what they said and all that can be
 * seen of them: best prices, full depth, and every order with its place in its queue.
 * @returns the first difference, or undefined where there is none.
 */
export function firstDifference(book: ProbedBook, workload: MixedWorkload): string | undefined {
  const naive = new NaiveBook();
  for (let at = 0; at < workload.count; at += 1) {
    const expected = JSON.stringify(answerAt(naive, workload, at));
    const said = JSON.stringify(answerAt(book, workload, at));
    if (said !== expected) return `message ${at}: answered ${said}, not ${expected}`;
    for (const side of SIDES) {
      const difference = differenceOf(book, side, naive.queue(side));
      if (difference !== undefined) return `message ${at}: ${difference}`;
    }
  }
  return undefined;
}
