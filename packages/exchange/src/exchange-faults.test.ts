import { describe, expect, it } from 'vitest';
import type { Command, SelfTradePrevention } from './commands.ts';
import type { Accepted } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, marketOrder, order, RULES, replay, Scene, ticks, usd } from './testing/scene.ts';

/** Faults that were found in real engines, above the book: each has its test, so that it is not made again here. */

const [S, A, B] = [1, 2, 3];

function opened(): Scene {
  const scene = Scene.open([S, A, B]);
  scene.card(A, '100');
  scene.card(B, '100');
  scene.stock(S, 100);
  return scene;
}

function heldUsd(scene: Scene, account: number): number {
  const kinds = [KIND.heldPromotional, KIND.heldProceeds, KIND.heldCard];
  return kinds.reduce((sum, kind) => sum + scene.balance(kind, account), 0);
}

describe('fees and holds', () => {
  it('do not drift apart where fees are rounded: what an order paid is what its trades say, within its hold', () => {
    const scene = Scene.open([S, A], { ...RULES, takerBps: 333 });
    scene.stock(S, 100);
    const required = scene.exchange.buyRequirementMicros(MARKET, 7, ticks('2.5001'));
    scene.run({ kind: 'credit', account: A, origin: 'card', amountMicros: required });
    for (let index = 0; index < 7; index += 1) scene.sell(S, 1, '2.5001');
    const bought = scene.buy(A, 7, '2.5001');
    const charged = eventsOf(bought, 'trade').reduce((sum, trade) => sum + trade.buyerFeeMicros, 0);
    const event = eventsOf(bought, 'order').find(({ order: number }) => number === bought.order);
    expect(event).toMatchObject({ feeMicros: charged, filledUnits: 7 });
    expect(scene.available(A)).toBe(required - 7 * ticks('2.5001') * 100 - charged);
    expect(scene.available(A)).toBeGreaterThanOrEqual(0);
  });

  const bidAt = (price: string): Command =>
    order({ account: A, side: 'buy', quantityUnits: 4, priceTicks: ticks(price) });

  it.each([
    ['a better fill', (scene: Scene) => void scene.sell(S, 4, '2.0000'), bidAt('2.5'), 4],
    ['a cancel', () => {}, bidAt('2.5'), 0, { kind: 'cancel_order', account: A, order: 1 }],
    [
      'a bulk cancel',
      () => {},
      bidAt('2.5'),
      0,
      { kind: 'cancel_orders', account: A, reason: 'bulk_cancel' },
    ],
    ['a freeze', () => {}, bidAt('2.5'), 0, { kind: 'set_standing', account: A, suspended: true }],
    [
      'a market that closes',
      () => {},
      bidAt('2.5'),
      0,
      { kind: 'set_trading_state', instrument: MARKET, state: 'closed' },
    ],
    [
      'a rejection',
      (scene: Scene) => void scene.sell(S, 4, '2.0000'),
      { ...bidAt('2.5'), postOnly: true },
      0,
    ],
    [
      'an unfilled rest',
      (scene: Scene) => void scene.sell(S, 1, '2.0000'),
      { ...bidAt('2.5'), timeInForce: 'ioc' },
      1,
    ],
    ['a kill', (scene: Scene) => void scene.sell(S, 1, '2.0000'), { ...bidAt('2.5'), timeInForce: 'fok' }, 0],
  ] as [string, (scene: Scene) => void, Command, number, Command?][])(
    'are given back after %s',
    (_what, prepare, command, units, after) => {
      const scene = opened();
      prepare(scene);
      scene.run(command);
      if (after !== undefined) scene.run(after);
      expect(heldUsd(scene, A)).toBe(0);
      const spent = units * usd('2') + (units * usd('2') * RULES.takerBps) / 10_000;
      expect(scene.available(A)).toBe(usd('100') - spent);
      checkInvariants(scene.exchange);
    },
  );

  it.each(['cancel_newest', 'cancel_oldest', 'cancel_both', 'decrement'] as SelfTradePrevention[])(
    'are given back after a self-trade was prevented by %s',
    (selfTradePrevention) => {
      const scene = opened();
      scene.stock(A, 4);
      scene.buy(A, 4, '2.0000');
      const ask = order({ account: A, side: 'sell', quantityUnits: 4, priceTicks: ticks('2') });
      scene.run({ ...ask, selfTradePrevention });
      scene.run({ kind: 'cancel_orders', account: A, reason: 'bulk_cancel' });
      expect([heldUsd(scene, A), scene.balance(KIND.tradingHeld, A)]).toEqual([0, 0]);
      expect(scene.available(A)).toBe(usd('100'));
      expect(scene.balance(KIND.trading, A)).toBe(4_000_000);
    },
  );

  it('are not given back twice when an order shrinks, is cut by self-trade prevention and is cancelled', () => {
    const scene = opened();
    scene.stock(A, 10);
    scene.buy(A, 9, '2.0000');
    scene.run({ kind: 'amend_order', account: A, order: 1, quantityUnits: 6 });
    const ask = order({ account: A, side: 'sell', quantityUnits: 2, priceTicks: ticks('2') });
    scene.run({ ...ask, selfTradePrevention: 'decrement' });
    expect(heldUsd(scene, A)).toBe(usd('8.04'));
    scene.run({ kind: 'cancel_order', account: A, order: 1 });
    expect([heldUsd(scene, A), scene.available(A)]).toEqual([0, usd('100')]);
  });
});

describe('orders without anybody opposite', () => {
  it('at the market rest nowhere and hold nothing', () => {
    const scene = opened();
    const outcome = scene.run(marketOrder({ account: A, side: 'buy', quantityUnits: 3 }));
    expect(eventsOf(outcome, 'order')).toMatchObject([{ status: 'cancelled', reason: 'ioc_unfilled' }]);
    expect([scene.exchange.openOrderCount(A, MARKET), heldUsd(scene, A)]).toEqual([0, 0]);
  });

  it('have no collar to be measured by: a market order is refused, a limit order is not', () => {
    const scene = Scene.open([S, A], { ...RULES, referencePriceTicks: null });
    scene.card(A, '100');
    const atMarket = scene.run(marketOrder({ account: A, side: 'buy', quantityUnits: 1 }));
    expect(eventsOf(atMarket, 'order')).toMatchObject([{ status: 'rejected', reason: 'no_reference_price' }]);
    expect(eventsOf(scene.buy(A, 1, '99.0000'), 'order')).toMatchObject([{ status: 'active' }]);
  });
});

describe('numbers beyond what can be counted', () => {
  it.each([2 ** 53, 2 ** 53 + 2, Number.MAX_VALUE, Infinity, 2 ** 31, 1e-9, -0])(
    '%d is no quantity and no price',
    (number) => {
      const scene = opened();
      scene.buy(A, 1, '2.0000');
      const wrong: Command[] = [
        order({ account: A, side: 'buy', quantityUnits: number, priceTicks: 1 }),
        order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: number }),
        { kind: 'amend_order', account: A, order: 1, quantityUnits: number },
        { kind: 'amend_order', account: A, order: 1, priceTicks: number },
      ];
      for (const command of wrong)
        expect(scene.attempt(command)).toMatchObject({ ok: false, code: 'validation_failed' });
    },
  );

  it('a product of two numbers that are both in range is too much money, not a wrong one', () => {
    const scene = Scene.open([A], { ...RULES, maxOrderUnits: 1_000_000_000 });
    scene.card(A, '100');
    scene.buy(A, 1, '2.0000');
    const large = { quantityUnits: 1_000_000_000, priceTicks: 2 ** 31 - 2 };
    const placed = scene.attempt(order({ account: A, side: 'buy', ...large }));
    expect(placed).toMatchObject({ ok: false, code: 'insufficient_balance' });
    const amended = scene.attempt({ kind: 'amend_order', account: A, order: 1, ...large });
    expect(amended).toMatchObject({ ok: false, code: 'insufficient_balance' });
    expect(scene.exchange.openOrderCount(A, MARKET)).toBe(1);
  });
});

describe('amends', () => {
  it('are one step: nobody finds the order gone, also where the amend is refused', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    const before = JSON.stringify(scene.exchange.export());
    const tooMuch = { kind: 'amend_order', account: A, order: 1, priceTicks: ticks('99') } as const;
    expect(scene.attempt(tooMuch)).toMatchObject({ ok: false, code: 'insufficient_balance' });
    expect(JSON.stringify(scene.exchange.export())).toBe(before);
    const moved = scene.run({ kind: 'amend_order', account: A, order: 1, priceTicks: ticks('2.1') });
    expect(eventsOf(moved, 'order').map(({ status }) => status)).toEqual(['active']);
  });

  it('tell absolute levels, so that no level is counted down twice', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    scene.buy(B, 3, '2.0000');
    const level = (outcome: Accepted): unknown[] =>
      eventsOf(outcome, 'level').map(({ quantityUnits, orderCount }) => [quantityUnits, orderCount]);
    const amend = { kind: 'amend_order', account: A, order: 1 } as const;
    expect(level(scene.run({ ...amend, quantityUnits: 1 }))).toEqual([[4, 2]]);
    expect(level(scene.run({ ...amend, quantityUnits: 6 }))).toEqual([[9, 2]]);
    expect(level(scene.run({ kind: 'cancel_order', account: A, order: 1 }))).toEqual([[3, 1]]);
  });
});

describe('numbers after a restart', () => {
  /** Something of every counter: orders, trades, lots, ranges, timers, sequences. */
  function busy(scene: Scene): Accepted[] {
    const done = [scene.sell(S, 2, '2.5000')];
    const buy = order({ account: A, side: 'buy', quantityUnits: 2, priceTicks: ticks('2.5') });
    done.push(scene.run({ ...buy, autotransfer: true }), scene.buy(A, 1, '1.0000'));
    done.push(scene.run({ kind: 'arm_cancel_timer', account: A, timeoutMs: 5_000 }));
    return done;
  }

  it('go on: none is used again, none is left out, whatever was read back from a snapshot or replayed', () => {
    const straight = opened();
    const restarted = opened();
    for (let round = 0; round < 3; round += 1) {
      const expected = JSON.stringify(busy(straight));
      expect(JSON.stringify(busy(restarted))).toBe(expected);
      restarted.exchange = replay(restarted.journal, round === 1 ? 0 : restarted.journal.length - round);
      straight.wait(5_000);
      restarted.wait(5_000);
    }
    const state = restarted.exchange.export();
    expect(state.counters).toEqual([9, 3, 3, 3, 4, 3]);
    expect(state.markets[0]).toMatchObject({ trades: 3 });
    expect(JSON.stringify(state)).toBe(JSON.stringify(straight.exchange.export()));
  });
});
