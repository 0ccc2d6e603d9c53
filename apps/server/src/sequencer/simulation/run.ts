/** One life of a simulated market from a seed: trouble for a while, then calm, then the checks. */
import type { Queryable } from '../../store/database.ts';
import { BUYER } from '../testing.ts';
import { findings, type JournalRow } from './checks.ts';
import { type Faults, Weather } from './remote-store.ts';
import { Dice, Schedule } from './schedule.ts';
import { Client, Misfortune, setUp, supervise } from './traffic.ts';
import { World } from './world.ts';

const CALM: Faults = { refused: 0, answerLost: 0, straggling: 0, slow: 0 };
const START_LIMIT_MS = 60_000;
const CALM_LIMIT_MS = 600_000;
const IDLE_MS = 7_000;

/** A store to run on, and its journal as it is now. */
export interface Stage {
  readonly store: Queryable;
  readonly durableSeq: () => number;
  readonly journal: () => Promise<JournalRow[]>;
}

export interface Outcome {
  readonly findings: readonly string[];
  /** How often what happened, so that a test can tell that something did. */
  readonly counts: Readonly<
    Record<'acknowledged' | 'refused' | 'notDone' | 'unknown' | 'fenced' | 'lives', number>
  >;
}

function faultsOf(dice: Dice): Faults {
  const often = (most: number): number => (dice.chance(0.5) ? 0 : dice.next() * most);
  return { refused: often(0.1), answerLost: often(0.15), straggling: often(0.1), slow: often(0.03) };
}

/** Runs `lengthMs` of virtual time in trouble. Equal seeds give equal histories. */
export async function simulate(seed: number, stage: Stage, lengthMs = 8_000): Promise<Outcome> {
  const dice = new Dice(seed);
  const schedule = new Schedule();
  const weather = new Weather(dice, CALM);
  const snapshotEvery = dice.pick([7, 100, 50_000]);
  const batchLimit = dice.pick([3, 500]);
  const recoveryPatienceMs = dice.pick([400, 10_000]);
  const settings = { snapshotEvery, batchLimit, recoveryPatienceMs };
  const world = new World({ ...stage, ...settings, schedule, dice, weather });
  const first = world.start();
  await schedule.runUntil(() => first.sequencer !== undefined || first.process.isDead, START_LIMIT_MS);
  await schedule.complete(setUp(first), START_LIMIT_MS);
  const setUpSeq = stage.durableSeq();

  weather.faults = faultsOf(dice);
  await inTrouble(world, { dice, weather, lengthMs });
  await inCalm(world);
  return {
    findings: findings(world, await stage.journal(), setUpSeq),
    counts: {
      acknowledged: world.sent.filter(({ told }) => typeof told === 'object' && told.ok).length,
      refused: world.sent.filter(({ told }) => typeof told === 'object' && !told.ok).length,
      notDone: world.sent.filter(({ told }) => told === 'not_done').length,
      unknown: world.sent.filter(({ told }) => told === 'unknown').length,
      fenced: world.leaders.filter(({ lost }) => lost === 'fenced').length,
      lives: world.leaders.length,
    },
  };
}

async function inTrouble(
  world: World,
  { dice, weather, lengthMs }: { dice: Dice; weather: Weather; lengthMs: number },
): Promise<void> {
  let isTimeUp = false;
  const isOver = (): boolean => isTimeUp;
  const parties = [
    ...Array.from({ length: 3 }, () => new Client(world, dice).run(isOver)),
    new Misfortune(world, dice, weather).run(isOver),
    supervise(world, isOver),
  ];
  await world.schedule.complete(world.schedule.pause(lengthMs), lengthMs);
  isTimeUp = true;
  // Nobody is left waiting: frozen processes thaw, and what was asked is answered.
  weather.faults = CALM;
  weather.outageUntilMs = 0;
  for (const { process } of world.leaders) process.thaw();
  await world.schedule.complete(Promise.all(parties), CALM_LIMIT_MS);
}

/** A last process takes over from all of them and takes a command. */
async function inCalm(world: World): Promise<void> {
  // A straggler of the trouble may still take the lease from one that has just started.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const last = world.start();
    await world.schedule.runUntil(() => last.sequencer !== undefined || last.process.isDead, CALM_LIMIT_MS);
    if (last.process.isDead) continue;
    const credit = { kind: 'credit', account: BUYER, origin: 'card', amountMicros: 1 } as const;
    await world.schedule.complete(world.send(last, credit), CALM_LIMIT_MS);
    // What is due while nobody asks for anything is done all the same.
    await world.schedule.complete(world.schedule.pause(IDLE_MS), IDLE_MS);
    if (!last.process.isDead) return;
  }
  const reasons = [...world.faults.map(({ message }) => message), `lost: ${world.leaders.at(-1)?.lost}`];
  throw new Error(`simulation: no process can lead any more (${reasons.join('; ')})`);
}
