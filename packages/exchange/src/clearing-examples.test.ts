import { describe, expect, it } from 'vitest';
import { Earmarks, type Hold, heldTokens } from './earmarks.ts';
import type { Accepted } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, marketOrder, moved, Scene, ticks, usd } from './testing/scene.ts';

const [S, A, B, T, OPERATOR] = [1, 2, 3, 4, 9];

/** Example A up to the failure: S sold to A, A sold on to B, both consumed some. */
function resold(): Scene {
  const scene = Scene.open([S, A, B, T, OPERATOR]);
  scene.card(A, '100');
  scene.card(B, '100');
  scene.stock(S, 100);
  scene.sell(S, 10, '2.5000');
  scene.buy(A, 10, '2.5000');
  scene.sell(A, 5, '3.0000');
  scene.buy(B, 5, '3.0000');
  scene.toConsumption(A, 5);
  scene.toConsumption(B, 5);
  scene.consume(A, 1_234_567, { servedBy: S });
  scene.consume(B, 2_345_678, { servedBy: S });
  return scene;
}

function substituted(scene: Scene, price: string): Accepted {
  return scene.consume(A, 500_000, {
    servedBy: T,
    failedObligors: [S],
    substitutePriceTicks: ticks(price),
  });
}

describe('example A: resale, failure, termination', () => {
  it('charges A 25.125000 and puts 25.000000 into the escrow of S', () => {
    const scene = Scene.open([S, A]);
    scene.card(A, '100');
    scene.stock(S, 100);
    scene.sell(S, 10, '2.5000');
    const outcome = scene.buy(A, 10, '2.5000');
    expect(moved(outcome, KIND.userCard, A)).toBe(-usd('25.125000'));
    expect(scene.escrow(S)).toBe(usd('25.000000'));
    expect(scene.balance(KIND.fees)).toBe(usd('0.125000'));
    expect(scene.available(S)).toBe(0);
    expect(eventsOf(outcome, 'trade')[0]!.units).toEqual([{ from: 1, to: 10 }]);
  });

  it('charges B 15.075000, pays A 15.000000 at once and leaves the escrow where it is', () => {
    const scene = Scene.open([S, A, B]);
    scene.card(A, '100');
    scene.card(B, '100');
    scene.stock(S, 100);
    scene.sell(S, 10, '2.5000');
    scene.buy(A, 10, '2.5000');
    scene.sell(A, 5, '3.0000');
    const outcome = scene.buy(B, 5, '3.0000');
    expect(moved(outcome, KIND.userCard, B)).toBe(-usd('15.075000'));
    expect(moved(outcome, KIND.userProceeds, A)).toBe(usd('15.000000'));
    expect(scene.escrow(S)).toBe(usd('25.000000'));
    expect(eventsOf(outcome, 'trade')[0]!.units).toEqual([{ from: 1, to: 5 }]);
    expect(scene.exchange.vwap24hTicks(MARKET)).toBe(ticks('2.6667'));
    expect(scene.exchange.substituteCapTicks(MARKET)).toBe(ticks('2.9333'));
  });

  it('releases 8.950612 to S for 3,580,245 delivered tokens, whoever drew them', () => {
    const scene = resold();
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('8.950612'));
    expect(scene.escrow(S)).toBe(usd('25.000000') - usd('8.950612'));
    checkInvariants(scene.exchange);
  });

  it('moves nothing for the request that S failed', () => {
    const scene = resold();
    const outcome = scene.run({
      kind: 'settle',
      account: A,
      instrument: MARKET,
      draws: [],
      servedBy: 0,
      failedObligors: [S],
    });
    expect(outcome.legs).toEqual([]);
    expect(eventsOf(outcome, 'settled')[0]!.tokens).toBe(0);
  });

  it('offers T the escrow price 2.5000 when it posts 3.2000: 1.250000 for 500,000 tokens', () => {
    const outcome = substituted(resold(), '3.2000');
    expect(moved(outcome, KIND.userProceeds, T)).toBe(usd('1.250000'));
    expect(moved(outcome, KIND.escrow, S)).toBe(-usd('1.250000'));
    expect(outcome.legs.filter((leg) => leg.kind === KIND.reserve || leg.kind === KIND.collateral)).toEqual(
      [],
    );
  });

  it('does not let collateral or reserve pay what is above the cap of 2.9333', () => {
    for (const [price, paid] of [
      ['3.2000', '1.250000'],
      ['2.9334', '1.250000'],
      ['2.9333', '1.466650'],
    ] as const) {
      const scene = resold();
      scene.run({ kind: 'fund_reserve', amountMicros: usd('100') });
      expect(moved(substituted(scene, price), KIND.userProceeds, T)).toBe(usd(paid));
    }
  });

  it('pays T 1.450000 at 2.9000, the 0.200000 above the slice from the collateral of S', () => {
    const scene = resold();
    scene.run({ kind: 'lock_collateral', account: S, amountMicros: usd('1') });
    scene.run({ kind: 'fund_reserve', amountMicros: usd('1') });
    const outcome = substituted(scene, '2.9000');
    expect(moved(outcome, KIND.userProceeds, T)).toBe(usd('1.450000'));
    expect(moved(outcome, KIND.escrow, S)).toBe(-usd('1.250000'));
    expect(moved(outcome, KIND.collateral, S)).toBe(-usd('0.200000'));
    expect(moved(outcome, KIND.reserve)).toBe(0);
  });

  it('pays T 1.450000 at 2.9000, the 0.200000 from the reserve where S has no collateral', () => {
    const scene = resold();
    scene.run({ kind: 'fund_reserve', amountMicros: usd('1') });
    const outcome = substituted(scene, '2.9000');
    expect(moved(outcome, KIND.userProceeds, T)).toBe(usd('1.450000'));
    expect(moved(outcome, KIND.reserve)).toBe(-usd('0.200000'));
  });

  it('takes what collateral there is before the reserve', () => {
    const scene = resold();
    scene.run({ kind: 'lock_collateral', account: S, amountMicros: usd('0.15') });
    scene.run({ kind: 'fund_reserve', amountMicros: usd('0.05') });
    const outcome = substituted(scene, '2.9000');
    expect(moved(outcome, KIND.collateral, S)).toBe(-usd('0.15'));
    expect(moved(outcome, KIND.reserve)).toBe(-usd('0.05'));
  });

  it('pays T 1.250000 at 2.9000 with neither collateral nor reserve, and with one micro-dollar too little', () => {
    const bare = substituted(resold(), '2.9000');
    expect(moved(bare, KIND.userProceeds, T)).toBe(usd('1.250000'));
    const scene = resold();
    scene.run({ kind: 'fund_reserve', amountMicros: usd('0.199999') });
    const short = substituted(scene, '2.9000');
    expect(moved(short, KIND.userProceeds, T)).toBe(usd('1.250000'));
    expect(scene.balance(KIND.reserve)).toBe(usd('0.199999'));
  });

  it('buys 5,919,755 tokens back: A 8.163582, B 6.635805, the last 0.000001 to the reserve', () => {
    const scene = resold();
    substituted(scene, '3.2000');
    expect(scene.balance(KIND.consumption, A)).toBe(3_265_433);
    expect(scene.balance(KIND.consumption, B)).toBe(2_654_322);
    expect(scene.escrow(S)).toBe(usd('14.799388'));
    const outcome = scene.run({ kind: 'terminate_supplier', account: S, instrument: MARKET });
    const [feeA, feeB] = [usd('0.040818'), usd('0.039815')];
    expect(moved(outcome, KIND.userProceeds, A)).toBe(usd('8.163582') + feeA);
    expect(moved(outcome, KIND.userProceeds, B)).toBe(usd('6.635805') + feeB);
    expect(moved(outcome, KIND.fees)).toBe(-feeA - feeB);
    expect(scene.balance(KIND.reserve)).toBe(1);
    expect(scene.escrow(S)).toBe(0);
    expect(scene.balance(KIND.userProceeds, S)).toBe(usd('8.950612'));
    expect(scene.balance(KIND.boughtBack)).toBe(5_919_755);
    checkInvariants(scene.exchange);
  });
});

const STEP = 16_384;

/** Example B: 3 x 2.5000 on the book, promotional USD, and fifty requests that wait for tokens. */
class EasyMode {
  readonly scene = Scene.open([S, A]);
  readonly earmarks = new Earmarks();
  readonly holds: Hold[] = [];
  purchases = 0;

  constructor() {
    this.scene.promotion(A, '25');
    this.scene.stock(S, 100);
    for (let index = 0; index < 3; index += 1) this.scene.sell(S, 1, '2.5000');
  }

  purchase(): Accepted {
    const outcome = this.scene.run(
      marketOrder({
        account: A,
        side: 'buy',
        quantityUnits: 1,
        origin: 'auto_buy',
        easyMode: true,
        autotransfer: true,
      }),
    );
    for (const event of eventsOf(outcome, 'lot')) this.earmarks.follow(event);
    if (eventsOf(outcome, 'trade').length > 0) this.purchases += 1;
    return outcome;
  }

  /** Holds the input and the first step of the output, buying when tokens are short. */
  admit(inputTokens: number, outputTokens: number): void {
    const tokens = inputTokens + Math.min(outputTokens, STEP);
    const hold = this.earmarks.reserve(A, MARKET, tokens);
    if (hold !== undefined) this.holds.push(hold);
    else if (eventsOf(this.purchase(), 'trade').length > 0) this.admit(inputTokens, outputTokens);
  }

  /** Grows holds in turn until no purchase helps any more; returns the closing of the last purchase. */
  growUntilSoldOut(): Accepted {
    for (let index = 0; ; index = (index + 1) % this.holds.length) {
      if (this.earmarks.grow(this.holds[index]!, STEP)) continue;
      const outcome = this.purchase();
      if (eventsOf(outcome, 'trade').length === 0) return outcome;
      this.earmarks.grow(this.holds[index]!, STEP);
    }
  }

  settleAll(): number {
    let tokens = 0;
    for (const hold of this.holds) {
      const draws = this.earmarks.close(hold, heldTokens(hold));
      const outcome = this.scene.run({
        kind: 'settle',
        account: A,
        instrument: MARKET,
        draws,
        servedBy: S,
      });
      this.earmarks.spent(hold, draws);
      for (const event of eventsOf(outcome, 'lot')) this.earmarks.follow(event);
      tokens += eventsOf(outcome, 'settled')[0]!.tokens;
    }
    return tokens;
  }
}

describe('example B: fifty at once', () => {
  it.each([1_000_000, 65_536])(
    'admits fifty with one purchase of 2.512500 (outputs of up to %i)',
    (output) => {
      const easy = new EasyMode();
      for (let index = 0; index < 50; index += 1) easy.admit(1_000, output);
      expect(easy.holds).toHaveLength(50);
      expect(easy.purchases).toBe(1);
      expect(easy.scene.available(A)).toBe(usd('25') - usd('2.512500'));
      expect(easy.earmarks.heldTokens(A, MARKET)).toBe(50 * (1_000 + STEP));
    },
  );

  it('buys more only as holds grow, until the three units are gone', () => {
    const easy = new EasyMode();
    for (let index = 0; index < 50; index += 1) easy.admit(1_000, 1_000_000);
    for (let index = 0; index < 7; index += 1)
      expect(easy.earmarks.grow(easy.holds[index]!, STEP)).toBe(true);
    expect(easy.purchases).toBe(1);
    expect(easy.earmarks.grow(easy.holds[7]!, STEP)).toBe(false);
    const last = easy.growUntilSoldOut();
    expect(easy.purchases).toBe(3);
    expect(eventsOf(last, 'order')[0]).toMatchObject({ status: 'cancelled', reason: 'ioc_unfilled' });
    expect(last.legs).toEqual([]);
    expect(easy.scene.available(A)).toBe(usd('25') - 3 * usd('2.512500'));
  });

  it('settles what ran: every held token drawn once, every micro-dollar of its escrow released to S', () => {
    const easy = new EasyMode();
    for (let index = 0; index < 50; index += 1) easy.admit(1_000, 1_000_000);
    easy.growUntilSoldOut();
    const tokens = easy.settleAll();
    const left = 3_000_000 - tokens;
    expect(left).toBeLessThan(STEP);
    expect(easy.scene.balance(KIND.consumption, A)).toBe(left);
    expect(easy.earmarks.freeTokens(A, MARKET)).toBe(left);
    expect(easy.earmarks.heldTokens(A, MARKET)).toBe(0);
    expect(easy.scene.balance(KIND.userProceeds, S) + easy.scene.escrow(S)).toBe(usd('7.500000'));
    checkInvariants(easy.scene.exchange);
  });

  it('does not buy above the ceiling around the average: what is offered there is protected against', () => {
    const easy = new EasyMode();
    easy.scene.sell(S, 1, '2.7501');
    for (let index = 0; index < 3; index += 1) easy.purchase();
    const beyond = easy.purchase();
    expect(eventsOf(beyond, 'order')[0]).toMatchObject({ status: 'cancelled', reason: 'price_protection' });
  });
});

describe('example C: refund, then a lost dispute', () => {
  function refunded(): Scene {
    const scene = Scene.open([S, A, OPERATOR]);
    scene.card(A, '25.00');
    scene.stock(S, 100);
    scene.sell(S, 4, '2.5000');
    scene.buy(A, 4, '2.5000');
    expect(scene.balance(KIND.userCard, A)).toBe(usd('14.950000'));
    scene.toConsumption(A, 4);
    scene.consume(A, 2_000_000, { servedBy: S });
    scene.run({ kind: 'open_refund', account: A, amountMicros: usd('14.95') });
    scene.run({ kind: 'close_refund', account: A, amountMicros: usd('14.95'), outcome: 'succeeded' });
    return scene;
  }

  const dispute = { account: A, amountMicros: usd('10.05') };

  it('suspends the account and finds nothing to hold', () => {
    const scene = refunded();
    expect(scene.available(A)).toBe(0);
    const outcome = scene.run({ kind: 'open_dispute', ...dispute });
    expect(outcome.legs).toEqual([]);
    expect(scene.exchange.isSuspended(A)).toBe(true);
  });

  it('moves the two unopened units to the operator and books 5.050000 as owed, the fee apart', () => {
    const scene = refunded();
    scene.run({ kind: 'open_dispute', ...dispute });
    const processorFeeMicros = usd('15');
    const outcome = scene.run({
      kind: 'close_dispute',
      ...dispute,
      outcome: 'lost',
      processorFeeMicros,
      operator: OPERATOR,
    });
    expect(scene.balance(KIND.trading, OPERATOR)).toBe(2_000_000);
    expect(scene.balance(KIND.consumption, A)).toBe(0);
    expect(moved(outcome, KIND.operatorFunds)).toBe(-usd('5.000000'));
    expect(scene.balance(KIND.badDebt, A)).toBe(-usd('5.050000'));
    expect(scene.balance(KIND.stripeFees)).toBe(-processorFeeMicros);
    expect(moved(outcome, KIND.stripe)).toBe(usd('10.05') + processorFeeMicros);
    expect(scene.escrow(S)).toBe(usd('5.000000'));
    expect(scene.exchange.isSuspended(A)).toBe(true);
    expect(eventsOf(outcome, 'lot')[0]).toMatchObject({ status: 'moved', tokensRemaining: 0 });
    checkInvariants(scene.exchange);
  });

  it('a won dispute leaves the account as it was', () => {
    const scene = refunded();
    scene.run({ kind: 'open_dispute', ...dispute });
    scene.run({
      kind: 'close_dispute',
      ...dispute,
      outcome: 'won',
      processorFeeMicros: 0,
      operator: OPERATOR,
    });
    expect(scene.balance(KIND.consumption, A)).toBe(2_000_000);
    expect(scene.exchange.isSuspended(A)).toBe(false);
  });
});
