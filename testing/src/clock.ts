import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds since the epoch with a fraction, so that times taken in two processes can be compared. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Waits, and ends early and quietly when the signal fires. */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/**
 * Polls until the condition gives something other than `undefined`, `null` or `false`, and returns that.
 * @throws when nothing came within `timeoutMs`, naming `what`.
 */
export async function waitFor<Value>(
  what: string,
  condition: () => Value | undefined | null | false | Promise<Value | undefined | null | false>,
  timeoutMs = 10_000,
): Promise<Value> {
  const deadlineMs = nowMs() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (nowMs() > deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await pause(5);
  }
}
