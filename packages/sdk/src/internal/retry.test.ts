import { describe, expect, it } from 'vitest';
import { isRetryable, type Repetition, retryDelayMs } from './retry.ts';

const attempt = {
  repetition: 'read' as Repetition,
  status: null,
  code: null,
  shouldRetry: null,
  retryAfterSeconds: null,
};

const unknown = { status: 500, code: 'outcome_unknown' };

describe('isRetryable', () => {
  it.each([
    ['a lost connection', { status: null }, true],
    ['408', { status: 408 }, true],
    ['409 with the first call still running', { status: 409, code: 'idempotency_in_progress' }, true],
    ['409 for any other reason', { status: 409, code: 'order_not_cancellable' }, false],
    ['429', { status: 429 }, true],
    ['500', { status: 500 }, true],
    ['503', { status: 503 }, true],
    ['400', { status: 400 }, false],
    ['401', { status: 401 }, false],
    ['402', { status: 402 }, false],
    ['404', { status: 404 }, false],
    ['422', { status: 422 }, false],
    ['a 400 that the server wants repeated', { status: 400, shouldRetry: 'true' }, true],
    ['a 503 that the server does not want repeated', { status: 503, shouldRetry: 'false' }, false],
    ['a wait of an hour', { status: 429, retryAfterSeconds: 3_600 }, false],
    // A change that may have happened must not be asked for twice; 503 promises that it has not.
    ['a lost connection of a risky change', { repetition: 'risky' as const, status: null }, false],
    ['500 of a risky change', { repetition: 'risky' as const, status: 500 }, false],
    ['503 of a risky change', { repetition: 'risky' as const, status: 503 }, true],
    ['a lost connection of a change with a key', { repetition: 'keyed' as const, status: null }, true],
    ['an unknown outcome with a key', { ...unknown, repetition: 'keyed' as const }, false],
    ['a lost connection of a harmless change', { repetition: 'harmless' as const, status: null }, true],
    ['an unknown outcome of a harmless change', { ...unknown, repetition: 'harmless' as const }, true],
    ['504 of a harmless change', { repetition: 'harmless' as const, status: 504 }, true],
    ['500 of a harmless change', { repetition: 'harmless' as const, status: 500 }, false],
  ])('%s', (_name, known, expected) => {
    expect(isRetryable({ ...attempt, ...known })).toBe(expected);
  });
});

describe('retryDelayMs', () => {
  it('keeps to what the server asks for', () => {
    expect(retryDelayMs(0, 7)).toBe(7_000);
    expect(retryDelayMs(5, 0)).toBe(0);
  });

  it.each([
    [0, 200],
    [1, 400],
    [2, 800],
    [9, 2_000],
  ])('lies within a quarter below the doubling delay, retry %i', (retryIndex, longestMs) => {
    const delayMs = retryDelayMs(retryIndex, null);
    expect(delayMs).toBeLessThanOrEqual(longestMs);
    expect(delayMs).toBeGreaterThanOrEqual(longestMs * 0.75);
  });
});
