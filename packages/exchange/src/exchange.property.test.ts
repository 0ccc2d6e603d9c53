import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AmendOrder, Command, PlaceOrder } from './commands.ts';
import type { Accepted, OrderEvent } from './events.ts';
import type { Exchange } from './exchange.ts';
import { isResting } from './order-terms.ts';
import { commonStep, HIGHEST_TAKER_BPS, openingScene, type Step, step } from './testing/commands.ts';
import { checkInvariants } from './testing/invariants.ts';
import { NaiveBook, type NaiveMessage } from './testing/naive-book.ts';
import { OrderAudit } from './testing/order-audit.ts';
import { check, eventsOf, PATIENCE, RULES, replay, type Scene } from './testing/scene.ts';
import { commandOf } from './testing/steps.ts';

const DEPTH = 10_000;
/** Collars so wide that a market order is bound by nothing but the book. */
const WIDE_RULES = { ...RULES, marketCollarBps: 10 ** 9, autoBuyCollarBps: 10 ** 9 };

/** Applies the steps and calls back with every command and what came of it. */
function play(
  steps: readonly Step[],
  after: (scene: Scene, command: Command, accepted?: Accepted) => void,
  scene = openingScene(),
): Scene {
  for (const one of steps) {
    const command = commandOf(scene, one);
    scene.elapse((elapsing, accepted) => after(scene, elapsing, accepted));
    if (command === undefined) continue;
    const outcome = scene.attempt(command);
    after(scene, command, outcome.ok ? outcome : undefined);
  }
  return scene;
}

const LENGTH = { minLength: 1, maxLength: 250, size: 'max' } as const;
const stream = fc.array(step, LENGTH);
const commonStream = fc.array(commonStep, LENGTH);
/** About 125 steps a run, so 20,000 by default. */
const RUNS = { byDefault: 160, nightly: 8_000 };

function bookText(exchange: Exchange): string {
  return JSON.stringify(
    exchange
      .export()
      .markets.map(({ buys, sells }) => [buys, sells].map((rows) => rows.map((row) => [row[0], row[3]]))),
  );
}

describe('the exchange under random commands', PATIENCE, () => {
  it('conserves USD and tokens, keeps every balance equal to its rows, and never crosses a book', () => {
    check(
      fc.property(stream, (steps) => {
        const audit = new OrderAudit();
        play(steps, (scene, command, accepted) => {
          if (accepted === undefined) return;
          checkInvariants(scene.exchange, HIGHEST_TAKER_BPS);
          audit.after(command, accepted);
        });
      }),
      RUNS,
    );
  });

  it('changes nothing when it refuses', () => {
    check(
      fc.property(stream, (steps) => {
        let before = JSON.stringify(openingScene().exchange.export());
        play(steps, (scene, _command, accepted) => {
          const now = JSON.stringify(scene.exchange.export());
          if (accepted === undefined) expect(now).toBe(before);
          before = now;
        });
      }),
      { byDefault: 30, nightly: 2_000 },
    );
  });

  it('replays its journal to the same state, with a snapshot in the middle too, events and legs alike', () => {
    check(
      fc.property(stream, fc.double({ min: 0, max: 1, noNaN: true }), (steps, middle) => {
        const outcomes: string[] = [];
        const scene = play(steps, (_scene, _command, accepted) => {
          if (accepted !== undefined) outcomes.push(JSON.stringify(accepted));
        });
        const opening = scene.journal.length - outcomes.length;
        const told = JSON.stringify(scene.exchange.export());
        expect(JSON.stringify(replay(scene.journal).export())).toBe(told);
        const half = opening + Math.floor(middle * outcomes.length);
        const resumed = replay(scene.journal.slice(0, half), half);
        for (const [index, entry] of scene.journal.slice(half).entries()) {
          expect(JSON.stringify(resumed.apply(entry))).toBe(outcomes[half - opening + index]);
        }
        expect(JSON.stringify(resumed.export())).toBe(told);
      }),
      RUNS,
    );
  });

  it('tells every change of the book: levels from events equal the depth after every command', () => {
    check(
      fc.property(stream, (steps) => {
        const levels = new Map<string, string>();
        const sequences = new Map<number, number>();
        play(steps, (scene, _command, accepted) => {
          if (accepted === undefined) return;
          for (const event of eventsOf(accepted, 'level')) {
            const key = `${event.instrument}/${event.side}/${event.priceTicks}`;
            if (event.quantityUnits === 0) levels.delete(key);
            else levels.set(key, `${event.quantityUnits} in ${event.orderCount}`);
          }
          const touched = new Set(eventsOf(accepted, 'level').map((event) => event.instrument));
          const numbered = accepted.marketSequences.map((one) => one.instrument);
          expect(numbered).toEqual(expect.arrayContaining([...touched]));
          for (const { instrument, sequence } of accepted.marketSequences) {
            expect(sequence).toBeGreaterThan(sequences.get(instrument) ?? 0);
            sequences.set(instrument, sequence);
          }
          expect(new Map([...levels].sort())).toEqual(depthOf(scene.exchange));
        });
      }),
      { byDefault: 50, nightly: 3_000 },
    );
  });

  it('matches like the naive book: reports, depth and queues after every order and cancel', () => {
    check(
      fc.property(commonStream, (steps) => {
        const naive = { book: new NaiveBook(), terms: new Map<number, Terms>() };
        const compare = (scene: Scene, command: Command, accepted?: Accepted): void => {
          if (accepted === undefined) return;
          followBook(naive, command, accepted);
          expectSameBook(scene.exchange, naive.book);
        };
        play(steps, compare, openingScene(WIDE_RULES));
      }),
      RUNS,
    );
  });

  it('gives the same books whether refused commands were tried in between or not', () => {
    check(
      fc.property(stream, (steps) => {
        const scene = play(steps, () => {});
        expect(bookText(replay(scene.journal))).toBe(bookText(scene.exchange));
      }),
      { byDefault: 20, nightly: 1_000 },
    );
  });
});

function depthOf(exchange: Exchange): Map<string, string> {
  const levels: [string, string][] = [];
  for (const instrument of [1, 2]) {
    for (const side of ['buy', 'sell'] as const) {
      for (const { priceTicks, quantity, orderCount } of exchange.depth(instrument, side, DEPTH)) {
        levels.push([`${instrument}/${side}/${priceTicks}`, `${quantity} in ${orderCount}`]);
      }
    }
  }
  return new Map(levels.sort());
}

function expectSameBook(exchange: Exchange, naive: NaiveBook): void {
  const [market] = exchange.export().markets;
  for (const side of ['buy', 'sell'] as const) {
    expect(exchange.depth(1, side, DEPTH)).toEqual(naive.depth(side));
    const queue = side === 'buy' ? market!.buys : market!.sells;
    const expected = naive.queue(side).map(({ id, left }) => [id, left]);
    expect(queue.map((row) => [row[0], row[3]])).toEqual(expected);
  }
}

function boundOf(command: PlaceOrder): number {
  if (command.priceTicks !== null) return command.priceTicks;
  if (command.origin === 'auto_buy') return 2 * RULES.referencePriceTicks!;
  return command.side === 'buy' ? 2 ** 31 : 1;
}

/** What an amended order was placed with, which its own events do not say again. */
type Terms = Pick<NaiveMessage, 'prevention' | 'postOnly'>;

/** The naive book of market 1, with what it must know of the orders in it. */
interface Followed {
  readonly book: NaiveBook;
  readonly terms: Map<number, Terms>;
}

/** Does to the naive book what the exchange did to its own, and compares what came of it. */
function followBook(naive: Followed, command: Command, accepted: Accepted): void {
  const events = eventsOf(accepted, 'order').filter((event) => event.instrument === 1);
  const own = events.find((event) => event.order === accepted.order);
  if (command.kind === 'place_order') {
    if (own !== undefined) follow(naive, command, accepted);
    return;
  }
  if (command.kind === 'amend_order') {
    if (own !== undefined) followAmend(naive, command, accepted);
    return;
  }
  for (const { order, status } of events) {
    if (status === 'cancelled' || status === 'expired') expect(naive.book.cancel(order)).toBe(true);
  }
}

function followAmend(naive: Followed, command: AmendOrder, accepted: Accepted): void {
  const own = eventsOf(accepted, 'order').find((event) => event.order === command.order)!;
  const makers = makersOf(accepted, own);
  const fills = makers.reduce((sum, [, units]) => sum + units!, 0);
  const before = naive.book.queue(own.side).find((order) => order.id === own.order)!;
  const filledBefore = own.filledUnits - fills;
  const quantity = command.quantityUnits === undefined ? before.left : command.quantityUnits - filledBefore;
  const { priceTicks } = own.amended!;
  const report = naive.book.amend(own.order, { priceTicks, quantity, ...naive.terms.get(own.order)! })!;
  expect(report.fills).toEqual(makers);
  expect(report.left).toBe(own.remainingUnits);
}

/** Fills of an incoming order as the naive book tells them. */
function makersOf(accepted: Accepted, taker: OrderEvent): number[][] {
  return eventsOf(accepted, 'trade').map(({ buyOrder, sellOrder, quantityUnits, priceTicks }) => [
    taker.side === 'buy' ? sellOrder : buyOrder,
    quantityUnits,
    priceTicks,
  ]);
}

/** Feeds an accepted order to the naive book and compares what it did. */
function follow({ book, terms }: Followed, command: PlaceOrder, accepted: Accepted): void {
  const taker = eventsOf(accepted, 'order').find((event) => event.order === accepted.order)!;
  if (taker.status === 'rejected') return;
  const own = { postOnly: command.postOnly ?? false, prevention: command.selfTradePrevention! };
  terms.set(taker.order, own);
  const report = book.submit({
    id: taker.order,
    account: command.account,
    side: command.side,
    priceTicks: boundOf(command),
    quantity: command.quantityUnits,
    life: isResting(command.timeInForce) ? 'gtc' : command.timeInForce,
    ...own,
  });
  expect(report.fills).toEqual(makersOf(accepted, taker));
  expect(report.left).toBe(taker.remainingUnits);
  const ended = eventsOf(accepted, 'order').filter((event) => event.reason === 'self_trade_prevented');
  expect(ended.map((event) => event.order).filter((order) => order !== taker.order)).toEqual(
    report.prevented,
  );
}
