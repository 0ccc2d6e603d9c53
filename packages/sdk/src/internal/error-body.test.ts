import { describe, expect, it } from 'vitest';
import * as sdk from '../core/error.ts';
import { apiErrorFrom } from './error-body.ts';

const errorOf = (status: number, body: unknown, headers: Record<string, string> = {}): sdk.ApiError =>
  apiErrorFrom(
    new Response(null, { status, headers }),
    typeof body === 'string' ? body : JSON.stringify(body),
  );

describe('the class of an error', () => {
  it.each([
    [400, sdk.BadRequestError],
    [401, sdk.AuthenticationError],
    [402, sdk.PaymentRequiredError],
    [403, sdk.PermissionDeniedError],
    [404, sdk.NotFoundError],
    [409, sdk.ConflictError],
    [422, sdk.UnprocessableError],
    [429, sdk.RateLimitError],
    [500, sdk.ServerError],
    [504, sdk.ServerError],
    [413, sdk.ApiError],
  ])('%i', (status, ErrorClass) => {
    const error = errorOf(status, {});
    expect(error.constructor).toBe(ErrorClass);
    expect(error.name).toBe(ErrorClass.name);
    expect(error).toBeInstanceOf(sdk.OpenGridError);
  });
});

describe('the members of an error', () => {
  it('come from the OpenAI-shaped envelope on Consumption routes', () => {
    const message = "No instrument named 'gpt-4o'.";
    const body = {
      error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
      errors: { detail: 'model_not_found', message, code: 'model_not_found' },
    };
    const expected = {
      message,
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
      status: 404,
    };
    expect(errorOf(404, body)).toMatchObject(expected);
  });

  it('come from errors on Trading routes, numbers that explain it included', () => {
    const context = { asset: 'USD', required: '25.125000', available: '3.000000' };
    const error = errorOf(400, {
      code: 'INSUFFICIENT_BALANCE',
      errors: {
        detail: 'insufficient_balance',
        code: 'insufficient_balance',
        message: 'insufficient',
        context,
      },
    });
    expect(error).toMatchObject({ code: 'insufficient_balance', message: 'insufficient' });
    expect(error.context.get('required')).toBe('25.125000');
  });

  it('take the code from code where detail is prose, as on a 401', () => {
    const errors = { detail: 'The key is unknown.', message: 'The key is unknown.', code: 'invalid_api_key' };
    expect(errorOf(401, { errors }).code).toBe('invalid_api_key');
  });

  it.each([
    ['fields', { fields: { quantity: ['must be positive'] }, code: 'validation_failed', message: 'Wrong.' }],
    ['detail', { detail: { quantity: ['must be positive'] }, code: 'validation_failed', message: 'Wrong.' }],
  ])('read messages by field from %s', (_name, errors) => {
    expect(errorOf(422, { errors }).fields).toEqual(new Map([['quantity', ['must be positive']]]));
  });

  it('carry the request id and the wait', () => {
    const error = errorOf(429, {}, { 'x-grid-request-id': 'req_01', 'retry-after': '3' });
    expect(error).toMatchObject({ requestId: 'req_01', retryAfterSeconds: 3 });
  });

  it.each(['', 'null', '[]', '"text"', '{', '{"errors":null,"error":"x"}'])('survive the body %j', (body) => {
    expect(errorOf(500, body)).toMatchObject({
      message: 'The server answered 500.',
      code: null,
      requestId: null,
    });
  });
});
