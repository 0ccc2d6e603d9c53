import { describe, expect, it } from 'vitest';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, moved, Scene, usd } from './testing/scene.ts';

const [S, A, B, T] = [1, 2, 3, 4];

function terminate(scene: Scene, account = S) {
  return scene.run({ kind: 'terminate_supplier', account, instrument: MARKET });
}

describe('termination of a supplier', () => {
  it('buys back several ranges without touching the reserve', () => {
    const scene = Scene.open([S, A, B]);
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(S, 100);
    scene.sell(S, 10, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.buy(B, 3, '2.0000');
    scene.buy(A, 3, '2.0000');
    const outcome = terminate(scene);
    expect(moved(outcome, KIND.userProceeds, A)).toBe(usd('14.000000') + usd('0.070000'));
    expect(moved(outcome, KIND.userProceeds, B)).toBe(usd('6.000000') + usd('0.030000'));
    expect(moved(outcome, KIND.reserve)).toBe(0);
    expect(scene.escrow(S)).toBe(0);
    expect(eventsOf(outcome, 'escrow').map((event) => event.closed)).toEqual([true, true, true]);
    checkInvariants(scene.exchange);
  });

  it('never pays more than what the holder paid: the rest of the escrow goes to the reserve', () => {
    const scene = Scene.open([S, A, B]);
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(S, 10);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(A, 4, '1.5000');
    scene.buy(B, 4, '1.5000');
    const outcome = terminate(scene);
    expect(moved(outcome, KIND.userProceeds, B)).toBe(usd('6.000000') + usd('0.030000'));
    expect(moved(outcome, KIND.reserve)).toBe(usd('2.000000'));
  });

  it('gives promotional money back as promotional money', () => {
    const scene = Scene.open([S, A]);
    scene.promotion(A, '3');
    scene.card(A, '10');
    scene.stock(S, 10);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    const outcome = terminate(scene);
    expect(moved(outcome, KIND.userPromotional, A)).toBe(usd('3.000000'));
    expect(moved(outcome, KIND.userProceeds, A)).toBe(usd('5.000000') + usd('0.040000'));
  });

  it("cancels the issuer's orders and those of holders, retires unsold units, spares other issuers", () => {
    const scene = Scene.open([S, A, T]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.run({ kind: 'issue', account: S, instrument: MARKET, quantityUnits: 5 });
    scene.stock(T, 10);
    scene.sell(S, 6, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(A, 4, '3.0000');
    scene.sell(T, 7, '3.0000');
    const outcome = terminate(scene);
    const ended = eventsOf(outcome, 'order').map(({ account, status, reason }) => [account, status, reason]);
    expect(ended).toEqual([
      [S, 'cancelled', 'admin'],
      [A, 'cancelled', 'admin'],
    ]);
    expect(scene.balance(KIND.retired)).toBe(11_000_000);
    expect(scene.balance(KIND.boughtBack)).toBe(4_000_000);
    expect(scene.exchange.depth(MARKET, 'sell', 5)).toEqual([
      { priceTicks: 30_000, quantity: 7, orderCount: 1 },
    ]);
    checkInvariants(scene.exchange);
  });

  it('returns fees only for what was not consumed', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.toConsumption(A, 4);
    scene.consume(A, 1_000_000, { servedBy: S });
    const outcome = terminate(scene);
    expect(moved(outcome, KIND.fees)).toBe(-usd('0.030000'));
    expect(moved(outcome, KIND.userProceeds, A)).toBe(usd('6.030000'));
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('2.000000'));
    expect(eventsOf(outcome, 'lot')[0]).toMatchObject({ status: 'bought_back', tokensRemaining: 0 });
  });

  it('of an issuer without units outstanding moves nothing', () => {
    const scene = Scene.open([S, A]);
    expect(terminate(scene, A).legs).toEqual([]);
  });
});
