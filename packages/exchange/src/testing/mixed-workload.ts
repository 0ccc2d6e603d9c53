import { Book, BUY, type PreventionCode, SELL, type SideCode } from '../book/book.ts';
import { NONE, PRICE_LIMIT_TICKS } from '../book/price-ladder.ts';

export const ACTION = { place: 0, cancel: 1, amend: 2 } as const;
export const LIFE = { rest: 0, postOnly: 1, immediate: 2, fillOrKill: 3 } as const;

/** Every kind of message a book takes, as columns: limit, market, post-only, immediate, fill-or-kill, cancel, amend. */
export interface MixedWorkload {
  readonly count: number;
  readonly action: Uint8Array;
  readonly id: Int32Array;
  readonly account: Int32Array;
  readonly side: Uint8Array;
  readonly priceTicks: Int32Array;
  readonly quantity: Int32Array;
  readonly life: Uint8Array;
  readonly prevention: Uint8Array;
}

export interface MixedShape {
  readonly count: number;
  readonly seed: number;
  readonly accounts: number;
  /** How far from the middle orders are placed, in ticks. */
  readonly bandTicks: number;
  /** Of 100 messages, how many cancel. */
  readonly cancels: number;
  /** The middle moves by up to a tick every so many messages: one that runs sweeps the book empty. */
  readonly messagesAStep: number;
}

const MIDDLE_TICKS = 25_000;
/** How far the middle wanders. */
const DRIFT_TICKS = 2_000;

/** What came of a message. */
export const RESULT = { rests: 0, filled: 1, prevented: 2, unfilled: 3, refused: 4, done: 5 } as const;
export type ResultCode = (typeof RESULT)[keyof typeof RESULT];

/** Plays messages on a book under all of its rules, as the exchange does, without the money. */
export class BookPlayer {
  readonly book = new Book();
  /** What was left of the last order that came in. */
  left = 0;
  private readonly incoming = {
    account: 0,
    side: BUY as SideCode,
    limitTicks: 0,
    quantity: 0,
    prevention: 0 as PreventionCode,
  };

  apply(workload: MixedWorkload, at: number): ResultCode {
    const action = workload.action[at];
    if (action === ACTION.cancel) return this.cancel(workload.id[at]!);
    this.readIncoming(workload, at);
    return action === ACTION.place
      ? this.place(workload.id[at]!, workload.life[at]!)
      : this.amend(workload.id[at]!, workload.life[at]!);
  }

  /** Frees what the last match used up. Tests that report look at it first. */
  protected settle(): void {
    const { book } = this;
    const { fills, orders, prevented } = book;
    for (let index = 0; index < fills.count; index += 1) {
      const slot = fills.slot[index]!;
      if (orders.remaining[slot] === 0) book.freeSlot(slot);
    }
    for (let index = 0; index < prevented.length; index += 1) book.freeSlot(prevented[index]!);
  }

  private readIncoming(workload: MixedWorkload, at: number): void {
    const { incoming } = this;
    incoming.account = workload.account[at]!;
    incoming.side = workload.side[at] as SideCode;
    incoming.limitTicks = workload.priceTicks[at]!;
    incoming.quantity = workload.quantity[at]!;
    incoming.prevention = workload.prevention[at] as PreventionCode;
  }

  private cancel(id: number): ResultCode {
    const slot = this.book.find(id);
    if (slot === NONE) return RESULT.refused;
    this.remove(slot);
    return RESULT.done;
  }

  private place(id: number, life: number): ResultCode {
    const { book, incoming } = this;
    this.left = incoming.quantity;
    if (life === LIFE.postOnly && this.isCrossing()) return RESULT.refused;
    if (life === LIFE.fillOrKill && book.available(incoming).quantity < incoming.quantity)
      return RESULT.refused;
    this.left = book.match(incoming);
    this.settle();
    if (book.incomingPrevented) return RESULT.prevented;
    if (this.left === 0) return RESULT.filled;
    if (life > LIFE.postOnly) return RESULT.unfilled;
    book.rest(id, incoming, this.left);
    return RESULT.rests;
  }

  /** Less at the same price keeps its place; anything else goes to the end, and may trade on its way. */
  private amend(id: number, life: number): ResultCode {
    const { book, incoming } = this;
    const slot = book.find(id);
    if (slot === NONE) return RESULT.refused;
    const { remaining, priceTicks, account } = book.orders;
    incoming.side = book.sideOf(slot);
    incoming.account = account[slot]!;
    if (incoming.limitTicks === priceTicks[slot] && incoming.quantity <= remaining[slot]!) {
      if (incoming.quantity < remaining[slot]!) book.shrink(slot, incoming.quantity);
      return RESULT.done;
    }
    if (life === LIFE.postOnly && this.isCrossing()) return RESULT.refused;
    this.remove(slot);
    return this.place(id, LIFE.rest);
  }

  private isCrossing(): boolean {
    const { side, limitTicks } = this.incoming;
    const best = this.book.bestTicks(side === BUY ? SELL : BUY);
    if (best === NONE) return false;
    return side === BUY ? best <= limitTicks : best >= limitTicks;
  }

  private remove(slot: number): void {
    this.book.unlink(slot);
    this.book.freeSlot(slot);
  }
}

/** A small generator with a fixed seed (mulberry32): whole numbers below a bound. */
export function randomSource(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** Numbers of orders that rest, or rested a moment ago: what cancels and amends aim at. */
class Targets {
  private readonly ids: number[] = [];
  private readonly ended: number[] = [];
  private readonly random: (bound: number) => number;

  constructor(random: (bound: number) => number) {
    this.random = random;
  }

  add(id: number): void {
    this.ids.push(id);
  }

  /** One that still rests, anywhere in the book; now and then one that does not. */
  pick(book: Book): number {
    const isAnyRight = this.random(20) === 0;
    while (this.ids.length > 0) {
      const at = this.random(this.ids.length);
      const id = this.ids[at]!;
      if (isAnyRight || book.find(id) !== NONE) return id;
      this.ids[at] = this.ids[this.ids.length - 1]!;
      this.ids.pop();
      this.ended.push(id);
    }
    return 0;
  }

  /** A number that is free again after a cancel, a fill or a prevention, for one new order in sixteen. */
  usedAgain(book: Book): number {
    const id = this.random(16) === 0 ? this.ended.pop() : undefined;
    return id === undefined || book.find(id) !== NONE ? 0 : id;
  }
}

function emptyWorkload(count: number): MixedWorkload {
  return {
    count,
    action: new Uint8Array(count),
    id: new Int32Array(count),
    account: new Int32Array(count),
    side: new Uint8Array(count),
    priceTicks: new Int32Array(count),
    quantity: new Int32Array(count),
    life: new Uint8Array(count),
    prevention: new Uint8Array(count),
  };
}

/** Draws a workload. A book is played beside it, so that cancels and amends aim at orders that are there. */
export function mixedWorkload(shape: MixedShape): MixedWorkload {
  const random = randomSource(shape.seed);
  const workload = emptyWorkload(shape.count);
  const player = new BookPlayer();
  const targets = new Targets(random);
  let middleTicks = MIDDLE_TICKS;
  for (let at = 0; at < shape.count; at += 1) {
    if (at % shape.messagesAStep === 0) middleTicks += random(3) - 1;
    middleTicks = Math.min(MIDDLE_TICKS + DRIFT_TICKS, Math.max(MIDDLE_TICKS - DRIFT_TICKS, middleTicks));
    drawOrder(workload, at, { random, shape, middleTicks });
    const draw = random(100);
    if (draw < shape.cancels) {
      workload.action[at] = ACTION.cancel;
      workload.id[at] = targets.pick(player.book);
    } else if (draw < shape.cancels + 8) aimAmend(workload, at, { random, book: player.book, targets });
    else workload.id[at] = targets.usedAgain(player.book) || at + 1;
    if (player.apply(workload, at) === RESULT.rests) targets.add(workload.id[at]!);
  }
  return workload;
}

interface Draw {
  readonly random: (bound: number) => number;
  readonly shape: MixedShape;
  readonly middleTicks: number;
}

function drawOrder(workload: MixedWorkload, at: number, { random, shape, middleTicks }: Draw): void {
  const side = random(2) === 0 ? BUY : SELL;
  // Most orders stand close to the middle, a few beyond it.
  const distance =
    Math.min(random(shape.bandTicks), random(shape.bandTicks)) - Math.ceil(shape.bandTicks / 25);
  const style = random(20);
  workload.action[at] = ACTION.place;
  workload.account[at] = 1 + random(shape.accounts);
  workload.side[at] = side;
  workload.priceTicks[at] = side === BUY ? middleTicks - distance : middleTicks + distance;
  workload.quantity[at] = 1 + random(20);
  workload.prevention[at] = random(4);
  workload.life[at] = LIFE.rest;
  if (style < 2) workload.life[at] = LIFE.postOnly;
  else if (style < 4) workload.life[at] = LIFE.immediate;
  else if (style === 4) workload.life[at] = LIFE.fillOrKill;
  if (style === 5) {
    // A market order: immediate, with the worst price there is.
    workload.life[at] = LIFE.immediate;
    workload.priceTicks[at] = side === BUY ? PRICE_LIMIT_TICKS - 1 : 1;
  }
}

interface Aim {
  readonly random: (bound: number) => number;
  readonly book: Book;
  readonly targets: Targets;
}

/** Half of the amends only change the quantity, to more or to less; the others bring the price that was drawn too. */
function aimAmend(workload: MixedWorkload, at: number, { random, book, targets }: Aim): void {
  const id = targets.pick(book);
  workload.action[at] = ACTION.amend;
  workload.id[at] = id;
  const slot = book.find(id);
  if (slot !== NONE && random(2) === 0) workload.priceTicks[at] = book.orders.priceTicks[slot]!;
}
