import { describe, expect, it } from 'vitest';
import type { Command, TradingState } from './commands.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, marketOrder, order, replay, Scene, ticks } from './testing/scene.ts';

const [S, A] = [1, 2];

/** S offers 10 at 2.5000 (order 1), A bids 2 at 2.0000 (order 2). */
function opened(): Scene {
  const scene = Scene.open([S, A]);
  scene.card(A, '100');
  scene.stock(S, 100);
  scene.sell(S, 10, '2.5000');
  scene.buy(A, 2, '2.0000');
  return scene;
}

function turn(scene: Scene, state: TradingState, auctionMs?: number): void {
  const length = auctionMs === undefined ? {} : { auctionMs };
  scene.run({ kind: 'set_trading_state', instrument: MARKET, state, ...length });
}

function stateOf(scene: Scene): [TradingState, endsInMs: number | null] {
  const { state, endsAtMs } = scene.exchange.marketStatus(MARKET)!;
  return [state, endsAtMs === null ? null : endsAtMs - scene.atMs];
}

function resting(price: string): Command {
  return order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: ticks(price) });
}

const COMMANDS: Readonly<Record<string, Command>> = {
  resting: resting('2.1'),
  crossing: resting('2.5'),
  ioc: { ...resting('2.5'), timeInForce: 'ioc' } as Command,
  market: marketOrder({ account: A, side: 'buy', quantityUnits: 1 }),
  cancel: { kind: 'cancel_order', account: A, order: 2 },
  bulk: { kind: 'cancel_orders', account: A, instrument: MARKET, reason: 'bulk_cancel' },
  system: { kind: 'cancel_orders', account: A, instrument: MARKET, reason: 'key_revoked' },
};

/** What came of a command: the refusal, or how its order ended. */
function resultOf(state: TradingState, name: string): string {
  const scene = opened();
  turn(scene, state);
  const outcome = scene.attempt(COMMANDS[name]!);
  if (!outcome.ok) return outcome.code;
  const [event] = eventsOf(outcome, 'order').filter(({ order: number }) => number === (outcome.order ?? 2));
  return event === undefined ? 'nothing' : `${event.status} ${event.reason ?? ''}`.trim();
}

const TABLE = `
              resting                 crossing                        ioc                     market                  cancel                 bulk                    system
 open         active                  filled filled                   filled filled           cancelled price_protection  cancelled user_cancel  cancelled bulk_cancel   cancelled key_revoked
 post_only    active                  rejected post_only_would_cross  rejected market_halted  rejected market_halted  cancelled user_cancel  cancelled bulk_cancel   cancelled key_revoked
 auction      active                  active                          rejected market_halted  rejected market_halted  cancelled user_cancel  cancelled bulk_cancel   cancelled key_revoked
 cancel_only  rejected market_halted  rejected market_halted          rejected market_halted  rejected market_halted  cancelled user_cancel  cancelled bulk_cancel   cancelled key_revoked
 halted       rejected market_halted  rejected market_halted          rejected market_halted  rejected market_halted  market_not_open        market_not_open         cancelled key_revoked
 closed       rejected market_closed  rejected market_closed          rejected market_closed  rejected market_closed  order_not_found        market_not_open         nothing
`;

function rows(): [state: TradingState, name: string, expected: string][] {
  const [head, ...lines] = TABLE.trim().split('\n');
  const names = head!.trim().split(/\s+/);
  return lines.flatMap((line) => {
    const [state, ...cells] = line.trim().split(/\s{2,}/);
    return names.map((name, index): [TradingState, string, string] => [
      state as TradingState,
      name,
      cells[index]!,
    ]);
  });
}

describe('trading states', () => {
  it.each(rows())('in %s, %s: %s', (state, name, expected) => {
    expect(resultOf(state, name)).toBe(expected);
  });

  it('leaves a halt through an auction of 30 seconds at least, which opens by itself', () => {
    const scene = opened();
    turn(scene, 'halted');
    turn(scene, 'open', 1_000);
    expect(stateOf(scene)).toEqual(['auction', 30_000]);
    scene.wait(29_999);
    expect(stateOf(scene)).toEqual(['auction', 1]);
    scene.wait(1);
    expect(stateOf(scene)).toEqual(['open', null]);
  });

  it('takes a longer auction, and opens to orders that rest only where that was asked', () => {
    const scene = opened();
    turn(scene, 'halted');
    turn(scene, 'post_only', 90_000);
    expect(stateOf(scene)).toEqual(['auction', 90_000]);
    scene.wait(90_000);
    expect(stateOf(scene)).toEqual(['post_only', null]);
  });

  it.each([
    ['cancel_only', ['cancel_only', 'open']],
    ['closed', ['closed', 'open']],
    ['an auction that is cut short', ['auction', 'open']],
    ['an auction that is broken off', ['auction', 'cancel_only', 'open']],
  ] as const)('is not got round by way of %s', (_way, states) => {
    const scene = opened();
    turn(scene, 'halted');
    for (const state of states) turn(scene, state, state === 'auction' ? 60_000 : undefined);
    expect(stateOf(scene)).toEqual(['auction', 30_000]);
    scene.wait(30_000);
    expect(stateOf(scene)).toEqual(['open', null]);
    turn(scene, 'cancel_only');
    turn(scene, 'open');
    expect(stateOf(scene)).toEqual(['open', null]);
  });

  it('is remembered by a snapshot', () => {
    const scene = opened();
    turn(scene, 'halted');
    turn(scene, 'cancel_only');
    scene.exchange = replay(scene.journal, scene.journal.length);
    turn(scene, 'open');
    expect(stateOf(scene)).toEqual(['auction', 30_000]);
    scene.exchange = replay(scene.journal, scene.journal.length);
    expect(stateOf(scene)).toEqual(['auction', 30_000]);
    scene.wait(30_000);
    expect(stateOf(scene)).toEqual(['open', null]);
  });

  it('an auction that nobody needs ends when the operator opens the market, and trades what crosses', () => {
    const scene = opened();
    turn(scene, 'auction', 60_000);
    scene.run(resting('2.5'));
    scene.atMs += 1;
    const outcome = scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'open' });
    expect(eventsOf(outcome, 'trade')).toMatchObject([{ isAuction: true, quantityUnits: 1 }]);
    expect(stateOf(scene)).toEqual(['open', null]);
    checkInvariants(scene.exchange, 50);
  });

  it('a book that an auction left crossed is never opened without another', () => {
    const scene = opened();
    turn(scene, 'auction', 60_000);
    scene.run(resting('2.5'));
    turn(scene, 'halted');
    expect(scene.exchange.bestTicks(MARKET, 'buy')).toBe(scene.exchange.bestTicks(MARKET, 'sell'));
    turn(scene, 'open');
    expect(stateOf(scene)).toEqual(['auction', 30_000]);
    expect(scene.wait(30_000).filter(({ type }) => type === 'trade')).toHaveLength(1);
    checkInvariants(scene.exchange, 50);
  });

  it.each([
    [{ state: 'paused' as never }],
    [{ state: 'auction' as const, auctionMs: 0 }],
    [{ state: 'auction' as const, auctionMs: 1.5 }],
    [{ state: 'auction' as const, auctionMs: 86_400_001 }],
  ])('refuses %o', (members) => {
    const outcome = opened().attempt({ kind: 'set_trading_state', instrument: MARKET, ...members });
    expect(outcome).toMatchObject({ ok: false, code: 'validation_failed' });
  });
});
