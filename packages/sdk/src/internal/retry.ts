/** What is known about a failed attempt; `status` is null when no answer came. */
export type FailedAttempt = {
  method: string;
  status: number | null;
  code: string | null;
  /** The header `x-should-retry`, where the server decides itself. */
  shouldRetry: string | null;
  retryAfterSeconds: number | null;
};

const firstDelayMs = 200;
const longestDelayMs = 2_000;
// A server that asks for more patience than this is better reported to the caller than waited for in silence.
const longestRetryAfterSeconds = 60;

const safeMethods = new Set(['GET', 'HEAD']);

/** Whether the same request may be sent again without the risk of doing something twice. */
export const isRetryable = (attempt: FailedAttempt): boolean => {
  if ((attempt.retryAfterSeconds ?? 0) > longestRetryAfterSeconds) return false;
  if (attempt.shouldRetry === 'true') return true;
  if (attempt.shouldRetry === 'false') return false;
  if (attempt.status === null) return safeMethods.has(attempt.method);
  if (attempt.status === 409) return attempt.code === 'idempotency_in_progress';
  // These three promise that nothing has happened, so even a change may be asked for again.
  if ([408, 429, 503].includes(attempt.status)) return true;
  return attempt.status >= 500 && safeMethods.has(attempt.method);
};

/**
 * Milliseconds to wait before attempt `retryIndex + 1`: the server's wish where it has one, else 200 ms doubling
 * up to 2 s, shortened by up to a quarter so that many clients do not come back in step.
 */
export const retryDelayMs = (retryIndex: number, retryAfterSeconds: number | null): number => {
  if (retryAfterSeconds !== null) return retryAfterSeconds * 1_000;
  const delayMs = Math.min(firstDelayMs * 2 ** retryIndex, longestDelayMs);
  return delayMs * (1 - Math.random() * 0.25);
};
