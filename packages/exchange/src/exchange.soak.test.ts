import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exchange } from './exchange.ts';
import { HIGHEST_TAKER_BPS, openingScene, type Step, step, turbulentStep } from './testing/commands.ts';
import { isNightly } from './testing/effort.ts';
import { checkInvariants } from './testing/invariants.ts';
import { OrderAudit } from './testing/order-audit.ts';
import { replay, type Scene } from './testing/scene.ts';
import { commandOf } from './testing/steps.ts';

/** Long lives of one market: 20 of 5,000 steps by default, 2,000 in nightly runs. */
const STEPS = 5_000;
const HISTORIES = isNightly ? 2_000 : 20;
/** The whole state is looked through now and then, what each command says of orders always. */
const CHECK_EVERY = 40;
/** Nine seconds of one core by default, a quarter of an hour nightly; the rest is room for a machine that is busy. */
const TIMEOUT_MS = isNightly ? 7_200_000 : 600_000;
const SEED = Number(process.env.OPENGRID_SEED ?? (isNightly ? Date.now() % 2 ** 31 : 20_260_101));

function live(steps: readonly Step[]): Scene {
  const scene = openingScene();
  const audit = new OrderAudit();
  for (const [index, one] of steps.entries()) {
    const command = commandOf(scene, one);
    scene.elapse((elapsing, accepted) => audit.after(elapsing, accepted));
    if (command === undefined) continue;
    const outcome = scene.attempt(command);
    if (outcome.ok) audit.after(command, outcome);
    if (index % CHECK_EVERY === 0) checkInvariants(scene.exchange, HIGHEST_TAKER_BPS);
  }
  checkInvariants(scene.exchange, HIGHEST_TAKER_BPS);
  return scene;
}

/** The journal again, with the state written and read back at random places. */
function replayInPieces(scene: Scene, seed: number): Exchange {
  const cuts = new Set(fc.sample(fc.nat({ max: scene.journal.length - 1 }), { numRuns: 5, seed }));
  let exchange = new Exchange();
  for (const [index, entry] of scene.journal.entries()) {
    expect(exchange.apply(entry).ok).toBe(true);
    if (cuts.has(index)) exchange = Exchange.restore(JSON.parse(JSON.stringify(exchange.export())));
  }
  return exchange;
}

describe(`the exchange over long histories, seed ${SEED}`, { timeout: TIMEOUT_MS }, () => {
  it(`keeps every rule through ${HISTORIES * STEPS} steps, and a replay in pieces leads to the same state`, () => {
    for (let history = 0; history < HISTORIES; history += 1) {
      const seed = SEED + history;
      const kind = history % 2 === 0 ? step : turbulentStep;
      try {
        const scene = live(fc.sample(kind, { numRuns: STEPS, seed }));
        const told = JSON.stringify(scene.exchange.export());
        expect(JSON.stringify(replayInPieces(scene, seed).export()) === told).toBe(true);
        if (history === 0) expect(JSON.stringify(replay(scene.journal).export()) === told).toBe(true);
      } catch (error) {
        throw new Error(`history ${history} of seed ${SEED}`, { cause: error });
      }
    }
  });
});
