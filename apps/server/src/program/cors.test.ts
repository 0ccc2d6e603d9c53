import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentTelemetry } from '../sequencer/testing.ts';
import { createHttpApp } from './http-app.ts';

let app: FastifyInstance;

beforeEach(async () => {
  app = createHttpApp(silentTelemetry);
  app.get('/health', async () => 'well');
  app.get('/metrics', async () => 'numbers');
  // A room whose hook lets nobody in: a preflight must not get that far.
  await app.register((scope, _options, done) => {
    scope.addHook('onRequest', async () => {
      throw new Error('nobody comes in');
    });
    for (const prefix of ['/v1', '/v1/trading', '/api/v1/trading']) {
      scope.get(`${prefix}/orders/:order_id`, async () => 'an order');
      scope.delete(`${prefix}/orders/:id`, async () => 'gone');
    }
    done();
  });
});

afterEach(() => app.close());

const PREFLIGHT = {
  origin: 'https://elsewhere.example',
  'access-control-request-method': 'DELETE',
  'access-control-request-headers': 'x-thegrid-signature,content-type',
};

describe('preflights', () => {
  it.each(['/v1/orders/1', '/v1/trading/orders/1', '/api/v1/trading/orders/1', '/v1/orders/1/', '/health'])(
    'are answered without a credential: %s',
    async (url) => {
      const { statusCode, headers, body } = await app.inject({ method: 'OPTIONS', url, headers: PREFLIGHT });
      expect([statusCode, body]).toEqual([204, '']);
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
        'access-control-max-age': '600',
      });
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      expect(headers['x-grid-request-id']).toMatch(/^req_/);
    },
  );

  it('spell out every request header of the protocols', async () => {
    const { headers } = await app.inject({ method: 'OPTIONS', url: '/v1/orders/1' });
    const allowed = String(headers['access-control-allow-headers']).split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'x-api-key',
        'anthropic-version',
        'anthropic-beta',
        'idempotency-key',
        'x-thegrid-timestamp',
        'x-thegrid-fingerprint',
        'x-thegrid-signature',
        'x-thegrid-recv-window',
        'x-thegrid-nonce',
        'x-grid-max-price',
        'x-grid-strict-params',
        'x-stainless-retry-count',
        'x-stainless-helper',
      ]),
    );
    expect(allowed.every((name) => /^[a-z-]+$/.test(name))).toBe(true);
  });

  it('are for the surfaces that are open to all origins', async () => {
    const answer = await app.inject({ method: 'OPTIONS', url: '/metrics', headers: PREFLIGHT });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('answers to pages of another origin', () => {
  it.each(['/v1/orders/1', '/v1/nothing', '/api/v1/trading/nothing', `/v1/${'a'.repeat(9000)}`])(
    'can be read, errors included: %.30s',
    async (url) => {
      const { headers } = await app.inject({ url });
      expect(headers['access-control-allow-origin']).toBe('*');
      const exposed = String(headers['access-control-expose-headers']).split(', ');
      expect(exposed).toEqual(
        expect.arrayContaining([
          'x-grid-request-id',
          'x-grid-error-code',
          'x-grid-ignored-params',
          'x-grid-effective-effort',
          'x-grid-output-limit',
          'x-grid-idempotent-replay',
          'retry-after',
          'x-ratelimit-limit',
          'x-ratelimit-remaining',
          'x-ratelimit-reset',
        ]),
      );
    },
  );

  it('cannot be read where cookies count', async () => {
    for (const url of ['/', '/metrics', '/api/v1/users', '/v10/orders']) {
      expect((await app.inject({ url })).headers['access-control-allow-origin'], url).toBeUndefined();
    }
  });
});
