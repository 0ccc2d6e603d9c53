import { describe, expect, it } from 'vitest';
import type { LotUnits } from './commands.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, order, replay, Scene, ticks, usd } from './testing/scene.ts';

const [S, A, B] = [1, 2, 3];

/** A has lot 1 with units 1-6, bought at 2.5000 with 5 promotional dollars, and USD left. */
function opened(): Scene {
  const scene = Scene.open([S, A, B]);
  scene.promotion(A, '5');
  scene.card(A, '100');
  scene.card(B, '100');
  scene.stock(S, 20);
  scene.sell(S, 10, '2.5000');
  scene.buy(A, 6, '2.5000');
  scene.toConsumption(A, 6);
  return scene;
}

function bringBack(scene: Scene, runs: readonly LotUnits[]): ReturnType<Scene['attempt']> {
  return scene.attempt({ kind: 'transfer_to_trading', account: A, instrument: MARKET, runs });
}

describe('bringing units back to trading', () => {
  it('moves the end of a lot, with everything that belongs to the units', () => {
    const scene = opened();
    scene.consume(A, 1_500_000, { servedBy: S });
    const outcome = bringBack(scene, [{ lot: 1, unitFrom: 3, unitTo: 6 }]);
    if (!outcome.ok) throw new Error(outcome.code);
    expect(eventsOf(outcome, 'transferred')).toMatchObject([
      { direction: 'consumption_to_trading', origin: 'user', quantityUnits: 4 },
    ]);
    expect(eventsOf(outcome, 'lot')).toMatchObject([
      { lot: 1, unitTo: 2, tokensTotal: 2_000_000, tokensRemaining: 500_000, status: 'open' },
    ]);
    const [position] = scene.exchange.export().accounts[1]!.positions;
    expect(position!.segments).toMatchObject([
      { unitFrom: 3, unitTo: 6, trade: 1, priceTicks: ticks('2.5'), issuer: S, range: 1 },
    ]);
    const shares = [position!.segments[0]!, position!.lots[0]!].map(
      ({ promotionalMicros }) => promotionalMicros,
    );
    expect(shares).toEqual([usd('5') - 1_666_666, 1_666_666]);
    expect(scene.balance(KIND.trading, A)).toBe(4_000_000);
    checkInvariants(scene.exchange);
  });

  it('moves a whole lot, which is then no more', () => {
    const scene = opened();
    const outcome = bringBack(scene, [{ lot: 1, unitFrom: 1, unitTo: 6 }]);
    expect(outcome.ok && eventsOf(outcome, 'lot')).toMatchObject([{ status: 'moved', tokensRemaining: 0 }]);
    expect(scene.lots(A)).toEqual([]);
    checkInvariants(scene.exchange);
  });

  it('brings units back that can be sold, and their promotional share comes back as such', () => {
    const scene = opened();
    bringBack(scene, [{ lot: 1, unitFrom: 1, unitTo: 6 }]);
    scene.sell(A, 6, '2.4000');
    scene.run(order({ account: B, side: 'buy', quantityUnits: 6, priceTicks: ticks('2.4') }));
    expect(scene.balance(KIND.userPromotional, A)).toBe(usd('5'));
    checkInvariants(scene.exchange);
  });

  it('brings units back that can be transferred again, as a lot of its own', () => {
    const scene = opened();
    bringBack(scene, [{ lot: 1, unitFrom: 5, unitTo: 6 }]);
    scene.toConsumption(A, 2);
    expect(scene.lots(A).map(({ lot, free }) => [lot, free])).toEqual([
      [1, [0, 4_000_000]],
      [2, [0, 2_000_000]],
    ]);
    checkInvariants(scene.exchange);
  });

  it.each([
    ['not the end', [{ lot: 1, unitFrom: 2, unitTo: 5 }]],
    ['a unit that was opened', [{ lot: 1, unitFrom: 2, unitTo: 6 }]],
    ['beyond the end', [{ lot: 1, unitFrom: 6, unitTo: 7 }]],
    ['before the beginning', [{ lot: 1, unitFrom: 0, unitTo: 6 }]],
    ['nothing', [{ lot: 1, unitFrom: 7, unitTo: 6 }]],
    ['half a unit', [{ lot: 1, unitFrom: 5.5, unitTo: 6 }]],
    ['a lot that is not there', [{ lot: 9, unitFrom: 1, unitTo: 1 }]],
    [
      'the same lot twice',
      [
        { lot: 1, unitFrom: 6, unitTo: 6 },
        { lot: 1, unitFrom: 6, unitTo: 6 },
      ],
    ],
  ])('refuses %s', (_what, runs) => {
    const scene = opened();
    scene.consume(A, 1_500_000, { servedBy: S });
    const before = JSON.stringify(scene.exchange.export());
    expect(bringBack(scene, runs)).toMatchObject({ ok: false, code: 'transfer_not_allowed' });
    expect(JSON.stringify(scene.exchange.export())).toBe(before);
  });

  it('refuses what belongs to others, and an empty list', () => {
    const scene = opened();
    const foreign = { kind: 'transfer_to_trading', account: B, instrument: MARKET } as const;
    const runs = [{ lot: 1, unitFrom: 6, unitTo: 6 }];
    expect(scene.attempt({ ...foreign, runs })).toMatchObject({ ok: false, code: 'transfer_not_allowed' });
    expect(bringBack(scene, [])).toMatchObject({ ok: false, code: 'validation_failed' });
  });

  it('refuses a lot with a hole behind the units', () => {
    const scene = opened();
    const draws = [{ lot: 1, from: 5_500_000, to: 5_600_000 }];
    scene.run({ kind: 'settle', account: A, instrument: MARKET, draws, servedBy: S });
    expect(bringBack(scene, [{ lot: 1, unitFrom: 6, unitTo: 6 }]).ok).toBe(false);
    expect(bringBack(scene, [{ lot: 1, unitFrom: 4, unitTo: 5 }]).ok).toBe(false);
  });
});

describe('what an account has of an instrument', () => {
  it('is counted with its cost, exactly', () => {
    const scene = opened();
    scene.consume(A, 1_234_567, { servedBy: S });
    scene.buy(A, 2, '2.5000');
    scene.sell(A, 1, '3.0000');
    expect(scene.exchange.positionOf(A, MARKET)).toEqual({
      tradingUnits: 2,
      tradingCostMicros: 5_000_000n,
      consumptionTokens: 4_765_433,
      consumptionCostE10: 4_765_433n * 25_000n,
      issuanceUnits: 0,
      openOrders: 1,
    });
    expect(scene.exchange.positionOf(B, MARKET)).toBeUndefined();
  });
});

describe('retiring units', () => {
  it('takes the newest serials that are still in issuance, and tells which', () => {
    const scene = opened();
    scene.run({ kind: 'issue', account: S, instrument: MARKET, quantityUnits: 5 });
    scene.run({ kind: 'issue', account: S, instrument: MARKET, quantityUnits: 2 });
    const outcome = scene.run({ kind: 'retire_issued', account: S, instrument: MARKET, quantityUnits: 4 });
    expect(eventsOf(outcome, 'retired')).toMatchObject([
      { unitFrom: 26, unitTo: 27 },
      { unitFrom: 24, unitTo: 25 },
    ]);
    expect(scene.balance(KIND.retired)).toBe(4_000_000);
    expect(scene.balance(KIND.issuance, S)).toBe(3_000_000);
    scene.run({ kind: 'issue', account: S, instrument: MARKET, quantityUnits: 1 });
    expect(scene.exchange.export().accounts[0]!.positions[0]!.issued).toEqual([
      { unitFrom: 21, unitTo: 23 },
      { unitFrom: 28, unitTo: 28 },
    ]);
    checkInvariants(scene.exchange);
  });

  it.each([
    [1, 'insufficient_balance'],
    [0, 'validation_failed'],
    [1.5, 'validation_failed'],
  ])('refuses %d units that are not in issuance', (quantityUnits, code) => {
    const outcome = opened().attempt({
      kind: 'retire_issued',
      account: S,
      instrument: MARKET,
      quantityUnits,
    });
    expect(outcome).toMatchObject({ ok: false, code });
  });

  it('tells what the end of a supplier takes out of the world, in trading and in issuance', () => {
    const scene = opened();
    scene.run({ kind: 'issue', account: S, instrument: MARKET, quantityUnits: 5 });
    const outcome = scene.run({ kind: 'terminate_supplier', account: S, instrument: MARKET });
    const runs = eventsOf(outcome, 'retired').map(({ unitFrom, unitTo }) => [unitFrom, unitTo]);
    expect(runs).toEqual([
      [21, 25],
      [7, 20],
    ]);
    expect(scene.balance(KIND.retired)).toBe(19_000_000);
    expect(JSON.stringify(replay(scene.journal).export())).toBe(JSON.stringify(scene.exchange.export()));
  });
});
