import { cancelAll } from './cancel-order.ts';
import type { Refused } from './events.ts';
import { ANY_MARKET, type Context, positionsInOrder } from './state.ts';

/** Shortest and longest time of a dead man's switch. */
const MIN_TIMEOUT_MS = 5_000;
const MAX_TIMEOUT_MS = 600_000;

/** Replaces the timer of an account, or of an account in one market. */
export function armCancelTimer(
  context: Context,
  command: { account: number; instrument?: number; timeoutMs: number },
): Refused | undefined {
  const { account, timeoutMs, instrument = ANY_MARKET } = command;
  const isInRange =
    Number.isSafeInteger(timeoutMs) && timeoutMs >= MIN_TIMEOUT_MS && timeoutMs <= MAX_TIMEOUT_MS;
  if (!isInRange && timeoutMs !== 0) return { ok: false, code: 'validation_failed' };
  const { state } = context;
  const { timers } = state.accounts.get(account)!;
  disarm(context, timers.get(instrument));
  if (timeoutMs > 0) {
    state.timerCounter += 1;
    timers.set(instrument, state.timerCounter);
    state.timers.set(state.timerCounter, { account, instrument });
    state.timerDues.set(state.timerCounter, context.atMs + timeoutMs);
  }
  emitTimer(context, { account, instrument }, timeoutMs > 0 ? context.atMs + timeoutMs : null);
  return undefined;
}

function disarm(context: Context, number: number | undefined): void {
  const { state } = context;
  const timer = number === undefined ? undefined : state.timers.get(number);
  if (number === undefined || timer === undefined) return;
  state.accounts.get(timer.account)!.timers.delete(timer.instrument);
  state.timers.delete(number);
  state.timerDues.delete(number);
}

/** A timer went off: the orders of its scope end, in a halted market when it leaves that state. */
export function fireTimer(context: Context, number: number): void {
  const { state } = context;
  const timer = state.timers.get(number)!;
  const dueMs = state.timerDues.dueMsOf(number)!;
  const { account } = timer;
  disarm(context, number);
  emitTimer(context, timer, null);
  for (const [instrument, position] of positionsInOrder(state.accounts.get(account)!)) {
    if (timer.instrument !== ANY_MARKET && timer.instrument !== instrument) continue;
    if (position.openOrders.size === 0) continue;
    const market = state.market(instrument);
    if (market.state === 'halted') market.pendingCancels.push({ account, dueMs });
    else cancelAll(context, { account, instrument }, 'cancel_all_after');
  }
}

function emitTimer(
  context: Context,
  { account, instrument }: { account: number; instrument: number },
  triggersAtMs: number | null,
): void {
  const scope = instrument === ANY_MARKET ? null : instrument;
  context.emit({ type: 'timer', account, instrument: scope, triggersAtMs });
}
