import { describe, expect, it } from 'vitest';
import type { CancelOrders, Command } from './commands.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, order, RULES, Scene, ticks } from './testing/scene.ts';

const [S, A, B, OPERATOR] = [1, 2, 3, 4];
const OTHER = 2;

/** A rests 1 and 2 (bids), 3 (an ask) in one market and 4 in another; B rests 5. */
function opened(): Scene {
  const scene = Scene.open([S, A, B, OPERATOR]);
  scene.run({ kind: 'open_market', instrument: OTHER, rules: RULES });
  scene.card(A, '100');
  scene.card(B, '100');
  scene.stock(A, 5);
  scene.buy(A, 1, '2.0000');
  scene.buy(A, 1, '1.9000');
  scene.sell(A, 2, '3.0000');
  scene.run(order({ account: A, instrument: OTHER, side: 'buy', quantityUnits: 1, priceTicks: ticks('2') }));
  scene.buy(B, 1, '2.0000');
  return scene;
}

function cancelled(
  scene: Scene,
  members: Omit<CancelOrders, 'kind' | 'account' | 'reason'>,
  reason = 'bulk_cancel',
): number[] {
  const outcome = scene.run({ kind: 'cancel_orders', account: A, reason, ...members } as Command);
  const events = eventsOf(outcome, 'order');
  for (const event of events) expect(event).toMatchObject({ account: A, status: 'cancelled', reason });
  checkInvariants(scene.exchange);
  return events.map((event) => event.order);
}

describe('cancelling many orders', () => {
  it.each([
    ['all of an account', {}, [1, 2, 3, 4]],
    ['one market', { instrument: MARKET }, [1, 2, 3]],
    ['one side', { side: 'sell' as const }, [3]],
    ['one side of one market', { instrument: OTHER, side: 'buy' as const }, [4]],
    ['those that are named, once each', { orders: [4, 2, 2] }, [4, 2]],
    ['those that are named and of that market', { orders: [1, 4], instrument: OTHER }, [4]],
    ['nothing of others, nor what never was', { orders: [5, 77, 0, -1, 1.5] }, []],
  ])('cancels %s', (_what, members, expected) => {
    const scene = opened();
    expect(cancelled(scene, members)).toEqual(expected);
    expect(scene.exchange.openOrderCount(B, MARKET)).toBe(1);
  });

  it('gives back what the orders held', () => {
    const scene = opened();
    cancelled(scene, {});
    expect([scene.balance(KIND.heldCard, A), scene.balance(KIND.tradingHeld, A)]).toEqual([0, 0]);
  });

  it('by the user passes over a market that is halted, and is refused where that one is named', () => {
    const scene = opened();
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'halted' });
    const named = scene.attempt({
      kind: 'cancel_orders',
      account: A,
      instrument: MARKET,
      reason: 'bulk_cancel',
    });
    expect(named).toMatchObject({ ok: false, code: 'market_not_open' });
    expect(cancelled(scene, {})).toEqual([4]);
  });

  it.each(['mode_switched', 'key_revoked', 'account_suspended', 'cancel_on_disconnect', 'admin'])(
    'by the system (%s) works during a halt',
    (reason) => {
      const scene = opened();
      scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'halted' });
      expect(cancelled(scene, {}, reason)).toEqual([1, 2, 3, 4]);
    },
  );

  it('has no reasons but its own, and needs an account and a market that exist', () => {
    const scene = opened();
    const code = (command: object): unknown => {
      const outcome = scene.attempt({
        kind: 'cancel_orders',
        account: A,
        reason: 'bulk_cancel',
        ...command,
      } as Command);
      return outcome.ok ? 'accepted' : outcome.code;
    };
    expect(code({ reason: 'filled' })).toBe('validation_failed');
    expect(code({ account: 99 })).toBe('account_not_found');
    expect(code({ instrument: 9 })).toBe('market_not_found');
  });
});

describe("the operator's freeze", () => {
  function freeze(scene: Scene, suspended: boolean): boolean[] {
    const outcome = scene.run({ kind: 'set_standing', account: A, suspended });
    return eventsOf(outcome, 'account').map((event) => event.suspended);
  }

  it('cancels everything, also during a halt, and bars from trading until it is lifted', () => {
    const scene = opened();
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'halted' });
    expect(freeze(scene, true)).toEqual([true]);
    expect(scene.exchange.openOrderCount(A, MARKET)).toBe(0);
    expect(scene.exchange.isSuspended(A)).toBe(true);
    const bid = order({
      account: A,
      instrument: OTHER,
      side: 'buy',
      quantityUnits: 1,
      priceTicks: ticks('2'),
    });
    expect(scene.attempt(bid)).toMatchObject({ ok: false, code: 'account_suspended' });
    expect(freeze(scene, false)).toEqual([false]);
    expect(scene.attempt(bid).ok).toBe(true);
  });

  it('and a dispute do not lift each other', () => {
    const scene = opened();
    scene.run({ kind: 'open_dispute', account: A, amountMicros: 1_000_000 });
    freeze(scene, true);
    const close = { kind: 'close_dispute', account: A, amountMicros: 1_000_000, outcome: 'won' } as const;
    const won = scene.run({ ...close, processorFeeMicros: 0, operator: OPERATOR });
    expect(eventsOf(won, 'account')).toMatchObject([{ suspended: true }]);
    scene.run({ kind: 'open_dispute', account: A, amountMicros: 1_000_000 });
    expect(freeze(scene, false)).toEqual([true]);
    const wonAgain = scene.run({ ...close, processorFeeMicros: 0, operator: OPERATOR });
    expect(eventsOf(wonAgain, 'account')).toMatchObject([{ suspended: false }]);
  });

  it('is a yes or a no', () => {
    const outcome = opened().attempt({ kind: 'set_standing', account: A, suspended: 1 as never });
    expect(outcome).toMatchObject({ ok: false, code: 'validation_failed' });
  });
});
