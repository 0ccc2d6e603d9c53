import { describe, expect, it } from 'vitest';
import type { AmendOrder } from './commands.ts';
import type { Accepted, OrderEvent } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, order, RULES, replay, Scene, ticks, usd } from './testing/scene.ts';

const [S, A, B] = [1, 2, 3];

/** S offers 10 at 2.5000; A and B have USD 100 each. The offer is order 1. */
function opened(): Scene {
  const scene = Scene.open([S, A, B]);
  scene.card(A, '100');
  scene.card(B, '100');
  scene.stock(S, 100);
  scene.sell(S, 10, '2.5000');
  return scene;
}

type Members = Omit<AmendOrder, 'kind' | 'account' | 'order'>;

function amend(scene: Scene, account: number, number: number, members: Members): Accepted {
  return scene.run({ kind: 'amend_order', account, order: number, ...members });
}

function refusal(scene: Scene, account: number, number: number, members: Members): string {
  const before = JSON.stringify(scene.exchange.export());
  const outcome = scene.attempt({ kind: 'amend_order', account, order: number, ...members });
  expect(JSON.stringify(scene.exchange.export())).toBe(before);
  return outcome.ok ? 'accepted' : outcome.code;
}

function own(outcome: Accepted): OrderEvent {
  return eventsOf(outcome, 'order').find((event) => event.order === outcome.order)!;
}

function queue(scene: Scene, side: 'buys' | 'sells'): [order: number, left: number][] {
  return scene.exchange.export().markets[0]![side].map((row) => [row[0], row[3]]);
}

describe('amending an order', () => {
  it('keeps its place when it shrinks, and gives back what it no longer holds', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    scene.buy(B, 4, '2.0000');
    const outcome = amend(scene, A, 2, { quantityUnits: 3 });
    expect(own(outcome)).toMatchObject({
      status: 'active',
      remainingUnits: 3,
      amended: { quantityUnits: 3, priceTicks: ticks('2'), timeInForce: 'gtc', expiresAtMs: null },
    });
    expect(queue(scene, 'buys')).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(scene.balance(KIND.heldCard, A)).toBe(usd('6.03'));
    expect(eventsOf(outcome, 'level')).toMatchObject([{ quantityUnits: 7, orderCount: 2 }]);
    checkInvariants(scene.exchange);
  });

  it('loses its place when it grows, and holds more', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    scene.buy(B, 4, '2.0000');
    amend(scene, A, 2, { quantityUnits: 5 });
    expect(queue(scene, 'buys')).toEqual([
      [3, 4],
      [2, 5],
    ]);
    expect(scene.balance(KIND.heldCard, A)).toBe(usd('10.05'));
    checkInvariants(scene.exchange);
  });

  it('loses its place at another price, and is the last of its new level', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    scene.buy(B, 4, '1.9000');
    const outcome = amend(scene, A, 2, { priceTicks: ticks('1.9') });
    expect(queue(scene, 'buys')).toEqual([
      [3, 4],
      [2, 4],
    ]);
    expect(eventsOf(outcome, 'level')).toMatchObject([
      { priceTicks: ticks('2'), quantityUnits: 0, orderCount: 0 },
      { priceTicks: ticks('1.9'), quantityUnits: 8, orderCount: 2 },
    ]);
    checkInvariants(scene.exchange);
  });

  it('trades at once at a price that crosses, as the one that takes, under its old number', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    const outcome = amend(scene, A, 2, { priceTicks: ticks('2.5000'), quantityUnits: 12 });
    expect(eventsOf(outcome, 'trade')).toMatchObject([
      { priceTicks: ticks('2.5'), quantityUnits: 10, buyOrder: 2, sellOrder: 1, aggressor: 'buy' },
    ]);
    expect(own(outcome)).toMatchObject({
      order: 2,
      status: 'partially_filled',
      filledUnits: 10,
      remainingUnits: 2,
      feeMicros: usd('0.125'),
    });
    expect(queue(scene, 'buys')).toEqual([[2, 2]]);
    checkInvariants(scene.exchange);
  });

  it('is over when the new price fills it, and its hold is given back', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    expect(own(amend(scene, A, 2, { priceTicks: ticks('2.6') }))).toMatchObject({ status: 'filled' });
    expect(scene.balance(KIND.heldCard, A)).toBe(0);
    expect(scene.available(A)).toBe(usd('100') - usd('10.05'));
    expect(refusal(scene, A, 2, { quantityUnits: 9 })).toBe('order_not_amendable');
    checkInvariants(scene.exchange);
  });

  it('keeps what was filled before: the new quantity is the whole one', () => {
    const scene = opened();
    scene.buy(A, 4, '2.5000');
    expect(refusal(scene, S, 1, { quantityUnits: 4 })).toBe('validation_failed');
    const outcome = amend(scene, S, 1, { quantityUnits: 5 });
    expect(own(outcome)).toMatchObject({ status: 'partially_filled', filledUnits: 4, remainingUnits: 1 });
    expect(scene.balance(KIND.tradingHeld, S)).toBe(1_000_000);
    const grown = amend(scene, S, 1, { quantityUnits: 8, priceTicks: ticks('2.4') });
    expect(own(grown)).toMatchObject({ filledUnits: 4, remainingUnits: 4, filledValueMicros: usd('10') });
    checkInvariants(scene.exchange);
  });

  it('ends by the mode it was placed with when it would meet an order of its own account', () => {
    const scene = opened();
    const priceTicks = ticks('2.0');
    const bid = order({ account: S, side: 'buy', quantityUnits: 2, priceTicks });
    scene.card(S, '50');
    scene.run({ ...bid, selfTradePrevention: 'cancel_oldest' });
    const oldest = amend(scene, S, 2, { priceTicks: ticks('2.5') });
    expect(eventsOf(oldest, 'trade')).toEqual([]);
    expect(eventsOf(oldest, 'order').map(({ order: number, status }) => [number, status])).toEqual([
      [1, 'cancelled'],
      [2, 'active'],
    ]);
    const ask = order({ account: S, side: 'sell', quantityUnits: 2, priceTicks: ticks('2.6') });
    scene.run({ ...ask, selfTradePrevention: 'cancel_newest' });
    const newest = amend(scene, S, 3, { priceTicks: ticks('2.5') });
    expect(own(newest)).toMatchObject({ order: 3, status: 'cancelled', reason: 'self_trade_prevented' });
    expect(queue(scene, 'buys')).toEqual([[2, 2]]);
    checkInvariants(scene.exchange);
  });

  it('stays what it was when the balance does not reach: what it holds counts, and nothing more is asked', () => {
    const scene = opened();
    scene.buy(A, 40, '2.0000');
    expect(refusal(scene, A, 2, { quantityUnits: 50 })).toBe('insufficient_balance');
    expect(refusal(scene, A, 2, { priceTicks: ticks('2.49') })).toBe('insufficient_balance');
    amend(scene, A, 2, { priceTicks: ticks('2.4') });
    expect(refusal(scene, S, 1, { quantityUnits: 101 })).toBe('insufficient_balance');
    amend(scene, S, 1, { quantityUnits: 100 });
    checkInvariants(scene.exchange);
  });

  it('keeps its promise to rest only', () => {
    const scene = opened();
    scene.run(order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: ticks('2'), postOnly: true }));
    expect(refusal(scene, A, 2, { priceTicks: ticks('2.5') })).toBe('post_only_would_cross');
    amend(scene, A, 2, { priceTicks: ticks('2.4999') });
    checkInvariants(scene.exchange);
  });

  it('is bound by the collar of a limit order', () => {
    const scene = opened();
    scene.buy(A, 1, '2.5000');
    scene.sell(S, 1, '3.8000');
    scene.buy(A, 1, '2.0000');
    expect(refusal(scene, A, 4, { priceTicks: ticks('3.8'), quantityUnits: 10 })).toBe(
      'price_outside_collar',
    );
  });

  it('gets an end, another end, and none again', () => {
    const scene = opened();
    scene.buy(A, 1, '2.0000');
    const inAMinute = scene.atMs + 60_000;
    const timed = amend(scene, A, 2, { timeInForce: 'gtd', expiresAtMs: inAMinute });
    expect(own(timed).amended).toMatchObject({ timeInForce: 'gtd', expiresAtMs: inAMinute });
    expect(scene.exchange.nextDueMs()).toBe(inAMinute);
    amend(scene, A, 2, { expiresAtMs: inAMinute + 5 });
    expect(scene.exchange.nextDueMs()).toBe(inAMinute + 5);
    amend(scene, A, 2, { priceTicks: ticks('2.1') });
    expect(scene.exchange.nextDueMs()).toBe(inAMinute + 5);
    amend(scene, A, 2, { timeInForce: 'gtc' });
    expect(scene.exchange.nextDueMs()).toBeUndefined();
  });

  it.each([
    ['no member', {}],
    ['a quantity of nothing', { quantityUnits: 0 }],
    ['half a unit', { quantityUnits: 2.5 }],
    ['more than the market takes', { quantityUnits: RULES.maxOrderUnits + 1 }],
    ['no price', { priceTicks: 0 }],
    ['a price beyond every other', { priceTicks: 2 ** 31 }],
    ['a quantity that is no number', { quantityUnits: Number.NaN }],
    ['a life without its end', { timeInForce: 'gtd' as const }],
    ['an end that is past', { timeInForce: 'day' as const, expiresAtMs: 1_000 }],
    ['an end for an order without one', { expiresAtMs: 10 ** 12 }],
    ['an end beside good till cancelled', { timeInForce: 'gtc' as const, expiresAtMs: 10 ** 12 }],
    ['a life that does not rest', { timeInForce: 'ioc' as never }],
  ])('refuses %s', (_what, members) => {
    const scene = opened();
    expect(refusal(scene, S, 1, members)).toBe('validation_failed');
  });

  it.each([
    ['open', 'accepted'],
    ['post_only', 'accepted'],
    ['auction', 'accepted'],
    ['cancel_only', 'market_not_open'],
    ['halted', 'market_not_open'],
  ] as const)('in a market that is %s is %s', (state, expected) => {
    const scene = opened();
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state });
    const outcome = scene.attempt({ kind: 'amend_order', account: S, order: 1, quantityUnits: 9 });
    expect(outcome.ok ? 'accepted' : outcome.code).toBe(expected);
  });

  it('of somebody else, or that never was, is not found', () => {
    const scene = opened();
    expect(refusal(scene, A, 1, { quantityUnits: 9 })).toBe('order_not_found');
    expect(refusal(scene, A, 99, { quantityUnits: 9 })).toBe('order_not_found');
  });

  it('is the same after a replay with a snapshot behind every command', () => {
    const scene = opened();
    scene.buy(A, 4, '2.0000');
    scene.buy(B, 4, '2.0000');
    amend(scene, A, 2, { quantityUnits: 6 });
    amend(scene, B, 3, { priceTicks: ticks('2.5'), quantityUnits: 5 });
    const told = JSON.stringify(scene.exchange.export());
    for (let after = 0; after <= scene.journal.length; after += 1) {
      expect(JSON.stringify(replay(scene.journal, after).export())).toBe(told);
    }
  });
});
