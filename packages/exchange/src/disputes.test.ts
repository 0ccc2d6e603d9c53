import { describe, expect, it } from 'vitest';
import type { Command } from './commands.ts';
import { Earmarks } from './earmarks.ts';
import type { Accepted } from './events.ts';
import { KIND } from './ledger.ts';
import { checkInvariants } from './testing/invariants.ts';
import { eventsOf, MARKET, moved, order, RULES, replay, Scene, usd } from './testing/scene.ts';

const [S, A, B, OPERATOR] = [1, 2, 3, 9];

function opened(scene: Scene, amount: string, account = A): Accepted {
  return scene.run({ kind: 'open_dispute', account, amountMicros: usd(amount) });
}

interface Closing {
  readonly amount: string;
  readonly outcome: 'won' | 'lost';
  readonly account?: number;
  readonly operator?: number;
}

function closed(scene: Scene, { amount, outcome, account = A, operator = OPERATOR }: Closing): Accepted {
  return scene.run({
    kind: 'close_dispute',
    account,
    amountMicros: usd(amount),
    outcome,
    processorFeeMicros: 0,
    operator,
  });
}

/** A bought 3 units at 2.0000 and 5 at 3.0000, opened one token of the first lot, and has 1.00 left. */
function twoLots(): Scene {
  const scene = Scene.open([S, A, B, OPERATOR]);
  scene.card(A, '22.105000');
  scene.stock(S, 100);
  scene.sell(S, 3, '2.0000');
  scene.sell(S, 5, '3.0000');
  scene.buy(A, 3, '2.0000');
  scene.buy(A, 5, '3.0000');
  scene.toConsumption(A, 8);
  scene.consume(A, 1, { servedBy: S });
  return scene;
}

describe('disputes', () => {
  it('hold card money before proceeds, and put each back where it was when won', () => {
    const scene = Scene.open([S, A, OPERATOR]);
    scene.card(A, '10');
    scene.stock(A, 5);
    scene.card(S, '10');
    scene.sell(A, 2, '2.0000');
    scene.buy(S, 2, '2.0000');
    scene.toConsumption(S, 2);
    scene.consume(S, 2_000_000, { servedBy: A });
    opened(scene, '12');
    expect(scene.balance(KIND.disputeHeld, A)).toBe(usd('10'));
    expect(scene.balance(KIND.disputeHeldProceeds, A)).toBe(usd('2'));
    closed(scene, { amount: '12', outcome: 'won' });
    expect(scene.balance(KIND.userCard, A)).toBe(usd('10'));
    expect(scene.balance(KIND.userProceeds, A)).toBe(usd('4'));
  });

  it('seize whole unopened units from several lots, newest first, as far as they fit into the debt', () => {
    const scene = twoLots();
    opened(scene, '20');
    const outcome = closed(scene, { amount: '20', outcome: 'lost' });
    // 20.00 less 1.00 of card money leaves 19.00: five units of 3.00 and two of 2.00.
    expect(moved(outcome, KIND.operatorFunds)).toBe(-usd('19'));
    expect(scene.balance(KIND.trading, OPERATOR)).toBe(7_000_000);
    expect(scene.balance(KIND.consumption, A)).toBe(999_999);
    expect(scene.balance(KIND.badDebt, A)).toBe(0);
    checkInvariants(scene.exchange);
  });

  it('leave a unit that costs more than what is still owed', () => {
    const scene = twoLots();
    opened(scene, '9.99');
    const outcome = closed(scene, { amount: '9.99', outcome: 'lost' });
    // 8.99 are owed: two units of 3.00, one of 2.00, and 0.99 that nothing fits into.
    expect(scene.balance(KIND.trading, OPERATOR)).toBe(3_000_000);
    expect(moved(outcome, KIND.badDebt, A)).toBe(-usd('0.99'));
    checkInvariants(scene.exchange);
  });

  it('tell earmarks that a lot became shorter, so that nothing seized is reserved again', () => {
    const scene = twoLots();
    const earmarks = new Earmarks();
    for (const lot of scene.exchange.openLots()) earmarks.addLot(lot, lot.free);
    const hold = earmarks.reserve(A, MARKET, 2_500_000)!;
    opened(scene, '9.99');
    const outcome = closed(scene, { amount: '9.99', outcome: 'lost' });
    for (const event of eventsOf(outcome, 'lot')) earmarks.follow(event);
    earmarks.giveBack(hold, hold.ranges);
    expect(earmarks.freeTokens(A, MARKET)).toBe(scene.balance(KIND.consumption, A));
    const all = earmarks.reserve(A, MARKET, scene.balance(KIND.consumption, A))!;
    const draws = earmarks.close(all, Number.MAX_SAFE_INTEGER);
    scene.run({ kind: 'settle', account: A, instrument: MARKET, draws, servedBy: S });
    expect(scene.balance(KIND.consumption, A)).toBe(0);
  });

  it('take trading units too, and cancel resting orders in every market, telling each level', () => {
    const scene = twoLots();
    scene.run({ kind: 'open_market', instrument: 2, rules: RULES });
    scene.stock(A, 3, 2);
    scene.stock(A, 3, 1);
    scene.sell(A, 3, '2.5000');
    scene.run({
      kind: 'place_order',
      instrument: 2,
      account: A,
      side: 'sell',
      type: 'limit',
      quantityUnits: 2,
      priceTicks: 40_000,
      timeInForce: 'gtc',
    });
    const outcome = opened(scene, '5');
    const levels = eventsOf(outcome, 'level').map((level) => [
      level.instrument,
      level.priceTicks,
      level.quantityUnits,
    ]);
    expect(levels).toEqual([
      [1, 25_000, 0],
      [2, 40_000, 0],
    ]);
    const sequences = scene.exchange
      .export()
      .markets.map(({ instrument, sequence }) => ({ instrument, sequence }));
    expect(outcome.marketSequences).toEqual(sequences);
    expect(eventsOf(outcome, 'order').map(({ reason }) => reason)).toEqual([
      'account_suspended',
      'account_suspended',
    ]);
    checkInvariants(scene.exchange);
  });

  it('do not lift the suspension while another dispute is open or money is owed', () => {
    const scene = twoLots();
    opened(scene, '1');
    opened(scene, '2');
    closed(scene, { amount: '1', outcome: 'won' });
    expect(scene.exchange.isSuspended(A)).toBe(true);
    expect(replay(scene.journal, 12).isSuspended(A)).toBe(true);
    closed(scene, { amount: '2', outcome: 'won' });
    expect(scene.exchange.isSuspended(A)).toBe(false);
    opened(scene, '100');
    closed(scene, { amount: '100', outcome: 'lost' });
    opened(scene, '1');
    closed(scene, { amount: '1', outcome: 'won' });
    expect(scene.exchange.isSuspended(A)).toBe(true);
  });

  it('that are lost without having been opened suspend the account and cancel its orders first', () => {
    const scene = twoLots();
    scene.stock(A, 3);
    scene.sell(A, 3, '2.5000');
    closed(scene, { amount: '30', outcome: 'lost' });
    expect(scene.exchange.isSuspended(A)).toBe(true);
    expect(scene.balance(KIND.tradingHeld, A)).toBe(0);
    checkInvariants(scene.exchange);
  });

  it('never seize units that are back with their issuer: no escrow stands behind them', () => {
    const scene = Scene.open([S, A, OPERATOR]);
    scene.card(S, '20');
    scene.card(A, '20');
    scene.stock(S, 10);
    scene.sell(S, 4, '2.0000');
    scene.buy(A, 4, '2.0000');
    scene.sell(A, 4, '2.0000');
    scene.buy(S, 4, '2.0000');
    opened(scene, '100', S);
    closed(scene, { amount: '100', outcome: 'lost', account: S });
    expect(scene.balance(KIND.trading, OPERATOR)).toBe(0);
    checkInvariants(scene.exchange);
  });

  it("release the escrow of seized units to an operator who issued them, as buying one's own units does", () => {
    const scene = twoLots();
    opened(scene, '20');
    const outcome = closed(scene, { amount: '20', outcome: 'lost', operator: S });
    expect(moved(outcome, KIND.userProceeds, S)).toBe(usd('19'));
    checkInvariants(scene.exchange);
    scene.card(B, '100');
    scene.sell(S, 7, '2.0000');
    scene.buy(B, 7, '2.0000');
    checkInvariants(scene.exchange);
  });

  it('bar the account from everything that needs good standing, and nobody else', () => {
    const scene = twoLots();
    scene.card(B, '10');
    scene.stock(A, 3);
    opened(scene, '1');
    const target = { account: A, instrument: MARKET, quantityUnits: 1 };
    const barred: Command[] = [
      order({ account: A, side: 'sell', quantityUnits: 1, priceTicks: 20_000 }),
      { kind: 'issue', ...target },
      { kind: 'transfer_issued', ...target },
      { kind: 'transfer_to_consumption', ...target },
      { kind: 'lock_collateral', account: A, amountMicros: 1 },
      { kind: 'open_refund', account: A, amountMicros: 1 },
    ];
    for (const command of barred) {
      expect(scene.attempt(command)).toEqual({ ok: false, code: 'account_suspended' });
    }
    expect(eventsOf(scene.buy(B, 1, '2.0000'), 'order')[0]!.status).toBe('active');
  });

  it('are refused without trace where the amount or the operator is unknown', () => {
    const scene = twoLots();
    const before = JSON.stringify(scene.exchange.export());
    const base = { account: A, outcome: 'lost' as const, processorFeeMicros: 0, operator: OPERATOR };
    for (const wrong of [{ amountMicros: 0 }, { amountMicros: 1, operator: 77 }, { amountMicros: 1.5 }]) {
      const outcome = scene.attempt({ kind: 'close_dispute', ...base, ...wrong });
      expect(outcome).toEqual({ ok: false, code: 'validation_failed' });
    }
    expect(JSON.stringify(scene.exchange.export())).toBe(before);
  });
});
