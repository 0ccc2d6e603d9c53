/**
 * What repeating a request can do:
 * - `read`: nothing is changed.
 * - `harmless`: the outcome is the same however often it is asked for.
 * - `keyed`: the server remembers the answer under an idempotency key, unless it failed half way.
 * - `risky`: it may happen twice, so only what certainly did not happen is asked for again.
 */
export type Repetition = 'read' | 'harmless' | 'keyed' | 'risky';

/** What is known about a failed attempt; `status` is null when no answer came. */
export type FailedAttempt = {
  repetition: Repetition;
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

/** Whether the same request may be sent again without the risk of doing something twice. */
export const isRetryable = (attempt: FailedAttempt): boolean => {
  const { status, repetition } = attempt;
  if ((attempt.retryAfterSeconds ?? 0) > longestRetryAfterSeconds) return false;
  if (attempt.shouldRetry === 'true') return true;
  if (attempt.shouldRetry === 'false') return false;
  if (status === 409) return attempt.code === 'idempotency_in_progress';
  // These three promise that nothing has happened, so even a change may be asked for again.
  if (status !== null && [408, 429, 503].includes(status)) return true;
  if (repetition === 'read') return status === null || status >= 500;
  // A fault is not cured by asking again, and an answer that the server lost may have had its effect.
  if (attempt.code === 'outcome_unknown') return repetition === 'harmless';
  return repetition !== 'risky' && (status === null || status === 502 || status === 504);
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
