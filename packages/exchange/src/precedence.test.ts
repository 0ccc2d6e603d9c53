import { describe, expect, it } from 'vitest';
import type { Command, PlaceOrder } from './commands.ts';
import { eventsOf, MARKET, order, RULES, Scene, ticks } from './testing/scene.ts';

const [S, A, B] = [1, 2, 3];

/**
 * A has USD 10 and one bid, order 3, that was promised to rest. Offers: 1 at 2.5000 and 1 at 9.0000, far outside the collar
 * around the last trade at 2.5000.
 */
function opened(maxOpenOrders: number): Scene {
  const scene = Scene.open([S, A, B], { ...RULES, maxOpenOrders });
  scene.card(A, '10');
  scene.card(B, '10');
  scene.stock(S, 10);
  scene.sell(S, 2, '2.5000');
  scene.buy(B, 1, '2.5000');
  scene.run(order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: ticks('1'), postOnly: true }));
  scene.sell(S, 1, '9.0000');
  return scene;
}

interface Wrongs {
  readonly invalid: boolean;
  readonly halted: boolean;
  readonly tooMany: boolean;
  readonly postOnly: boolean;
  readonly farAway: boolean;
}

/** What is wrong with the command, first letters: all of it is always too dear. */
function wrongsOf(letters: string): Wrongs {
  const has = (letter: string): boolean => letters.includes(letter);
  return { invalid: has('i'), halted: has('h'), tooMany: has('t'), postOnly: has('p'), farAway: has('f') };
}

function tried(wrongs: Wrongs, command: (price: number) => Command): string {
  const scene = opened(wrongs.tooMany ? 1 : 500);
  if (wrongs.halted) scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'halted' });
  const price = wrongs.farAway ? '9.0000' : '2.5000';
  const outcome = scene.attempt(command(ticks(price)));
  if (!outcome.ok) return outcome.code;
  return eventsOf(outcome, 'order').find((event) => event.order === outcome.order)!.reason ?? 'accepted';
}

describe('what is told of an order that is wrong in many ways', () => {
  it.each([
    ['ihtpf', 'validation_failed'],
    ['htpf', 'market_halted'],
    ['tpf', 'open_order_limit'],
    ['pf', 'post_only_would_cross'],
    ['f', 'price_outside_collar'],
    ['', 'insufficient_balance'],
  ])('placed (%s): %s', (letters, expected) => {
    const wrongs = wrongsOf(letters);
    const place = (priceTicks: number): PlaceOrder => {
      const quantityUnits = wrongs.invalid ? 0 : 100;
      return order({ account: A, side: 'buy', quantityUnits, priceTicks, postOnly: wrongs.postOnly });
    };
    expect(tried(wrongs, place)).toBe(expected);
  });

  it.each([
    ['ihp', 'validation_failed'],
    ['hpf', 'market_not_open'],
    ['pf', 'post_only_would_cross'],
  ])('amended (%s): %s', (letters, expected) => {
    const wrongs = wrongsOf(letters);
    const amend = (priceTicks: number): Command => {
      const quantityUnits = wrongs.invalid ? 0 : 100;
      return { kind: 'amend_order', account: A, order: 3, quantityUnits, priceTicks };
    };
    expect(tried(wrongs, amend)).toBe(expected);
  });

  it.each([
    ['f', 'price_outside_collar'],
    ['', 'insufficient_balance'],
  ])('amended where it may trade (%s): %s', (letters, expected) => {
    const wrongs = wrongsOf(letters);
    const scene = opened(500);
    scene.run(order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: ticks('1') }));
    const priceTicks = ticks(wrongs.farAway ? '9' : '2.5');
    const amend: Command = { kind: 'amend_order', account: A, order: 5, quantityUnits: 100, priceTicks };
    const outcome = scene.attempt(amend);
    expect(outcome.ok ? 'accepted' : outcome.code).toBe(expected);
  });
});
