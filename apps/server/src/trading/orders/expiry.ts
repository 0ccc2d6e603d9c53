import { invalidField } from '../http/route.ts';

const DAY_MS = 86_400_000;
const SOONEST_MS = 1_000;
const LATEST_MS = 90 * DAY_MS;

/** When an order with this life ends: undefined when it does not. Unix milliseconds. @throws GridFailure `validation_failed`. */
export function expiryOf(timeInForce: string, expireAtMs: number | null, nowMs: number): number | undefined {
  // A day ends at the next midnight UTC.
  if (timeInForce === 'day') return (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
  if (timeInForce !== 'gtd' || expireAtMs === null) return undefined;
  return inRange(expireAtMs, nowMs);
}

export function inRange(expireAtMs: number, nowMs: number): number {
  const aheadMs = expireAtMs - nowMs;
  if (aheadMs >= SOONEST_MS && aheadMs <= LATEST_MS) return expireAtMs;
  throw invalidField('expire_at', 'must be 1 second to 90 days ahead');
}
