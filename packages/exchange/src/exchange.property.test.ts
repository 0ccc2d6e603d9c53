import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, PlaceOrder } from './commands.ts';
import type { Accepted } from './events.ts';
import type { Exchange } from './exchange.ts';
import { isResting } from './order-terms.ts';
import {
  commandOf,
  commonStep,
  HIGHEST_TAKER_BPS,
  openingScene,
  type Step,
  step,
} from './testing/commands.ts';
import { checkInvariants } from './testing/invariants.ts';
import { NaiveBook } from './testing/naive-book.ts';
import { check, eventsOf, PATIENCE, RULES, replay, type Scene } from './testing/scene.ts';

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

function expectFillsWithinLimit(command: Command, accepted: Accepted): void {
  for (const trade of eventsOf(accepted, 'trade')) {
    expect(trade.buyer).not.toBe(trade.seller);
    if (command.kind !== 'place_order' || command.priceTicks === null) continue;
    if (command.side === 'buy') expect(trade.priceTicks).toBeLessThanOrEqual(command.priceTicks);
    else expect(trade.priceTicks).toBeGreaterThanOrEqual(command.priceTicks);
  }
}

/** What an order has to say for itself, summed over the trades it took part in. */
interface Tally {
  units: number;
  valueMicros: number;
  feeMicros: number;
}

function tallyTrades(tallies: Map<number, Tally>, accepted: Accepted): void {
  for (const trade of eventsOf(accepted, 'trade')) {
    const { quantityUnits, buyOrder, sellOrder, buyerFeeMicros, sellerFeeMicros } = trade;
    expect(quantityUnits).toBeGreaterThan(0);
    expect(trade.units.reduce((total, run) => total + run.to - run.from + 1, 0)).toBe(quantityUnits);
    const sides = [
      [buyOrder, buyerFeeMicros],
      [sellOrder, sellerFeeMicros],
    ] as const;
    for (const [order, feeMicros] of sides) {
      const tally = tallies.get(order) ?? { units: 0, valueMicros: 0, feeMicros: 0 };
      tally.units += quantityUnits;
      tally.valueMicros += quantityUnits * trade.priceTicks * 100;
      tally.feeMicros += feeMicros;
      tallies.set(order, tally);
    }
  }
}

/** Every order event says what all trades of its order so far add up to, over all commands. */
function expectOrderSums(tallies: Map<number, Tally>, command: Command, accepted: Accepted): void {
  tallyTrades(tallies, accepted);
  for (const event of eventsOf(accepted, 'order')) {
    const { units, valueMicros, feeMicros } = tallies.get(event.order) ?? {
      units: 0,
      valueMicros: 0,
      feeMicros: 0,
    };
    expect([event.filledUnits, event.filledValueMicros, event.feeMicros]).toEqual([
      units,
      valueMicros,
      feeMicros,
    ]);
    const isKilled =
      command.kind === 'place_order' && command.timeInForce === 'fok' && event.order === accepted.order;
    if (isKilled) expect([0, command.quantityUnits]).toContain(event.filledUnits);
  }
}

describe('the exchange under random commands', PATIENCE, () => {
  it('conserves USD and tokens, keeps every balance equal to its rows, and never crosses a book', () => {
    check(
      fc.property(stream, (steps) => {
        const tallies = new Map<number, Tally>();
        play(steps, (scene, command, accepted) => {
          if (accepted === undefined) return;
          checkInvariants(scene.exchange, HIGHEST_TAKER_BPS);
          expectFillsWithinLimit(command, accepted);
          expectOrderSums(tallies, command, accepted);
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
        const naive = new NaiveBook();
        const compare = (scene: Scene, command: Command, accepted?: Accepted): void => {
          if (accepted === undefined) return;
          if (command.kind === 'place_order' && command.instrument === 1) follow(naive, command, accepted);
          if (command.kind === 'cancel_order') naive.cancel(command.order);
          expectSameBook(scene.exchange, naive);
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

/** Feeds an accepted order to the naive book and compares what it did. */
function follow(naive: NaiveBook, command: PlaceOrder, accepted: Accepted): void {
  const taker = eventsOf(accepted, 'order').find((event) => event.order === accepted.order)!;
  if (taker.status === 'rejected') return;
  const report = naive.submit({
    id: taker.order,
    account: command.account,
    side: command.side,
    priceTicks: boundOf(command),
    quantity: command.quantityUnits,
    life: isResting(command.timeInForce) ? 'gtc' : command.timeInForce,
    postOnly: command.postOnly ?? false,
    prevention: command.selfTradePrevention ?? 'cancel_newest',
  });
  const makers = eventsOf(accepted, 'trade').map(({ buyOrder, sellOrder, quantityUnits, priceTicks }) => [
    command.side === 'buy' ? sellOrder : buyOrder,
    quantityUnits,
    priceTicks,
  ]);
  expect(report.fills).toEqual(makers);
  expect(report.left).toBe(taker.remainingUnits);
  const ended = eventsOf(accepted, 'order').filter((event) => event.reason === 'self_trade_prevented');
  expect(ended.map((event) => event.order).filter((order) => order !== taker.order)).toEqual(
    report.prevented,
  );
}
