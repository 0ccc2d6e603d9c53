import { type ApiErrorDetails, AuthenticationError, ConnectionError, RateLimitError } from '@opengrid/sdk';
import { expect, it } from 'vitest';
import { pollEvery } from './polling.ts';

const details: ApiErrorDetails = {
  status: 429,
  code: 'rate_limited',
  message: 'Slow down.',
  type: null,
  param: null,
  fields: new Map(),
  context: new Map(),
  requestId: null,
  retryAfterSeconds: 7,
};

it.each([
  ['nothing wrong', null, 2_000],
  ['a lost connection', new ConnectionError('gone'), 2_000],
  ['a rate limit', new RateLimitError(details), 7_000],
  ['a rate limit shorter than the interval', new RateLimitError({ ...details, retryAfterSeconds: 1 }), 2_000],
  ['a rate limit without a time', new RateLimitError({ ...details, retryAfterSeconds: null }), 2_000],
  ['a refused key', new AuthenticationError({ ...details, status: 401 }), false],
])('after %s', (_name, error, expected) => {
  expect(pollEvery(2_000)({ state: { error } })).toBe(expected);
});
