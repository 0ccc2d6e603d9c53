import { AuthenticationError, PermissionDeniedError, RateLimitError } from '@opengrid/sdk';

/** The part of a query that decides when it is read again. */
export type PolledQuery = { state: { error: Error | null } };

/** Polls at an interval, after the pause that a rate limit asked for, or no more once the key was refused. */
export const pollEvery =
  (intervalMs: number) =>
  ({ state: { error } }: PolledQuery): number | false => {
    if (error instanceof AuthenticationError || error instanceof PermissionDeniedError) return false;
    if (!(error instanceof RateLimitError)) return intervalMs;
    return Math.max(intervalMs, (error.retryAfterSeconds ?? 1) * 1_000);
  };
