import { describe, expect, it } from 'vitest';
import type { SelfTradePrevention } from './commands.ts';
import type { Accepted, OrderEvent } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, order, Scene, ticks, usd } from './testing/scene.ts';

const [S, A] = [1, 2];

/** A rests 4 to sell at 1.0000; S rests 6 behind at the same price. */
function ownOrderFirst(): Scene {
  const scene = Scene.open([S, A]);
  scene.card(A, '1000');
  scene.stock(S, 100);
  scene.sell(S, 4, '1.0000');
  scene.buy(A, 4, '1.0000');
  scene.sell(A, 4, '1.0000');
  scene.sell(S, 6, '1.0000');
  return scene;
}

function buyTen(scene: Scene, selfTradePrevention: SelfTradePrevention): Accepted {
  const priceTicks = ticks('1.0000');
  return scene.run(order({ account: A, side: 'buy', quantityUnits: 10, priceTicks, selfTradePrevention }));
}

function orderOf(outcome: Accepted, number: number): OrderEvent | undefined {
  return eventsOf(outcome, 'order').find((event) => event.order === number);
}

function taker(outcome: Accepted): OrderEvent {
  return orderOf(outcome, outcome.order!)!;
}

describe('self-trade prevention', () => {
  it('cancel_newest ends the incoming remainder and leaves the resting order', () => {
    const scene = ownOrderFirst();
    const outcome = buyTen(scene, 'cancel_newest');
    expect(taker(outcome)).toMatchObject({
      status: 'cancelled',
      reason: 'self_trade_prevented',
      filledUnits: 0,
    });
    expect(eventsOf(outcome, 'trade')).toEqual([]);
    expect(scene.exchange.depth(MARKET, 'sell', 5)).toEqual([
      { priceTicks: ticks('1.0000'), quantity: 10, orderCount: 2 },
    ]);
  });

  it('cancel_oldest ends the resting order and goes on', () => {
    const scene = ownOrderFirst();
    const outcome = buyTen(scene, 'cancel_oldest');
    expect(taker(outcome)).toMatchObject({ status: 'partially_filled', filledUnits: 6, remainingUnits: 4 });
    expect(orderOf(outcome, 3)).toMatchObject({ status: 'cancelled', reason: 'self_trade_prevented' });
    expect(scene.balance(KIND.tradingHeld, A)).toBe(0);
    checkInvariants(scene.exchange);
  });

  it('cancel_both ends both without a trade', () => {
    const scene = ownOrderFirst();
    const outcome = buyTen(scene, 'cancel_both');
    expect(taker(outcome)).toMatchObject({ status: 'cancelled', reason: 'self_trade_prevented' });
    expect(orderOf(outcome, 3)).toMatchObject({ status: 'cancelled', reason: 'self_trade_prevented' });
    expect(eventsOf(outcome, 'trade')).toEqual([]);
    checkInvariants(scene.exchange);
  });

  it('decrement shrinks both; an order that then fills completely is filled and does not rest', () => {
    const scene = ownOrderFirst();
    const outcome = buyTen(scene, 'decrement');
    expect(taker(outcome)).toMatchObject({
      status: 'filled',
      reason: 'filled',
      filledUnits: 6,
      remainingUnits: 0,
    });
    expect(orderOf(outcome, 3)).toMatchObject({ status: 'cancelled', remainingUnits: 0 });
    expect(scene.exchange.depth(MARKET, 'buy', 5)).toEqual([]);
    expect(scene.exchange.depth(MARKET, 'sell', 5)).toEqual([]);
    checkInvariants(scene.exchange);
  });

  it('decrement ends the incoming order where the resting one is larger, and gives back what it held', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '1000');
    scene.stock(S, 10);
    scene.sell(S, 3, '1.0000');
    scene.buy(A, 3, '1.0000');
    scene.buy(A, 10, '0.9000');
    const outcome = scene.run(
      order({
        account: A,
        side: 'sell',
        quantityUnits: 3,
        priceTicks: ticks('0.9000'),
        selfTradePrevention: 'decrement',
      }),
    );
    expect(taker(outcome)).toMatchObject({ status: 'cancelled', reason: 'self_trade_prevented' });
    expect(scene.balance(KIND.heldCard, A)).toBe(usd('6.331500'));
    expect(scene.balance(KIND.trading, A)).toBe(3_000_000);
    checkInvariants(scene.exchange);
  });

  it.each([
    ['cancel_newest', 'cancelled', 'fok_unfillable', 0],
    ['cancel_both', 'cancelled', 'fok_unfillable', 0],
    ['decrement', 'cancelled', 'fok_unfillable', 0],
    ['cancel_oldest', 'filled', 'filled', 8],
  ] as const)(
    'fill-or-kill past an own order under %s fills all or nothing',
    (mode, status, reason, filledUnits) => {
      const scene = Scene.open([S, A]);
      scene.card(A, '1000');
      scene.stock(S, 100);
      scene.sell(S, 4, '1.0000');
      scene.buy(A, 4, '1.0000');
      scene.sell(S, 3, '1.0000');
      scene.sell(A, 4, '1.0000');
      scene.sell(S, 5, '1.0000');
      const outcome = scene.run(
        order({
          account: A,
          side: 'buy',
          quantityUnits: 8,
          priceTicks: ticks('1.0000'),
          timeInForce: 'fok',
          selfTradePrevention: mode,
        }),
      );
      expect(taker(outcome)).toMatchObject({ status, reason, filledUnits });
      checkInvariants(scene.exchange);
    },
  );

  it.each([
    ['cancel_newest', [3]],
    ['cancel_oldest', [3]],
    ['cancel_both', [3]],
    ['decrement', [3]],
  ] as const)('%s is an event of its own, that names both orders, and no trade', (prevention, resting) => {
    const scene = ownOrderFirst();
    const outcome = buyTen(scene, prevention);
    const told = eventsOf(outcome, 'self_trade_prevented');
    const pair = { instrument: MARKET, account: A, incomingOrder: outcome.order, prevention };
    expect(told).toMatchObject(resting.map((restingOrder) => ({ ...pair, restingOrder })));
    const met = eventsOf(outcome, 'trade').filter((trade) => trade.buyer === trade.seller);
    expect(met).toEqual([]);
  });

  it('names every own order that an incoming one met, and none where none was met', () => {
    const scene = ownOrderFirst();
    scene.stock(A, 2);
    scene.sell(A, 2, '1.0000');
    const several = buyTen(scene, 'cancel_oldest');
    const resting = eventsOf(several, 'self_trade_prevented').map(({ restingOrder }) => restingOrder);
    expect(resting).toEqual([3, 5]);
    expect(eventsOf(scene.sell(S, 1, '1.0000'), 'self_trade_prevented')).toEqual([]);
  });

  it('is decided per account: the same quantities of another account do trade', () => {
    const scene = ownOrderFirst();
    scene.run({ kind: 'open_account', account: 7 });
    scene.card(7, '1000');
    const outcome = scene.buy(7, 10, '1.0000');
    expect(taker(outcome)).toMatchObject({ status: 'filled', filledUnits: 10 });
  });
});
