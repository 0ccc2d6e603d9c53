import { describe, expect, it } from 'vitest';
import type { Command } from './commands.ts';
import { Exchange } from './exchange.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, marketOrder, order, RULES, Scene, ticks, usd } from './testing/scene.ts';

const [S, A, B] = [1, 2, 3];
const VAST_RULES = { ...RULES, maxOrderUnits: 1_000_000_000 };

/** A command that must be refused with a code and leave no trace. */
function expectRefused(scene: Scene, command: Command, code: string): void {
  const before = JSON.stringify(scene.exchange.export());
  expect(scene.attempt(command)).toMatchObject({ ok: false, code });
  expect(JSON.stringify(scene.exchange.export())).toBe(before);
}

describe('bounds', () => {
  it('find too little USD, and no fault, where price times quantity passes 2^53 although both are in range', () => {
    const scene = Scene.open([S, A], VAST_RULES);
    scene.card(A, '1000000000');
    const vast = { account: A, side: 'buy' as const, quantityUnits: 1_000_000_000 };
    expectRefused(scene, order({ ...vast, priceTicks: 2 ** 31 - 2 }), 'insufficient_balance');
    expectRefused(scene, order({ ...vast, priceTicks: 90_072 }), 'insufficient_balance');
    expect(scene.exchange.buyRequirementMicros(MARKET, 1_000_000_000, 2 ** 31 - 2)).toBe(
      Number.MAX_SAFE_INTEGER,
    );
  });

  it('let a market order meet a reference price near the end of the range', () => {
    const scene = Scene.open([S, A], { ...VAST_RULES, referencePriceTicks: 2 ** 31 - 2 });
    scene.card(A, '1000000000');
    expectRefused(
      scene,
      marketOrder({ account: A, side: 'buy', quantityUnits: 1_000_000_000 }),
      'insufficient_balance',
    );
    scene.stock(S, 5);
    scene.sell(S, 1, '214748.3646');
    const outcome = scene.run(marketOrder({ account: A, side: 'buy', quantityUnits: 1 }));
    expect(eventsOf(outcome, 'trade')[0]!.priceTicks).toBe(2 ** 31 - 2);
    checkInvariants(scene.exchange);
  });

  it('trade the largest value an account can pay', () => {
    const scene = Scene.open([S, A], { ...VAST_RULES, takerBps: 0 });
    scene.card(A, '1000000000');
    scene.stock(S, 1_000_000_000);
    scene.sell(S, 1_000_000_000, '1.0000');
    scene.buy(A, 1_000_000_000, '1.0000');
    scene.toConsumption(A, 1_000_000_000);
    scene.consume(A, 999_999_999_999_999, { servedBy: S });
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('1000000000') - 1);
    scene.consume(A, 1, { servedBy: S });
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('1000000000'));
    checkInvariants(scene.exchange);
  });

  it.each([
    [0, 1],
    [-1, 1],
    [1.5, 1],
    [2 ** 53, 1],
    [Number.NaN, 1],
    [10_001, 1],
    [1, 0],
    [1, -1],
    [1, 0.5],
    [1, 2 ** 31 - 1],
    [1, 2 ** 53],
    [1, Number.POSITIVE_INFINITY],
  ])('refuse an order of %d units at %d ticks', (quantityUnits, priceTicks) => {
    const scene = Scene.open([A]);
    scene.card(A, '100');
    for (const side of ['buy', 'sell'] as const) {
      expectRefused(scene, order({ account: A, side, quantityUnits, priceTicks }), 'validation_failed');
    }
  });

  it('refuse combinations that mean nothing', () => {
    const scene = Scene.open([A]);
    const base = { account: A, side: 'buy' as const, quantityUnits: 1, priceTicks: 5 };
    expectRefused(scene, order({ ...base, priceTicks: null }), 'validation_failed');
    expectRefused(scene, order({ ...base, timeInForce: 'ioc', postOnly: true }), 'validation_failed');
    expectRefused(scene, order({ ...base, type: 'market', timeInForce: 'gtc' }), 'validation_failed');
  });

  it('end issuance before the tokens of an instrument pass 2^53', () => {
    const scene = Scene.open([S]);
    const issue = { kind: 'issue' as const, account: S, instrument: MARKET, quantityUnits: 1_000_000_000 };
    for (let index = 0; index < 9; index += 1) scene.run(issue);
    expectRefused(scene, { ...issue, quantityUnits: 1 }, 'validation_failed');
    expectRefused(scene, { ...issue, quantityUnits: 1_000_000_001 }, 'validation_failed');
    checkInvariants(scene.exchange);
  });

  it('end credits before their sum passes 2^53', () => {
    const scene = Scene.open([1, 2, 3]);
    for (const origin of ['card', 'promotional'] as const) {
      for (const account of [1, 2]) {
        scene.run({ kind: 'credit', account, origin, amountMicros: 500_000_000_000_000 });
      }
    }
    expectRefused(
      scene,
      { kind: 'credit', account: 1, origin: 'card', amountMicros: 1 },
      'validation_failed',
    );
    scene.run({ kind: 'credit', account: 3, origin: 'card', amountMicros: 1_000_000_000_000_000 });
    scene.run({ kind: 'open_account', account: 4 });
    expectRefused(
      scene,
      { kind: 'credit', account: 4, origin: 'card', amountMicros: 1_000_000_000_000_000 },
      'validation_failed',
    );
    for (let index = 0; index < 2; index += 1)
      scene.run({ kind: 'fund_reserve', amountMicros: 1_000_000_000_000_000 });
    expectRefused(scene, { kind: 'fund_reserve', amountMicros: 1_000_000_000_000_000 }, 'validation_failed');
  });

  it('refuse markets with rules that no arithmetic can rely on', () => {
    const scene = Scene.open([A]);
    const wrong = [
      { takerBps: 1.5 },
      { takerBps: 10_001 },
      { makerBps: -1 },
      { makerBps: 51 },
      { minOrderUnits: 0 },
      { minOrderUnits: 5, maxOrderUnits: 4 },
      { maxOpenOrders: -1 },
      { limitCollarBps: Number.NaN },
      { referencePriceTicks: 0 },
    ];
    for (const part of wrong) {
      const rules = { ...RULES, ...part };
      expectRefused(scene, { kind: 'configure_market', instrument: MARKET, rules }, 'validation_failed');
      expectRefused(scene, { kind: 'open_market', instrument: 2, rules }, 'validation_failed');
    }
    for (const instrument of [0, 4_096, 1.5]) {
      expectRefused(scene, { kind: 'open_market', instrument, rules: RULES }, 'validation_failed');
    }
    expectRefused(scene, { kind: 'open_market', instrument: MARKET, rules: RULES }, 'market_exists');
    expectRefused(scene, { kind: 'open_account', account: A }, 'account_exists');
  });

  it('stop a journal that skips, repeats or goes back in time', () => {
    const entry = { seq: 1, atMs: 5, command: { kind: 'open_account' as const, account: 1 } };
    expect(() => new Exchange().apply({ ...entry, seq: 2 })).toThrow('dense');
    const exchange = new Exchange();
    exchange.apply(entry);
    expect(() => exchange.apply(entry)).toThrow('dense');
    const late = { seq: 2, atMs: 4, command: { kind: 'open_account' as const, account: 2 } };
    expect(() => exchange.apply(late)).toThrow('never decreases');
  });
});

describe('trading states', () => {
  function halfFull(): Scene {
    const scene = Scene.open([S, A, B]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 3, '2.5000');
    scene.buy(A, 2, '2.4000');
    return scene;
  }

  it.each([
    ['cancel_only', 'market_halted', true],
    ['halted', 'market_halted', false],
    ['closed', 'market_closed', undefined],
  ] as const)('%s rejects new orders as %s', (state, reason, cancels) => {
    const scene = halfFull();
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state });
    const rejected = scene.buy(A, 1, '2.4000');
    expect(eventsOf(rejected, 'order')[0]).toMatchObject({ status: 'rejected', reason });
    const cancel = scene.attempt({ kind: 'cancel_order', account: A, order: 2 });
    if (cancels === undefined) expect(cancel).toEqual({ ok: false, code: 'order_not_found' });
    else if (cancels) expect(cancel.ok).toBe(true);
    else expect(cancel).toEqual({ ok: false, code: 'market_not_open' });
  });

  it('closed ends every resting order and gives back what it held', () => {
    const scene = halfFull();
    const outcome = scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'closed' });
    expect(eventsOf(outcome, 'order').map(({ order: number, reason }) => [number, reason])).toEqual([
      [2, 'market_closed'],
      [1, 'market_closed'],
    ]);
    expect(eventsOf(outcome, 'level')).toHaveLength(2);
    expect(scene.available(A)).toBe(usd('100'));
    expect(scene.balance(KIND.trading, S)).toBe(10_000_000);
    checkInvariants(scene.exchange);
  });

  it('a suspension ends orders even in a halted market', () => {
    const scene = halfFull();
    scene.run({ kind: 'set_trading_state', instrument: MARKET, state: 'halted' });
    scene.run({ kind: 'open_dispute', account: A, amountMicros: 1 });
    expect(scene.exchange.depth(MARKET, 'buy', 5)).toEqual([]);
  });
});

describe('cancelling', () => {
  it('is for the owner only: to everybody else the order does not exist', () => {
    const scene = Scene.open([A, B]);
    scene.card(A, '100');
    const placed = scene.buy(A, 1, '1.0000');
    expectRefused(scene, { kind: 'cancel_order', account: B, order: placed.order! }, 'order_not_found');
    scene.run({ kind: 'cancel_order', account: A, order: placed.order! });
    expectRefused(scene, { kind: 'cancel_order', account: A, order: placed.order! }, 'order_not_found');
    expectRefused(scene, { kind: 'cancel_order', account: A, order: 0 }, 'order_not_found');
  });
});

describe('collars', () => {
  function quoted(ask: string): Scene {
    const scene = Scene.open([S, A, B], { ...RULES, referencePriceTicks: null });
    for (const account of [A, B]) scene.card(account, '1000');
    scene.stock(S, 100);
    scene.sell(S, 5, ask);
    return scene;
  }

  it('reject a market order without any reference price, on an empty book too', () => {
    const scene = Scene.open([A], { ...RULES, referencePriceTicks: null });
    scene.card(A, '100');
    const outcome = scene.run(marketOrder({ account: A, side: 'buy', quantityUnits: 1 }));
    expect(eventsOf(outcome, 'order')[0]).toMatchObject({ status: 'rejected', reason: 'no_reference_price' });
    expect(outcome.legs).toEqual([]);
  });

  it('end a market order on an empty book at once, holding nothing', () => {
    const scene = Scene.open([A]);
    scene.card(A, '100');
    const outcome = scene.run(marketOrder({ account: A, side: 'buy', quantityUnits: 1 }));
    expect(eventsOf(outcome, 'order')[0]).toMatchObject({ status: 'cancelled', reason: 'ioc_unfilled' });
    expect(scene.available(A)).toBe(usd('100'));
  });

  it('take the five-minute average, then the last trade, then mid, then the opposite quote, then what is configured', () => {
    const scene = quoted('2.0000');
    const worst = (): number => {
      // A buy of more than there is shows its bound: what it needs is value at the worst price plus the fee.
      const outcome = scene.attempt(marketOrder({ account: A, side: 'buy', quantityUnits: 10_000 }));
      const required = outcome.ok ? 0 : Number(outcome.context?.required);
      return Math.round(required / 10_000 / 1.005 / 100);
    };
    expect(worst()).toBe(22_000);
    scene.buy(B, 1, '1.0000');
    expect(worst()).toBe(16_500);
    scene.buy(A, 1, '2.0000');
    expect(worst()).toBe(22_000);
    scene.atMs += 300_000;
    scene.buy(A, 1, '2.0000');
    scene.buy(B, 3, '2.0000');
    scene.sell(S, 1, '1.0000');
    // 4 at 2.0000 and 1 at 1.0000 in the last five minutes.
    expect(worst()).toBe(19_800);
    scene.atMs += 300_000;
    // Nothing in the last five minutes: the last trade was at 1.0000.
    expect(worst()).toBe(11_000);
  });

  it('round the bound of a buy down and of a sell up, to the tick', () => {
    const scene = Scene.open([S, A], { ...RULES, referencePriceTicks: 25_005 });
    scene.card(A, '1000');
    scene.stock(S, 10);
    scene.buy(A, 1, '2.2504');
    scene.run({ kind: 'configure_market', instrument: MARKET, rules: { ...RULES, marketCollarBps: 999 } });
    // The bid is the only quote: 22,504 less 9.99 percent is 20,255.85, so a bid of 20,255 would be out of reach.
    const taken = scene.run(marketOrder({ account: S, side: 'sell', quantityUnits: 1 }));
    expect(eventsOf(taken, 'trade')[0]!.priceTicks).toBe(22_504);
    scene.buy(A, 1, '2.0255');
    const missed = scene.run(marketOrder({ account: S, side: 'sell', quantityUnits: 1 }));
    expect(eventsOf(missed, 'order')[0]).toMatchObject({ reason: 'price_protection', filledUnits: 0 });
    scene.buy(A, 1, '2.0256');
    const reached = scene.run(marketOrder({ account: S, side: 'sell', quantityUnits: 1 }));
    expect(eventsOf(reached, 'trade')[0]!.priceTicks).toBe(20_256);
  });

  it('reject a limit order that would trade beyond the limit collar, and accept a passive one', () => {
    const scene = quoted('2.0000');
    scene.buy(A, 1, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(S, 1, '3.0001');
    const beyond = scene.buy(A, 1, '3.0001');
    expect(eventsOf(beyond, 'order')[0]).toMatchObject({
      status: 'rejected',
      reason: 'price_outside_collar',
    });
    // One at 3.0000 is within reach, two would touch 3.0001: the worst price that an order touches decides.
    scene.sell(S, 1, '3.0000');
    const deep = scene.buy(A, 2, '3.0001');
    expect(eventsOf(deep, 'order')[0]).toMatchObject({ status: 'rejected', reason: 'price_outside_collar' });
    const shallow = scene.buy(A, 1, '3.0001');
    expect(eventsOf(shallow, 'order').at(-1)).toMatchObject({ status: 'filled', filledUnits: 1 });
    const passive = scene.buy(A, 1, '0.0001');
    expect(eventsOf(passive, 'order')[0]).toMatchObject({ status: 'active' });
  });

  it('bind a market order by its own price where that is tighter', () => {
    const scene = quoted('2.0000');
    const priceTicks = ticks('1.9999');
    const outcome = scene.run(marketOrder({ account: A, side: 'buy', quantityUnits: 1, priceTicks }));
    expect(eventsOf(outcome, 'order')[0]).toMatchObject({ reason: 'price_protection', filledUnits: 0 });
    // A limit order is bound by its own price alone, so nothing protected it from anything.
    const ioc = order({ account: A, side: 'buy', quantityUnits: 1, priceTicks, timeInForce: 'ioc' });
    expect(eventsOf(scene.run(ioc), 'order')[0]).toMatchObject({ reason: 'ioc_unfilled', filledUnits: 0 });
  });

  it('hold automatic purchases to a ceiling that no quote can raise, twice the configured price in easy mode', () => {
    const rules = { ...RULES, referencePriceTicks: 10_000 };
    const scene = Scene.open([S, A], rules);
    scene.card(A, '1000');
    scene.stock(S, 10);
    scene.sell(S, 2, '1.2000');
    const buy = marketOrder({
      account: A,
      side: 'buy',
      quantityUnits: 1,
      origin: 'auto_buy',
      easyMode: true,
    });
    expect(eventsOf(scene.run(buy), 'order')[0]).toMatchObject({ reason: 'price_protection' });
    expect(scene.exchange.autoBuyCeilingTicks(MARKET, { easyMode: true })).toBe(11_000);
    scene.buy(A, 2, '1.2000');
    expect(scene.exchange.autoBuyCeilingTicks(MARKET, { easyMode: true })).toBe(13_200);
    scene.run({
      kind: 'configure_market',
      instrument: MARKET,
      rules: { ...rules, referencePriceTicks: 5_000 },
    });
    expect(scene.exchange.autoBuyCeilingTicks(MARKET, { easyMode: true })).toBe(10_000);
    expect(scene.exchange.autoBuyCeilingTicks(MARKET, { easyMode: false })).toBe(13_200);
    scene.run({
      kind: 'configure_market',
      instrument: MARKET,
      rules: { ...rules, referencePriceTicks: null },
    });
    scene.atMs += 86_400_000;
    scene.run({ kind: 'open_account', account: B });
    expect(scene.exchange.autoBuyCeilingTicks(MARKET, { easyMode: true })).toBeUndefined();
    const blind = scene.run(buy);
    expect(eventsOf(blind, 'order')[0]).toMatchObject({ status: 'rejected', reason: 'no_reference_price' });
  });

  it('limit open orders per account and market', () => {
    const scene = Scene.open([A, B], { ...RULES, maxOpenOrders: 2 });
    for (const account of [A, B]) scene.card(account, '100');
    const statuses = [1, 2, 3].map(() => eventsOf(scene.buy(A, 1, '1.0000'), 'order')[0]!.reason);
    expect(statuses).toEqual([null, null, 'open_order_limit']);
    expect(eventsOf(scene.buy(B, 1, '1.0000'), 'order')[0]!.status).toBe('active');
    const ioc = order({ account: A, side: 'buy', quantityUnits: 1, priceTicks: 5, timeInForce: 'ioc' });
    expect(eventsOf(scene.run(ioc), 'order')[0]!.reason).toBe('ioc_unfilled');
  });
});
