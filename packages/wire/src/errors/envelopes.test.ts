import { describe, expect, it } from 'vitest';
import { catalogueEntry, ERROR_CODES } from './catalogue.ts';
import {
  anthropicErrorBody,
  errorHeaders,
  openAiErrorBody,
  platformErrorBody,
  tradingErrorBody,
} from './envelopes.ts';
import { GridFailure, gridError, httpStatusOf, messageOf } from './grid-error.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const ANSWER_CODES = ERROR_CODES.filter((code) => catalogueEntry(code).httpStatus !== null);

describe('error catalogue', () => {
  it.each(ERROR_CODES)('%s has one sentence and a known status', (code) => {
    const { httpStatus, defaultMessage } = catalogueEntry(code);
    expect(defaultMessage).toMatch(/^[A-Z][^\n]+\.$/);
    const known = [400, 401, 402, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429, 500, 502, 503, 504];
    if (httpStatus !== null) expect(known).toContain(httpStatusOf(code, 'trading'));
  });

  it('has the status of the surface where it differs', () => {
    expect(httpStatusOf('insufficient_balance', 'trading')).toBe(400);
    expect(httpStatusOf('insufficient_balance')).toBe(402);
    expect(httpStatusOf('validation_failed', 'trading')).toBe(400);
    expect(httpStatusOf('validation_failed', 'platform')).toBe(422);
  });

  it('refuses to answer with a code that only receipts carry', () => {
    expect(() => httpStatusOf('out_of_spec')).toThrow('receipt code');
  });
});

describe('envelopes', () => {
  it('repeats the first envelope beside the OpenAI member', () => {
    const message = "No instrument named 'gpt-4o'.";
    expect(openAiErrorBody(gridError('model_not_found', { message, param: 'model' }), NOW)).toEqual({
      error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
      errors: { detail: 'model_not_found', message, code: 'model_not_found' },
    });
  });

  it('sends the Anthropic shape exactly', () => {
    expect(anthropicErrorBody(gridError('model_not_found'), 'req_1')).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: 'No instrument of that name is served.' },
      request_id: 'req_1',
    });
  });

  it('sends the Trading shape, with the constant that means a lack of money', () => {
    expect(tradingErrorBody(gridError('market_not_found'), NOW)).toEqual({
      errors: {
        detail: 'market_not_found',
        message: 'No market with that id.',
        code: 'market_not_found',
        server_time: NOW,
      },
    });
    const context = { required: 25, available: 3 };
    const body = tradingErrorBody(gridError('insufficient_balance', { context }), NOW);
    expect(body.code).toBe('INSUFFICIENT_BALANCE');
    expect(body.errors.context).toEqual(context);
  });

  it('puts field errors beside detail on Trading and in its place on Platform', () => {
    const fields = { quantity: ['must be at least 1'] };
    const error = gridError('validation_failed', { fields });
    expect(tradingErrorBody(error, NOW).errors).toMatchObject({ detail: 'validation_failed', fields });
    const platform = platformErrorBody(error, NOW);
    expect(platform.errors.detail).toEqual(fields);
    expect(platform.errors).not.toHaveProperty('fields');
    expect(platform.error_description).toBe(platform.errors.message);
  });

  it('carries the sentence in detail of a 401, and the server time', () => {
    const { errors } = openAiErrorBody(gridError('invalid_api_key'), NOW);
    expect(errors).toEqual({
      detail: 'The API key is not valid.',
      message: 'The API key is not valid.',
      code: 'invalid_api_key',
      server_time: NOW,
    });
  });

  it('names the missing scope', () => {
    const error = gridError('insufficient_scope', { requiredScope: 'inference' });
    expect(openAiErrorBody(error).errors.context).toEqual({ required_scope: 'inference' });
  });

  it.each(ANSWER_CODES)('%s is well-shaped on every surface', (code) => {
    const error = gridError(code);
    const openAi = openAiErrorBody(error, NOW);
    expect(Object.keys(openAi.error)).toEqual(['message', 'type', 'param', 'code']);
    expect(openAi.error.type).toMatch(/_error$|^insufficient_quota$/);
    expect(anthropicErrorBody(error, 'req_1').error.type).toMatch(/_error$|^request_too_large$/);
    for (const body of [tradingErrorBody(error, NOW), platformErrorBody(error, NOW)]) {
      expect(body.errors.code).toBe(code);
      expect(body.errors.message).toBe(messageOf(error));
    }
  });
});

describe('error headers', () => {
  it.each(ANSWER_CODES)('%s names its code and only waits where waiting helps', (code) => {
    const headers = errorHeaders(gridError(code));
    const status = httpStatusOf(code);
    expect(headers['x-grid-error-code']).toBe(code);
    expect(headers['retry-after'] !== undefined).toBe(
      status === 429 || status === 503 || code === 'idempotency_in_progress',
    );
    if ([401, 402, 403].includes(status)) expect(headers['x-should-retry']).toBe('false');
    if ([408, 429, 502, 503, 504].includes(status)) expect(headers).not.toHaveProperty('x-should-retry');
  });

  it('rounds the wait up to whole seconds, at least one', () => {
    const waits = [0, 0.2, 1, 2.1].map((retryAfterSeconds) => {
      return errorHeaders(gridError('rate_limited', { retryAfterSeconds }))['retry-after'];
    });
    expect(waits).toEqual(['1', '1', '1', '3']);
  });
});

describe('GridFailure', () => {
  it('is an Error that carries the value and its sentence', () => {
    const failure = new GridFailure(gridError('no_capacity'));
    expect(failure).toBeInstanceOf(Error);
    expect(failure.error.code).toBe('no_capacity');
    expect(failure.message).toBe('No supplier has capacity at the moment.');
  });
});
