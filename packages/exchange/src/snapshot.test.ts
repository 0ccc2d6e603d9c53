import { describe, expect, it } from 'vitest';
import type { MarketRules } from './commands.ts';
import { Exchange } from './exchange.ts';
import { eventsOf, MARKET, order, RULES, replay, Scene, ticks, usd } from './testing/scene.ts';

const [S, A, T] = [1, 2, 3];

function text(exchange: Exchange): string {
  return JSON.stringify(exchange.export());
}

/** A state with something of everything: resting orders, lots with holes, escrow, a substitute's remainder. */
function full(): Scene {
  const scene = Scene.open([S, A, T]);
  scene.promotion(A, '5');
  scene.card(A, '100');
  scene.stock(S, 20);
  scene.run({ kind: 'issue', account: S, instrument: MARKET, quantityUnits: 3 });
  scene.sell(S, 8, '2.5000');
  scene.buy(A, 5, '2.5000');
  scene.toConsumption(A, 3);
  scene.sell(A, 1, '2.9000');
  const autotransfer = order({
    account: A,
    side: 'buy',
    quantityUnits: 2,
    priceTicks: ticks('2.4'),
    autotransfer: true,
  });
  scene.run(autotransfer);
  scene.run({ kind: 'fund_reserve', amountMicros: usd('1') });
  scene.consume(A, 7, { servedBy: T, failedObligors: [S], substitutePriceTicks: ticks('2.6') });
  const { lot } = scene.lots(A)[0]!;
  const draws = [{ lot, from: 100, to: 200 }];
  scene.run({ kind: 'settle', account: A, instrument: MARKET, draws, servedBy: S });
  return scene;
}

describe('export and restore', () => {
  it('gives the same state back, and what follows is the same too', () => {
    const scene = full();
    const restored = Exchange.restore(JSON.parse(text(scene.exchange)));
    expect(text(restored)).toBe(text(scene.exchange));
    expect(restored.export().ranges[0]!.remainders).not.toEqual([]);
    const next = [
      order({ account: S, side: 'sell', quantityUnits: 2, priceTicks: ticks('2.4') }),
      { kind: 'cancel_order' as const, account: A, order: 3 },
      { kind: 'terminate_supplier' as const, account: S, instrument: MARKET },
    ];
    for (const command of next) {
      const entry = { seq: restored.lastSeq + 1, atMs: scene.atMs, command };
      expect(JSON.stringify(restored.apply(entry))).toBe(JSON.stringify(scene.exchange.apply(entry)));
    }
    expect(text(restored)).toBe(text(scene.exchange));
  });

  it('keeps auto-transfer and queue places of resting orders', () => {
    const scene = full();
    const restored = Exchange.restore(scene.exchange.export());
    scene.exchange = restored;
    const outcome = scene.sell(S, 2, '2.4000');
    expect(eventsOf(outcome, 'transferred')).toMatchObject([{ account: A, origin: 'auto_transfer' }]);
  });

  it('does not depend on the order in which a store gives members back', () => {
    const reversed = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
    const scene = full();
    const journal = scene.journal.map((entry) => {
      const { command } = entry;
      if (command.kind !== 'open_market') return { ...entry, command: reversed(command) as typeof command };
      return { ...entry, command: { ...command, rules: reversed(RULES) as MarketRules } };
    });
    expect(text(replay(journal))).toBe(text(scene.exchange));
  });

  it('does not remember what was only asked', () => {
    const scene = full();
    scene.run({ kind: 'open_market', instrument: 2, rules: RULES });
    const before = text(scene.exchange);
    const tooMuch = order({ account: T, side: 'buy', quantityUnits: 10_000, priceTicks: ticks('2.5') });
    scene.atMs += 2 * 86_400_000;
    expect(scene.attempt({ ...tooMuch, instrument: 2 }).ok).toBe(false);
    expect(scene.attempt({ ...tooMuch, type: 'market', timeInForce: 'ioc' }).ok).toBe(false);
    expect(text(scene.exchange)).toBe(before);
  });

  it('cannot be changed through what was exported', () => {
    const scene = full();
    const before = text(scene.exchange);
    const data = scene.exchange.export();
    data.accounts[1]!.positions[0]!.lots[0]!.free.length = 0;
    data.accounts[1]!.positions[0]!.segments[0]!.unitFrom = 0;
    expect(text(scene.exchange)).toBe(before);
  });

  it('refuses a version it does not know', () => {
    expect(() => Exchange.restore({ ...new Exchange().export(), version: 0 })).toThrow(
      'unknown snapshot version 0',
    );
  });
});
