import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cumulativeShare, mulDiv, mulDivHalfUp } from './integers.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import {
  check,
  eventsOf,
  marketOrder,
  moved,
  order,
  PATIENCE,
  RULES,
  Scene,
  ticks,
  usd,
} from './testing/scene.ts';

const [S, A, B] = [1, 2, 3];
const big = fc.oneof(
  fc.integer({ min: 0, max: 10_000 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);
const divisor = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The book offers `quantities` at one price; A takes them all with one order. */
function sweep(quantities: readonly number[], price: string, rules = RULES) {
  const scene = Scene.open([S, A], rules);
  scene.card(A, '1000');
  scene.stock(S, 1_000);
  for (const quantity of quantities) scene.sell(S, quantity, price);
  const total = quantities.reduce((sum, quantity) => sum + quantity, 0);
  return { scene, outcome: scene.buy(A, total, price) };
}

describe('exact integers', PATIENCE, () => {
  it('multiply and divide as big integers do, rounding down or half up', () => {
    const property = fc.property(big, big, divisor, (a, b, by) => {
      const [down, halfUp] = [
        (BigInt(a) * BigInt(b)) / BigInt(by),
        (2n * BigInt(a) * BigInt(b) + BigInt(by)) / (2n * BigInt(by)),
      ];
      if (halfUp > BigInt(Number.MAX_SAFE_INTEGER)) return;
      expect(mulDiv(a, b, by)).toBe(Number(down));
      expect(mulDivHalfUp(a, b, by)).toBe(Number(halfUp));
    });
    check(property, { byDefault: 2_000, nightly: 200_000 });
  });

  it('refuse results that pass 2^53', () => {
    expect(() => mulDiv(Number.MAX_SAFE_INTEGER, 2, 1)).toThrow('passes 2^53');
    expect(() => mulDivHalfUp(Number.MAX_SAFE_INTEGER, 3, 2)).toThrow('passes 2^53');
  });

  it('share out a total in parts that add up to it', () => {
    const property = fc.property(
      big,
      fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1 }),
      (total, parts) => {
        const whole = parts.reduce((sum, part) => sum + part, 0);
        let [done, given] = [0, 0];
        for (const part of parts) {
          const share = cumulativeShare(total, done + part, whole) - cumulativeShare(total, done, whole);
          expect(share).toBeGreaterThanOrEqual(0);
          [done, given] = [done + part, given + share];
        }
        expect(given).toBe(total);
      },
    );
    check(property, { byDefault: 500, nightly: 20_000 });
  });
});

describe('fees', () => {
  it.each([
    // 1 unit at 0.0001 is 100 micro-dollars; 50 bps of it are 0.5, which rounds up.
    [1, '0.0001', 50, 1],
    [1, '0.0001', 49, 0],
    [3, '0.0001', 50, 2],
    [1, '0.0033', 50, 17],
    [1, '2.5000', 50, 12_500],
  ])(
    'of %i at %s with %i bps are %i micro-dollars: rounded half up per trade',
    (units, price, takerBps, fee) => {
      const { outcome } = sweep([units], price, { ...RULES, takerBps });
      expect(eventsOf(outcome, 'trade')[0]!.buyerFeeMicros).toBe(fee);
      expect(moved(outcome, KIND.fees)).toBe(fee);
    },
  );

  it('of many small trades never exceed the fee that was held for the whole order', () => {
    // Each trade of 100 micro-dollars would round 0.5 up to 1; the order of 300 was checked for 2.
    const { scene, outcome } = sweep([1, 1, 1], '0.0001');
    expect(eventsOf(outcome, 'trade').map((trade) => trade.buyerFeeMicros)).toEqual([1, 1, 0]);
    expect(moved(outcome, KIND.userCard, A)).toBe(-302);
    checkInvariants(scene.exchange);
  });

  it('rounded up on the way leave less to hold for the rest, never more than was checked', () => {
    const scene = Scene.open([S, A]);
    scene.stock(S, 10);
    for (let index = 0; index < 2; index += 1) scene.sell(S, 1, '0.0001');
    scene.card(A, '0.000402');
    scene.buy(A, 4, '0.0001');
    // 402 were checked, 202 are paid: 200 are left, although two more would ask for a fee of 1.
    expect(scene.balance(KIND.heldCard, A)).toBe(200);
    const outcome = scene.sell(S, 2, '0.0001');
    expect(eventsOf(outcome, 'trade')[0]).toMatchObject({ quantityUnits: 2, buyerFeeMicros: 0 });
    checkInvariants(scene.exchange);
  });

  it('leave exactly the required amount sufficient, and one micro-dollar less insufficient', () => {
    const scene = Scene.open([S, A, B]);
    scene.card(A, '25.125000');
    scene.card(B, '25.124999');
    const refused = scene.attempt(
      order({ account: B, side: 'buy', quantityUnits: 10, priceTicks: ticks('2.5') }),
    );
    expect(refused).toEqual({
      ok: false,
      code: 'insufficient_balance',
      context: { asset: 'USD', required: usd('25.125'), available: usd('25.124999') },
    });
    scene.buy(A, 10, '2.5000');
    expect(scene.available(A)).toBe(0);
    expect(scene.balance(KIND.heldCard, A)).toBe(usd('25.125'));
  });

  it('are taken from the proceeds of a seller who takes, and are the maker fee for one who rests', () => {
    const scene = Scene.open([S, A], { ...RULES, makerBps: 10 });
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.buy(A, 4, '2.5000');
    const outcome = scene.sell(S, 4, '2.5000');
    expect(eventsOf(outcome, 'trade')[0]).toMatchObject({ buyerFeeMicros: 10_000, sellerFeeMicros: 50_000 });
    expect(scene.escrow(S)).toBe(usd('9.950000'));
    // A held 50 bps and paid 10: the rest came back when the order ended.
    expect(scene.available(A)).toBe(usd('100') - usd('10.010000'));
    expect(scene.balance(KIND.heldCard, A)).toBe(0);
  });

  it('follow the better price: what a fill did not need is available again at once', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 10);
    scene.sell(S, 2, '2.0000');
    scene.buy(A, 4, '2.5000');
    // 2 at 2.0000 plus fee are paid; 2 at 2.5000 plus fee are held.
    expect(scene.balance(KIND.heldCard, A)).toBe(usd('5.025000'));
    expect(scene.available(A)).toBe(usd('100') - usd('4.020000') - usd('5.025000'));
    checkInvariants(scene.exchange);
  });

  it('and value come back in full when an order is cancelled, in the kinds of USD they came from', () => {
    const scene = Scene.open([S, A]);
    scene.promotion(A, '3');
    scene.card(A, '100');
    const { order: number } = scene.buy(A, 4, '2.5000');
    expect(scene.balance(KIND.heldPromotional, A)).toBe(usd('3'));
    scene.run({ kind: 'cancel_order', account: A, order: number! });
    expect(scene.balance(KIND.userPromotional, A)).toBe(usd('3'));
    expect(scene.balance(KIND.userCard, A)).toBe(usd('100'));
    expect(scene.balance(KIND.heldCard, A)).toBe(0);
  });

  it('of a market order are checked at the worst price and charged at the real one', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '5.527499');
    scene.stock(S, 10);
    scene.sell(S, 2, '2.5000');
    const buy = marketOrder({ account: A, side: 'buy', quantityUnits: 2 });
    // Two units at 2.5000 plus 10 percent, plus 50 bps: 5.527500.
    expect(scene.attempt(buy)).toMatchObject({ ok: false, context: { required: usd('5.527500') } });
    scene.card(A, '0.000001');
    scene.run(buy);
    expect(scene.available(A)).toBe(usd('5.527500') - usd('5.025000'));
  });
});
