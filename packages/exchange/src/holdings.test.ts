import { describe, expect, it } from 'vitest';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, moved, order, Scene, ticks, usd } from './testing/scene.ts';

const [S, A, B, T] = [1, 2, 3, 4];

function segmentsOf(scene: Scene, account: number) {
  const holder = scene.exchange.export().accounts.find((one) => one.account === account)!;
  return (holder.positions[0]?.segments ?? []).map((segment) => [
    segment.unitFrom,
    segment.unitTo,
    segment.priceTicks,
  ]);
}

describe('promotional USD', () => {
  it('is spent before proceeds and card money, and units remember their share of it', () => {
    const scene = Scene.open([S, A, B]);
    scene.promotion(A, '4');
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(S, 10);
    scene.sell(S, 4, '2.0000');
    const bought = scene.buy(A, 4, '2.0000');
    expect(moved(bought, KIND.userPromotional, A)).toBe(-usd('4'));
    expect(moved(bought, KIND.userCard, A)).toBe(-usd('4.040000'));
    // Half of what the units cost was promotional: 1.00 each. Three of four resold bring 3.00 of it back.
    scene.sell(A, 3, '3.0000');
    const sold = scene.buy(B, 3, '3.0000');
    expect(moved(sold, KIND.userPromotional, A)).toBe(usd('3'));
    expect(moved(sold, KIND.userProceeds, A)).toBe(usd('6'));
    checkInvariants(scene.exchange);
  });

  it('comes back only up to what a sale brings', () => {
    const scene = Scene.open([S, A, B]);
    scene.promotion(A, '10');
    scene.card(B, '100');
    scene.stock(S, 10);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(A, 4, '1.0000');
    const sold = scene.buy(B, 4, '1.0000');
    expect(moved(sold, KIND.userPromotional, A)).toBe(usd('4'));
    expect(moved(sold, KIND.userProceeds, A)).toBe(0);
  });

  it('is remembered through a resting order and several fills, to the last micro-dollar', () => {
    const scene = Scene.open([S, A, B]);
    scene.promotion(A, '0.000101');
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(S, 10);
    scene.buy(A, 7, '0.0001');
    for (const units of [3, 1, 3]) scene.sell(S, units, '0.0001');
    scene.sell(A, 7, '0.0001');
    for (const units of [2, 2, 2, 1]) scene.buy(B, units, '0.0001');
    expect(scene.balance(KIND.userPromotional, A)).toBe(101);
    checkInvariants(scene.exchange);
  });
});

describe('the order of holdings', () => {
  it('sells, moves and draws from the front: oldest acquisition, then lowest serial', () => {
    const scene = Scene.open([S, T, A, B]);
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(T, 5);
    scene.stock(S, 10);
    scene.sell(S, 3, '2.0000');
    scene.sell(T, 2, '2.1000');
    scene.buy(A, 5, '2.1000');
    expect(segmentsOf(scene, A)).toEqual([
      [6, 8, ticks('2.0')],
      [1, 2, ticks('2.1')],
    ]);
    scene.sell(A, 2, '3.0000');
    scene.buy(B, 1, '3.0000');
    scene.run({ kind: 'transfer_to_consumption', account: A, instrument: MARKET, quantityUnits: 3 });
    expect(scene.lots(A).map((lot) => lot.issuer)).toEqual([S, T]);
    expect(segmentsOf(scene, B)).toEqual([[6, 6, ticks('3.0')]]);
    const drawn = scene.consume(A, 2_500_000, { servedBy: S });
    expect(
      eventsOf(drawn, 'draw').map((draw) => [draw.issuer, draw.tokens, draw.unitFrom, draw.unitTo]),
    ).toEqual([
      [S, 2_000_000, 7, 8],
      [T, 500_000, 1, 1],
    ]);
    checkInvariants(scene.exchange);
  });

  it('delivers the serials of one trade in rising order, whatever the order they were held in', () => {
    const scene = Scene.open([S, T, A, B]);
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(T, 5);
    scene.stock(S, 10);
    scene.sell(S, 3, '2.0000');
    scene.sell(T, 2, '2.1000');
    scene.buy(A, 5, '2.1000');
    scene.sell(A, 5, '2.1000');
    const outcome = scene.buy(B, 5, '2.1000');
    expect(eventsOf(outcome, 'trade')[0]!.units).toEqual([
      { from: 1, to: 2 },
      { from: 6, to: 8 },
    ]);
    expect(segmentsOf(scene, B)).toEqual([
      [1, 2, ticks('2.1')],
      [6, 8, ticks('2.1')],
    ]);
  });

  it('locks a quantity and not serials while a sell rests', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 5, '2.0000');
    scene.buy(A, 5, '2.0000');
    scene.sell(A, 2, '9.0000');
    scene.toConsumption(A, 3);
    const attempt = scene.attempt({
      kind: 'transfer_to_consumption',
      account: A,
      instrument: MARKET,
      quantityUnits: 1,
    });
    expect(attempt).toMatchObject({
      code: 'insufficient_balance',
      context: { required: 1_000_000, available: 0 },
    });
    expect(segmentsOf(scene, A)).toEqual([[4, 5, ticks('2.0')]]);
  });
});

describe('auto-transfer', () => {
  it('moves each fill to consumption at once, for takers and for resting orders', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 2, '2.0000');
    const buy = order({
      account: A,
      side: 'buy',
      quantityUnits: 5,
      priceTicks: ticks('2.0'),
      autotransfer: true,
    });
    const taken = scene.run(buy);
    expect(eventsOf(taken, 'lot')).toMatchObject([{ opened: true, tokensTotal: 2_000_000 }]);
    const rested = scene.sell(S, 3, '2.0000');
    expect(eventsOf(rested, 'transferred')).toMatchObject([
      { account: A, origin: 'auto_transfer', quantityUnits: 3 },
    ]);
    expect(scene.balance(KIND.consumption, A)).toBe(5_000_000);
    expect(scene.balance(KIND.trading, A)).toBe(0);
    checkInvariants(scene.exchange);
  });

  it('is ignored on sells', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.run(
      order({ account: S, side: 'sell', quantityUnits: 5, priceTicks: ticks('2.0'), autotransfer: true }),
    );
    scene.buy(A, 5, '2.0000');
    expect(scene.balance(KIND.trading, A)).toBe(5_000_000);
  });
});

describe('an issuer that buys its own units back', () => {
  it('gets their escrow at once, and sells them again as a new primary sale', () => {
    const scene = Scene.open([S, A, B]);
    for (const account of [S, A, B]) scene.card(account, '100');
    scene.stock(S, 4);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(A, 3, '2.2000');
    const back = scene.buy(S, 3, '2.2000');
    expect(moved(back, KIND.userProceeds, A)).toBe(usd('6.600000'));
    expect(moved(back, KIND.userProceeds, S)).toBe(usd('6.000000'));
    expect(scene.escrow(S)).toBe(usd('2.000000'));
    scene.sell(S, 3, '2.5000');
    const again = scene.buy(B, 3, '2.5000');
    expect(moved(again, KIND.escrow, S)).toBe(usd('7.500000'));
    expect(moved(again, KIND.userProceeds, S)).toBe(0);
    checkInvariants(scene.exchange);
  });

  it('may use them itself: nothing is released twice', () => {
    const scene = Scene.open([S, A]);
    for (const account of [S, A]) scene.card(account, '100');
    scene.stock(S, 4);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(A, 4, '2.0000');
    scene.buy(S, 4, '2.0000');
    scene.toConsumption(S, 4);
    const before = scene.balance(KIND.userProceeds, S);
    scene.consume(S, 4_000_000, { servedBy: S });
    expect(scene.balance(KIND.userProceeds, S)).toBe(before);
    expect(scene.exchange.liabilities(MARKET)).toEqual(new Map());
  });
});

describe('settlement', () => {
  function served(): Scene {
    const scene = Scene.open([S, A, B, T]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 3, '2.0000');
    scene.buy(A, 3, '2.0000');
    scene.toConsumption(A, 3);
    return scene;
  }

  it('pays the released escrow in full to whoever served although the obligor was able', () => {
    const scene = served();
    scene.consume(A, 1_000_000, { servedBy: T, substitutePriceTicks: ticks('1.0') });
    expect(scene.balance(KIND.userProceeds, T)).toBe(usd('2'));
    expect(scene.balance(KIND.reserve)).toBe(0);
  });

  it('pays an obligor that served after all its own escrow, whatever was said about it before', () => {
    const scene = served();
    scene.consume(A, 1_000_000, { servedBy: S, failedObligors: [S], substitutePriceTicks: ticks('1.0') });
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('2'));
  });

  it('pays a cheaper substitute its price and keeps the rest in the reserve', () => {
    const scene = served();
    scene.consume(A, 1_000_000, { servedBy: T, failedObligors: [S], substitutePriceTicks: ticks('1.5') });
    expect(scene.balance(KIND.userProceeds, T)).toBe(usd('1.5'));
    expect(scene.balance(KIND.reserve)).toBe(usd('0.5'));
  });

  it('pays a substitute without a posted price the average of the day', () => {
    const scene = served();
    scene.card(B, '100');
    scene.sell(S, 3, '1.0000');
    scene.buy(B, 3, '1.0000');
    scene.consume(A, 1_000_000, { servedBy: T, failedObligors: [S], substitutePriceTicks: null });
    expect(scene.balance(KIND.userProceeds, T)).toBe(usd('1.5'));
  });

  it('pays no premium where no trade of the day says what is dear', () => {
    const scene = served();
    scene.run({ kind: 'fund_reserve', amountMicros: usd('1000') });
    scene.atMs += 86_400_000;
    scene.consume(A, 1_000_000, { servedBy: T, failedObligors: [S], substitutePriceTicks: ticks('90') });
    expect(scene.balance(KIND.userProceeds, T)).toBe(usd('2'));
    expect(scene.balance(KIND.reserve)).toBe(usd('1000'));
    scene.consume(A, 1_000_000, { servedBy: T, failedObligors: [S], substitutePriceTicks: ticks('1.5') });
    expect(scene.balance(KIND.userProceeds, T)).toBe(usd('3.5'));
  });

  it('pays substitutes by cumulative floors: many small draws bring what one large draw brings', () => {
    const [many, one] = [served(), served()];
    const failing = { servedBy: T, failedObligors: [S], substitutePriceTicks: ticks('1.5001') };
    for (let index = 0; index < 100; index += 1) many.consume(A, 7, failing);
    one.consume(A, 700, failing);
    expect(many.balance(KIND.userProceeds, T)).toBe(one.balance(KIND.userProceeds, T));
    expect(one.balance(KIND.userProceeds, T)).toBe(1_050);
    checkInvariants(many.exchange);
  });

  it('releases by cumulative floors: many small draws bring the obligor what one large draw brings', () => {
    const scene = served();
    for (let index = 0; index < 30; index += 1) scene.consume(A, 99_999, { servedBy: S });
    scene.consume(A, 30, { servedBy: S });
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('6'));
    expect(scene.escrow(S)).toBe(0);
    expect(scene.exchange.export().ranges).toEqual([]);
  });

  it('counts receipts per account, also those that draw nothing', () => {
    const scene = served();
    const numbers = [1, 2].map((servedBy) => {
      const outcome = scene.run({ kind: 'settle', account: A, instrument: MARKET, draws: [], servedBy });
      return eventsOf(outcome, 'settled')[0]!.receipt;
    });
    expect(numbers).toEqual([1, 2]);
  });

  it.each([
    [
      'twice the same token',
      [
        [0, 10],
        [9, 20],
      ],
      'lot_not_available',
    ],
    ['beyond the lot', [[2_999_999, 3_000_001]], 'lot_not_available'],
    ['nothing', [[5, 5]], 'lot_not_available'],
    ['backwards', [[9, 5]], 'lot_not_available'],
    ['parts of tokens', [[0.5, 1]], 'lot_not_available'],
    ['negative offsets', [[-1, 1]], 'lot_not_available'],
  ])('refuses to draw %s', (_name, runs, code) => {
    const scene = served();
    const { lot } = scene.lots(A)[0]!;
    const before = JSON.stringify(scene.exchange.export());
    const draws = runs.map(([from, to]) => ({ lot, from: from!, to: to! }));
    const settle = { kind: 'settle' as const, account: A, instrument: MARKET, draws, servedBy: S };
    expect(scene.attempt(settle)).toEqual({ ok: false, code });
    expect(JSON.stringify(scene.exchange.export())).toBe(before);
  });

  it('refuses foreign lots, drawn tokens, unknown servers and prices that are no integers', () => {
    const scene = served();
    const { lot } = scene.lots(A)[0]!;
    const settle = {
      kind: 'settle' as const,
      account: A,
      instrument: MARKET,
      draws: [{ lot, from: 0, to: 10 }],
      servedBy: S,
    };
    expect(scene.attempt({ ...settle, account: B })).toEqual({ ok: false, code: 'lot_not_available' });
    expect(scene.attempt({ ...settle, servedBy: 77 })).toEqual({ ok: false, code: 'validation_failed' });
    const half = { ...settle, failedObligors: [S], servedBy: T, substitutePriceTicks: 0.5 };
    expect(scene.attempt(half)).toEqual({ ok: false, code: 'validation_failed' });
    scene.run(settle);
    expect(scene.attempt(settle)).toEqual({ ok: false, code: 'lot_not_available' });
  });

  it('still takes place for an account that is suspended', () => {
    const scene = served();
    scene.run({ kind: 'open_dispute', account: A, amountMicros: 1 });
    scene.consume(A, 5, { servedBy: S });
    expect(scene.balance(KIND.consumption, A)).toBe(2_999_995);
  });
});
