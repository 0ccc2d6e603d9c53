import type { JsonObject } from '@opengrid/wire';
import { fail, invalidField } from '../../http/route.ts';

const MAX_WINDOW_MS = 30_000;

/**
 * The end of a command's receive window in Unix milliseconds, or undefined when it names none. Without `sent_at` the window
 * begins with the arrival.
 *
 * @throws GridFailure `validation_failed`, or `timestamp_expired` when it is over, or the time is that far ahead.
 */
export function deadlineOf(payload: JsonObject, nowMs: number): number | undefined {
  const { sent_at: sentAtMs = null, recv_window: windowMs = null } = payload;
  if (sentAtMs === null && windowMs === null) return undefined;
  if (windowMs !== null && !isWhole(windowMs, { min: 1, max: MAX_WINDOW_MS }))
    throw invalidField('recv_window', `takes 1 to ${MAX_WINDOW_MS} milliseconds`);
  if (sentAtMs !== null && !isWhole(sentAtMs, { min: 1, max: Number.MAX_SAFE_INTEGER }))
    throw invalidField('sent_at', 'takes Unix milliseconds');
  const fromMs = sentAtMs ?? nowMs;
  const lengthMs = windowMs ?? MAX_WINDOW_MS;
  if (Math.abs(nowMs - fromMs) > lengthMs) throw fail('timestamp_expired');
  return fromMs + lengthMs;
}

function isWhole(value: unknown, { min, max }: { min: number; max: number }): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
