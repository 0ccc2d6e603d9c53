import { Earmarks } from '@opengrid/exchange';
import { describe, expect, it } from 'vitest';
import { LiveHold, planHold } from '../admission/hold.ts';
import { Replenisher } from '../admission/replenisher.ts';
import { TextTally } from '../metering/text-tally.ts';
import { callerOf, MemorySequencer } from '../testing.ts';
import { HoldGuard } from './hold-guard.ts';

const owner = { account: 1, instrument: 1 };
const settings = { holdStepTokens: 100, startOutputTokens: 10, countTolerancePercent: 0 };
const silent = { request: () => {}, delivery: () => {}, system: () => {}, fault: () => {} };

/** A hold of 110 tokens, 10 of input, and as many more free tokens as told. */
function guarded(freeTokens: number, exact: Promise<number | undefined>) {
  const earmarks = new Earmarks();
  const lot = { ...owner, lot: 1, acquisition: 1, unitFrom: 1, tokensTotal: 1_000_000 };
  earmarks.addLot(lot, [0, 110 + freeTokens]);
  const plan = planHold({ inputTokens: 10, outputTokens: 1000 }, settings);
  const hold = LiveHold.open(earmarks, owner, plan);
  if (hold === undefined) throw new Error('the hold must open');
  const options = { purchaseWaitMs: 20, backOffMs: { first: 1, longest: 1 } };
  const sequencer = new MemorySequencer();
  const replenisher = new Replenisher({ sequencer, telemetry: silent, settings: options, clock: Date.now });
  const counter = { count: () => exact, close: async () => {} };
  const purchase = { caller: callerOf({ accountNumber: 1 }), instrumentNo: 1, maxPriceTicks: null };
  const guard = new HoldGuard({ plan, hold, settings, counter, replenisher, purchase });
  const tally = new TextTally();
  return { guard, hold, earmarks, tally };
}

describe('HoldGuard', () => {
  it('grows by a step as long as tokens are free, and covers no more than it holds', () => {
    const { guard, hold } = guarded(150, Promise.resolve(undefined));
    expect([guard.covers(100), hold.tokens]).toEqual([true, 110]);
    expect([guard.covers(101), hold.tokens]).toEqual([true, 210]);
    expect([guard.covers(201), hold.tokens]).toEqual([true, 260]);
    expect([guard.covers(250), guard.covers(251)]).toEqual([true, false]);
  });

  it('takes an exact count for an estimate that was too high', async () => {
    const { guard, tally } = guarded(0, Promise.resolve(20));
    tally.add('x'.repeat(360));
    expect(guard.covers(tally.tokensWith('x'.repeat(36)))).toBe(false);
    expect(await guard.extend(tally, 'x'.repeat(36))).toBe(true);
  });

  it.each([5, undefined])(
    'does not grow a hold whose request has ended meanwhile (count: %s)',
    async (tokens) => {
      let answer = (_tokens: number | undefined) => {};
      const exact = new Promise<number | undefined>((resolve) => {
        answer = resolve;
      });
      const { guard, hold, earmarks, tally } = guarded(0, exact);
      tally.add('x'.repeat(36));
      const extended = guard.extend(tally, 'x'.repeat(36));
      guard.cancel();
      hold.close(0);
      answer(tokens);
      expect(await extended).toBe(false);
      expect([earmarks.heldTokens(1, 1), earmarks.freeTokens(1, 1)]).toEqual([0, 110]);
    },
  );
});
