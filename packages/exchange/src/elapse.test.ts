import { describe, expect, it } from 'vitest';
import type { ExchangeEvent, OrderEvent } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, order, RULES, replay, Scene, ticks } from './testing/scene.ts';

const [S, A, B] = [1, 2, 3];
const OTHER = 2;

function opened(): Scene {
  const scene = Scene.open([S, A, B]);
  scene.run({ kind: 'open_market', instrument: OTHER, rules: RULES });
  scene.card(A, '100');
  scene.card(B, '100');
  scene.stock(S, 100);
  return scene;
}

/** Rests a bid of one unit that ends after `lifeMs`, and returns its number. */
function bid(scene: Scene, account: number, lifeMs: number, instrument = MARKET): number {
  const command = order({ account, instrument, side: 'buy', quantityUnits: 1, priceTicks: ticks('2') });
  return scene.run({ ...command, timeInForce: 'gtd', expiresAtMs: scene.atMs + lifeMs }).order!;
}

function rest(scene: Scene, account: number, instrument = MARKET): number {
  const command = order({ account, instrument, side: 'buy', quantityUnits: 1, priceTicks: ticks('2') });
  return scene.run(command).order!;
}

function arm(scene: Scene, account: number, timeoutMs: number, instrument?: number): void {
  const scope = instrument === undefined ? {} : { instrument };
  scene.run({ kind: 'arm_cancel_timer', account, timeoutMs, ...scope });
}

function halt(scene: Scene): void {
  scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'halted' });
}

/** Which orders ended, how, in the order it was told. */
function ends(events: readonly ExchangeEvent[]): string[] {
  const orders = events.filter((event): event is OrderEvent => event.type === 'order');
  return orders.map(({ order: number, status, reason }) => `${number} ${status} ${reason}`);
}

describe('orders that end', () => {
  it('expire at their time and not before, and give back what they held', () => {
    const scene = opened();
    bid(scene, A, 1_000);
    expect(scene.wait(999)).toEqual([]);
    expect(ends(scene.wait(1))).toEqual(['1 expired expired']);
    expect(scene.balance(KIND.heldCard, A)).toBe(0);
    expect(scene.exchange.nextDueMs()).toBeUndefined();
    expect(scene.exchange.depth(MARKET, 'buy', 1)).toEqual([]);
  });

  it('keep the name they were given: a day is a time with a label', () => {
    const scene = opened();
    const command = order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: ticks('2') });
    const expiresAtMs = scene.atMs + 5_000;
    const placed = scene.run({ ...command, timeInForce: 'day', expiresAtMs });
    expect(eventsOf(placed, 'order')[0]!.placed).toMatchObject({ timeInForce: 'day', expiresAtMs });
    const amended = scene.run({ kind: 'amend_order', account: A, order: 1, priceTicks: ticks('2.1') });
    expect(eventsOf(amended, 'order')[0]!.amended).toMatchObject({ timeInForce: 'day', expiresAtMs });
  });

  it('are not waited for when they ended in another way', () => {
    const scene = opened();
    bid(scene, A, 1_000);
    bid(scene, B, 2_000);
    scene.sell(S, 1, '2.0000');
    scene.run({ kind: 'cancel_order', account: B, order: 2 });
    expect(scene.exchange.nextDueMs()).toBeUndefined();
    const third = bid(scene, A, 1_000);
    scene.sell(S, 1, '2.1000');
    scene.run({ kind: 'amend_order', account: A, order: third, priceTicks: ticks('2.1') });
    expect(scene.exchange.nextDueMs()).toBeUndefined();
  });

  it('never trade at or after their time: whoever comes then finds the book without them', () => {
    const scene = opened();
    bid(scene, A, 1_000);
    scene.atMs += 1_000;
    const late = {
      seq: scene.exchange.lastSeq + 1,
      atMs: scene.atMs,
      command: order({ account: S, side: 'sell', quantityUnits: 1, priceTicks: ticks('2') }),
    };
    expect(() => scene.exchange.apply(late)).toThrow('what is due is done before anything else');
    scene.elapse();
    expect(eventsOf(scene.sell(S, 1, '2.0000'), 'trade')).toEqual([]);
  });

  it.each([
    ['gtd without an end', 'gtd', undefined],
    ['day without an end', 'day', undefined],
    ['an end that is now', 'gtd', 0],
    ['an end that is past', 'gtd', -1],
    ['an end that is no whole number', 'gtd', 0.5],
    ['an end beyond every calendar', 'gtd', 2 ** 53],
    ['an end without a life that has one', 'gtc', 5_000],
    ['an end of what ends at once', 'ioc', 5_000],
  ] as const)('are refused with %s', (_what, timeInForce, afterMs) => {
    const scene = opened();
    const command = order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: ticks('2'), timeInForce });
    const end = afterMs === undefined ? {} : { expiresAtMs: scene.atMs + afterMs };
    expect(scene.attempt({ ...command, ...end })).toMatchObject({ ok: false, code: 'validation_failed' });
  });

  it('end in the order of their times, then numbers, a thousand a command', () => {
    const scene = Scene.open([A], { ...RULES, maxOpenOrders: 2_000 });
    scene.card(A, '9000');
    for (let index = 0; index < 1_001; index += 1) bid(scene, A, index % 2 === 0 ? 2_000 : 1_000);
    scene.atMs += 2_000;
    const first = scene.run({ kind: 'elapse' });
    expect(eventsOf(first, 'order').map((event) => event.order)).toEqual([
      ...Array.from({ length: 500 }, (_, index) => 2 * index + 2),
      ...Array.from({ length: 500 }, (_, index) => 2 * index + 1),
    ]);
    expect(scene.exchange.nextDueMs()).toBe(scene.atMs);
    expect(ends(scene.run({ kind: 'elapse' }).events)).toEqual(['1001 expired expired']);
  });

  it('nothing that is not due can be made to be', () => {
    const scene = opened();
    bid(scene, A, 1_000);
    expect(scene.attempt({ kind: 'elapse' })).toEqual({ ok: false, code: 'validation_failed' });
  });
});

describe("a dead man's switch", () => {
  it('cancels what rests in every market when it goes off, and says so', () => {
    const scene = opened();
    rest(scene, A);
    arm(scene, A, 5_000);
    expect(scene.exchange.timerOf(A)).toBe(scene.atMs + 5_000);
    rest(scene, A, OTHER);
    rest(scene, B);
    const events = scene.wait(5_000);
    expect(events).toContainEqual({ type: 'timer', account: A, instrument: null, triggersAtMs: null });
    expect(ends(events)).toEqual(['1 cancelled cancel_all_after', '2 cancelled cancel_all_after']);
    expect(scene.exchange.timerOf(A)).toBeUndefined();
    checkInvariants(scene.exchange);
  });

  it('of one market leaves the others alone, and stands beside that of the account', () => {
    const scene = opened();
    rest(scene, A);
    rest(scene, A, OTHER);
    arm(scene, A, 10_000);
    arm(scene, A, 5_000, OTHER);
    expect(scene.exchange.timerOf(A, OTHER)).toBe(scene.atMs + 5_000);
    expect(ends(scene.wait(5_000))).toEqual(['2 cancelled cancel_all_after']);
    expect(ends(scene.wait(5_000))).toEqual(['1 cancelled cancel_all_after']);
  });

  it('is put off by every call, and disarmed by 0', () => {
    const scene = opened();
    rest(scene, A);
    arm(scene, A, 5_000);
    scene.wait(4_000);
    arm(scene, A, 5_000);
    expect(scene.wait(4_999)).toEqual([]);
    const told = scene.run({ kind: 'arm_cancel_timer', account: A, timeoutMs: 0 });
    expect(eventsOf(told, 'timer')).toMatchObject([{ triggersAtMs: null }]);
    expect(scene.exchange.nextDueMs()).toBeUndefined();
    expect(scene.wait(100_000)).toEqual([]);
  });

  it.each([4_999, 600_001, -1, 5_000.5, Number.NaN])('does not take %d ms', (timeoutMs) => {
    const outcome = opened().attempt({ kind: 'arm_cancel_timer', account: A, timeoutMs });
    expect(outcome).toMatchObject({ ok: false, code: 'validation_failed' });
  });

  it('of a market that does not exist, or an account, is refused', () => {
    const scene = opened();
    const inNoMarket = { kind: 'arm_cancel_timer', account: A, instrument: 9, timeoutMs: 5_000 } as const;
    expect(scene.attempt(inNoMarket)).toMatchObject({ ok: false, code: 'market_not_found' });
    const ofNobody = { kind: 'arm_cancel_timer', account: 99, timeoutMs: 5_000 } as const;
    expect(scene.attempt(ofNobody)).toMatchObject({ ok: false, code: 'account_not_found' });
  });

  it('survives a snapshot', () => {
    const scene = opened();
    rest(scene, A);
    arm(scene, A, 5_000);
    bid(scene, B, 6_000);
    scene.exchange = replay(scene.journal, scene.journal.length);
    expect(ends(scene.wait(6_000))).toEqual(['1 cancelled cancel_all_after', '2 expired expired']);
  });
});

describe('what comes due at once, or during a halt', () => {
  it('orders end, then timers go off, then auctions trade what is left', () => {
    const scene = opened();
    rest(scene, A);
    arm(scene, A, 5_000);
    bid(scene, A, 5_000);
    rest(scene, B);
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'auction', auctionMs: 5_000 });
    scene.sell(S, 3, '2.0000');
    expect(ends(scene.wait(5_000))).toEqual([
      '2 expired expired',
      '1 cancelled cancel_all_after',
      '3 filled filled',
      '4 partially_filled null',
    ]);
  });

  it('after an auction, what came due later is a command of its own: each tells one state of an order', () => {
    const scene = opened();
    bid(scene, A, 6_000);
    const extra = order({ account: A, side: 'buy', quantityUnits: 3, priceTicks: ticks('2') });
    scene.run({ ...extra, timeInForce: 'gtd', expiresAtMs: scene.atMs + 6_000 });
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'auction', auctionMs: 5_000 });
    scene.sell(S, 2, '2.0000');
    scene.atMs += 6_000;
    const told = scene.elapse().map(({ events }) => ends(events));
    expect(told).toEqual([
      ['1 filled filled', '3 filled filled', '2 partially_filled null'],
      ['2 expired expired'],
    ]);
  });

  it('waits for the halt to end, and is done before anything can trade, in the order it came due', () => {
    const scene = opened();
    rest(scene, A);
    bid(scene, A, 7_000);
    bid(scene, B, 6_000);
    bid(scene, A, 4_000);
    arm(scene, A, 5_000);
    halt(scene);
    const during = scene.wait(60_000);
    expect(during.map(({ type }) => type)).toEqual(['timer']);
    expect(scene.exchange.nextDueMs()).toBeUndefined();
    const opening = scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'open' });
    expect(ends(opening.events)).toEqual([
      '4 expired expired',
      '1 cancelled cancel_all_after',
      '2 cancelled cancel_all_after',
      '3 expired expired',
    ]);
    checkInvariants(scene.exchange);
  });

  it('waits through a snapshot, too', () => {
    const scene = opened();
    rest(scene, A);
    bid(scene, B, 5_000);
    arm(scene, A, 5_000);
    halt(scene);
    scene.wait(60_000);
    scene.exchange = replay(scene.journal, scene.journal.length);
    const opening = scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'cancel_only' });
    expect(ends(opening.events)).toEqual(['2 expired expired', '1 cancelled cancel_all_after']);
  });

  it('does not wait in a market that goes on', () => {
    const scene = opened();
    rest(scene, A);
    rest(scene, A, OTHER);
    arm(scene, A, 5_000);
    halt(scene);
    expect(ends(scene.wait(5_000))).toEqual(['2 cancelled cancel_all_after']);
  });

  it('what went off during a halt spares orders that come after it', () => {
    const scene = opened();
    rest(scene, A);
    arm(scene, A, 5_000);
    halt(scene);
    scene.wait(5_000);
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'open' });
    rest(scene, A);
    expect(scene.wait(60_000).filter(({ type }) => type === 'order')).toEqual([]);
  });
});
