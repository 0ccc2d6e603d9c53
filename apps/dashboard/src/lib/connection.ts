/** How fresh the prices on the page are. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'stale';

/** What the page knows about its polls; times in milliseconds, 0 for never. */
export type PollTimes = { lastSuccessMs: number; lastFailureMs: number; nowMs: number };

// Polls come every second or two; a slow answer or one lost poll should not make the light flicker.
const liveForMs = 5_000;
const staleAfterMs = 12_000;

/** State of the connection light. */
export const connectionOf = ({ lastSuccessMs, lastFailureMs, nowMs }: PollTimes): Connection => {
  if (lastSuccessMs === 0) return lastFailureMs === 0 ? 'connecting' : 'reconnecting';
  const ageMs = nowMs - lastSuccessMs;
  if (ageMs > staleAfterMs) return 'stale';
  return ageMs <= liveForMs && lastFailureMs <= lastSuccessMs ? 'live' : 'reconnecting';
};
