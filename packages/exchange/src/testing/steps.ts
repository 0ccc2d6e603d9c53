import type { Command, PlaceOrder } from '../commands.ts';
import type { StateExport } from '../snapshot.ts';
import type { Lot } from '../state.ts';
import { given, type Step, USERS } from './commands.ts';
import type { Scene } from './scene.ts';

/** The command that a step means in the state at hand, or undefined where only the clock moves. */
export function commandOf(scene: Scene, one: Step): Command | undefined {
  if ('command' in one) return one.command;
  if ('waitMs' in one) {
    scene.atMs += one.waitMs;
    return undefined;
  }
  if ('placing' in one) return placeOf(scene, one);
  if ('cancelAt' in one) return cancelOf(scene, one);
  if ('amendAt' in one) return amendOf(scene, one);
  if ('bringBackOf' in one) return bringBackOf(scene, one);
  return settleOf(scene, one);
}

function placeOf(scene: Scene, { placing, lifeMs }: { placing: PlaceOrder; lifeMs: number }): Command {
  const expires = placing.timeInForce === 'gtd' || placing.timeInForce === 'day';
  return expires ? { ...placing, expiresAtMs: scene.atMs + lifeMs } : placing;
}

type Row = StateExport['markets'][number]['buys'][number];

/** A resting order, and the account that names it: its owner, or somebody else. */
function pick(scene: Scene, at: number, { foreign }: { foreign: boolean }): { row?: Row; owner: number } {
  const resting = scene.exchange.export().markets.flatMap(({ buys, sells }) => [...buys, ...sells]);
  const row = resting[at % Math.max(1, resting.length)];
  if (row === undefined) return { owner: USERS[0] };
  return { row, owner: foreign ? USERS[0] : row[1] };
}

function cancelOf(scene: Scene, one: { cancelAt: number; foreign: boolean }): Command {
  const { row, owner } = pick(scene, one.cancelAt, one);
  return { kind: 'cancel_order', account: owner, order: row?.[0] ?? 123_456_789 };
}

function amendOf(scene: Scene, one: Extract<Step, { amendAt: number }>): Command {
  const { row, owner } = pick(scene, one.amendAt, one);
  const left = row?.[3] ?? 0;
  return given({
    kind: 'amend_order',
    account: owner,
    order: row?.[0] ?? one.amendAt,
    quantityUnits: one.moreUnits === undefined ? undefined : left + (row?.[5] ?? 0) + one.moreUnits,
    priceTicks: one.priceTicks,
    timeInForce: one.life,
    expiresAtMs: one.lifeMs === undefined || saysNoLife(one) ? undefined : scene.atMs + one.lifeMs,
  }) as Command;
}

/** Most amends say nothing of the order's life; a time without one is for orders that have a time already. */
function saysNoLife({ life, amendAt }: Extract<Step, { amendAt: number }>): boolean {
  return life === 'gtc' || (life === undefined && amendAt % 8 > 0);
}

/** Whole units from the ends of the newest lots, or not quite from the end. */
function bringBackOf(scene: Scene, one: Extract<Step, { bringBackOf: number }>): Command {
  const lots = [...scene.exchange.openLots()].filter((lot) => lot.account === one.bringBackOf).slice(-2);
  const runs = lots.map(({ lot, unitTo }) => {
    const end = unitTo - one.shift;
    return { lot, unitFrom: end - one.units + 1, unitTo: end };
  });
  const instrumentOfLots = lots[0]?.instrument ?? 1;
  return { kind: 'transfer_to_trading', account: one.bringBackOf, instrument: instrumentOfLots, runs };
}

function settleOf(scene: Scene, one: Extract<Step, { consumeOf: number }>): Command {
  const lots = [...scene.exchange.openLots()].filter((lot) => lot.account === one.consumeOf);
  const instrumentOfLots = lots[0]?.instrument ?? 1;
  const draws: { lot: number; from: number; to: number }[] = [];
  let left = one.tokens;
  for (const lot of lots.filter((candidate) => candidate.instrument === instrumentOfLots)) {
    left = drawFrom(lot, { left, skip: one.skip }, draws);
  }
  return {
    kind: 'settle',
    account: one.consumeOf,
    instrument: instrumentOfLots,
    draws,
    servedBy: one.servedBy,
    failedObligors: one.failed ? [...new Set(lots.map((lot) => lot.issuer))] : [],
    substitutePriceTicks: one.price,
  };
}

/** Takes from the front of every free run, leaving `skip` tokens in front so that lots get holes. */
function drawFrom(lot: Lot, want: { left: number; skip: number }, draws: object[]): number {
  let { left } = want;
  for (let index = 0; index < lot.free.length && left > 0; index += 2) {
    const from = lot.free[index]! + want.skip;
    const to = Math.min(from + left, lot.free[index + 1]!);
    if (from >= to) continue;
    draws.push({ lot: lot.lot, from, to });
    left -= to - from;
  }
  return left;
}
