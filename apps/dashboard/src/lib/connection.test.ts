import { expect, it } from 'vitest';
import { connectionOf } from './connection.ts';

const nowMs = 1_000_000;

it.each([
  ['nothing has come yet', 0, 0, 'connecting'],
  ['nothing but failures', 0, nowMs - 100, 'reconnecting'],
  ['a fresh answer', nowMs - 900, 0, 'live'],
  ['a fresh answer after a failure', nowMs - 900, nowMs - 2_000, 'live'],
  ['a failure after a fresh answer', nowMs - 2_000, nowMs - 900, 'reconnecting'],
  ['silence for a while', nowMs - 8_000, 0, 'reconnecting'],
  ['silence for long', nowMs - 20_000, nowMs - 100, 'stale'],
])('%s', (_name, lastSuccessMs, lastFailureMs, expected) => {
  expect(connectionOf({ lastSuccessMs, lastFailureMs, nowMs })).toBe(expected);
});
