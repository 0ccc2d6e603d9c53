import {
  type ApiErrorDetails,
  AuthenticationError,
  ConnectionError,
  ServerError,
  TimeoutError,
} from '@opengrid/sdk';
import { expect, it } from 'vitest';
import { explain } from './explain.ts';

const details: ApiErrorDetails = {
  status: 401,
  code: 'api_key_revoked',
  message: 'The key was revoked.',
  type: null,
  param: null,
  fields: new Map(),
  context: new Map(),
  requestId: 'req_1',
  retryAfterSeconds: null,
};

it('says what the server said, what to do and what to quote', () => {
  const { title, advice, requestId } = explain(new AuthenticationError(details));
  expect(title).toBe('The key was not accepted');
  expect(advice).toMatch(/^The key was revoked\. Check/);
  expect(requestId).toBe('req_1');
});

it('drops the bare status text of an answer without a code', () => {
  const { advice } = explain(
    new ServerError({ ...details, status: 502, code: null, message: 'The server answered 502.' }),
  );
  expect(advice).not.toContain('502');
});

it('tells a timeout from a lost connection', () => {
  expect(explain(new TimeoutError('x')).title).toContain('too long');
  expect(explain(new ConnectionError('x')).title).toContain('cannot be reached');
});

it('has words for what it does not know', () => {
  expect(explain(new Error('secret detail'))).toEqual({
    title: 'This could not be read',
    advice: 'Reload the page.',
    requestId: null,
  });
});
