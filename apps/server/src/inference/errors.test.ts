import { type FaultySupplier, openRequest, startFaultySupplier } from '@opengrid/testing';
import { gridError } from '@opengrid/wire';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InferenceSettings } from './settings.ts';
import {
  CAPABILITIES,
  callerOf,
  endpointOf,
  giveUnits,
  KEY,
  openMarket,
  SUBSTITUTE,
  startWorld,
  type World,
  type WorldOptions,
} from './testing.ts';

let supplier: FaultySupplier;
let world: World;

async function start(options: WorldOptions = {}): Promise<void> {
  world = await startWorld({ endpoints: [endpointOf(supplier)], ...options });
  await openMarket(world.sequencer);
}

beforeEach(async () => {
  supplier = await startFaultySupplier();
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

const messages = [{ role: 'user', content: 'a secret of mine' }];
const ask = { model: 'text-standard', messages };

interface Refusal {
  status: number;
  headers: Headers;
  body: {
    error: { code: string; type: string; param: string | null; message: string };
    errors: { code: string };
  };
}

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Refusal> {
  const response = await fetch(`${world.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Refusal['body'],
  };
}

function expectRefusal(refusal: Refusal, status: number, code: string): void {
  expect([refusal.status, refusal.body.error?.code]).toEqual([status, code]);
  expect(refusal.body.errors.code).toBe(code);
  expect(refusal.headers.get('x-grid-error-code')).toBe(code);
  expect(refusal.headers.get('x-grid-request-id')).toMatch(/^req_[0-9a-hjkmnp-tv-z]{26}$/);
  expect(refusal.headers.get('x-request-id')).toBe(refusal.headers.get('x-grid-request-id'));
  expect(refusal.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(refusal.headers.get('cache-control')).toBe('no-store');
  expect(refusal.headers.get('access-control-allow-origin')).toBe('*');
  expect(JSON.stringify(refusal.body)).not.toContain('secret');
}

describe('an engine that takes no commands', () => {
  it('is told before a supplier is asked for what could not be settled', async () => {
    await start();
    await giveUnits(world.sequencer, 1);
    Object.assign(world.sequencer.status, { isAccepting: false });
    const { status, headers, body } = await post(ask);
    expect([status, body.error.code]).toEqual([503, 'engine_unavailable']);
    expect(headers.get('retry-after')).toBe('1');
    expect(supplier.requests).toEqual([]);
  });
});

describe('errors before a supplier is asked', () => {
  it('refuses credentials with the reason of the key directory', async () => {
    await start();
    expectRefusal(await post(ask, { authorization: 'Bearer nonsense' }), 401, 'invalid_api_key');
    world.refusals.set('revoked', gridError('api_key_revoked'));
    expectRefusal(await post(ask, { authorization: 'Bearer revoked' }), 401, 'api_key_revoked');
    const anonymous = await fetch(`${world.url}/v1/chat/completions`, { method: 'POST' });
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('x-should-retry')).toBe('false');
  });

  it('refuses a key without the scope', async () => {
    await start({ caller: { scopes: new Set(['usage:read']) } });
    const refusal = await post(ask);
    expectRefusal(refusal, 403, 'insufficient_scope');
    expect(refusal.body).toMatchObject({ errors: { context: { required_scope: 'inference' } } });
  });

  it('knows no other models and no models that are inactive', async () => {
    await start();
    const refusal = await post({ ...ask, model: 'gpt-4o' });
    expectRefusal(refusal, 404, 'model_not_found');
    expect(refusal.body.error).toMatchObject({ param: 'model', message: "No instrument named 'gpt-4o'." });
    await world.close();
    await start({ instrument: { status: 'inactive' } });
    expectRefusal(await post(ask), 404, 'model_not_found');
  });

  it('asks for a model where there is no default', async () => {
    await start();
    expectRefusal(await post({ messages }), 400, 'invalid_request');
  });

  it('serves the default instrument of the account', async () => {
    await start({ caller: { defaultInstrument: 'text-standard' } });
    await giveUnits(world.sequencer, 1);
    expect((await post({ messages })).status).toBe(200);
  });

  it('says where JSON is malformed', async () => {
    await start();
    const refusal = await post('{"model": "text-standard",\n "messages": [}');
    expectRefusal(refusal, 400, 'invalid_json');
    expect(refusal.body.error.message).toContain('line 2, column 15');
  });

  it('takes only so many bytes', async () => {
    await start({ settings: { bodyLimitBytes: 1000 } });
    expectRefusal(await post({ ...ask, user: 'x'.repeat(1000) }), 413, 'payload_too_large');
  });

  it('takes only JSON, and no content type for JSON', async () => {
    await start();
    await giveUnits(world.sequencer, 1);
    expectRefusal(await post('a secret', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
    const bare = openRequest({
      url: `${world.url}/v1/chat/completions`,
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
    });
    bare.call.end(JSON.stringify(ask));
    const status = await new Promise((resolve) => bare.call.once('response', (r) => resolve(r.statusCode)));
    expect(status).toBe(200);
    bare.hangUp();
  });

  it('refuses too many tokens asked for, in and out', async () => {
    await start();
    expectRefusal(await post({ ...ask, max_tokens: 65_537 }), 422, 'invalid_value');
    const long = [{ role: 'user', content: 'secret '.repeat(70_000) }];
    expectRefusal(await post({ ...ask, messages: long }), 400, 'context_length_exceeded');
  });

  it('refuses what no supplier offers', async () => {
    await start();
    expectRefusal(await post({ ...ask, logprobs: true }), 422, 'unsupported_value');
    expectRefusal(await post({ ...ask, temperature: 3 }), 422, 'invalid_value');
    expectRefusal(
      await post({ ...ask, shape: 1 }, { 'x-grid-strict-params': 'true' }),
      400,
      'unknown_parameter',
    );
  });

  it('asks only suppliers that leave nothing out of a strict request, and refuses it where there is none', async () => {
    const other = await startFaultySupplier();
    await start();
    await giveUnits(world.sequencer, 1);
    const strict = { 'x-grid-strict-params': 'true' };
    const biased = { ...ask, logit_bias: { 5: 1 } };
    const refusal = await post(biased, strict);
    expectRefusal(refusal, 400, 'unknown_parameter');
    expect(refusal.body.error.param).toBe('logit_bias');
    const capabilities = { ...CAPABILITIES, logitBias: true };
    world.endpoints.push(endpointOf(other, { supplierAccount: SUBSTITUTE, capabilities }));
    expect((await post(biased, strict)).status).toBe(200);
    expect([supplier.requests.length, other.requests.length]).toEqual([0, 1]);
    const lenient = await post(biased);
    expect([lenient.status, lenient.headers.get('x-grid-ignored-params')]).toEqual([200, 'logit_bias']);
    expect(supplier.requests).toHaveLength(1);
    await other.close();
  });

  it('refuses a price ceiling that is no price', async () => {
    await start();
    expectRefusal(await post(ask, { 'x-grid-max-price': 'cheap' }), 400, 'invalid_request');
  });

  it('answers 402 without tokens, and says how many are missing', async () => {
    await start();
    const refusal = await post(ask);
    expectRefusal(refusal, 402, 'insufficient_balance');
    expect(refusal.body).toMatchObject({ errors: { context: { available: 0 } } });
    expect(refusal.headers.get('x-should-retry')).toBe('false');
    expect(supplier.requests).toEqual([]);
  });

  it('raises errors that the official client understands', async () => {
    await start();
    const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY });
    const failure = await client.models.retrieve('no/such-model').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.NotFoundError);
    expect(failure).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' });
  });
});

describe('the edges of the surface', () => {
  it('knows no other paths and methods', async () => {
    await start();
    const unknown = await fetch(`${world.url}/v1/embeddings`, { method: 'POST', body: '{}' });
    expect([unknown.status, ((await unknown.json()) as Refusal['body']).error.code]).toEqual([
      404,
      'not_found',
    ]);
    expect(unknown.headers.get('x-grid-request-id')).toMatch(/^req_/);
    const wrong = await fetch(`${world.url}/v1/chat/completions`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST, OPTIONS');
    expect(((await wrong.json()) as Refusal['body']).error.code).toBe('method_not_allowed');
  });

  it('answers preflights without a credential', async () => {
    await start();
    const preflight = await fetch(`${world.url}/v1/chat/completions`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-max-age')).toBe('600');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-stainless-retry-count');
  });

  it('echoes the ids of the client, if they are harmless', async () => {
    await start();
    const echoed = await post(ask, { 'x-client-request-id': 'mine-1', 'x-grid-client-ref': 'r'.repeat(65) });
    expect(echoed.headers.get('x-client-request-id')).toBe('mine-1');
    expect(echoed.headers.get('x-grid-client-ref')).toBeNull();
  });

  it('logs one line a request, with the route as it is written in the contract', async () => {
    await start();
    await post(ask);
    await fetch(`${world.url}/v1/usage/req_x?secret=1`);
    expect(world.logged.requests).toMatchObject([
      {
        route: '/v1/chat/completions',
        httpStatus: 402,
        errorCode: 'insufficient_balance',
        accountNumber: 202,
      },
      {
        route: '/v1/usage/:requestId',
        httpStatus: 401,
        errorCode: 'missing_credentials',
        accountNumber: null,
      },
    ]);
    expect(JSON.stringify(world.logged)).not.toContain('secret');
  });
});

describe('limits', () => {
  const limited = async (settings: Partial<InferenceSettings>) => {
    await start({ settings });
    await giveUnits(world.sequencer, 1);
  };

  it('counts requests by key and tells how many are left', async () => {
    await limited({ requestsPerMinute: 2 });
    const first = await post(ask);
    expect(first.status).toBe(200);
    expect(first.headers.get('x-ratelimit-limit')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect(first.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+s$/);
    await post(ask);
    const third = await post(ask);
    expectRefusal(third, 429, 'rate_limited');
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    world.callers.set('other', callerOf({ keyId: 'key_other' }));
    expect((await post(ask, { authorization: 'Bearer other' })).status).toBe(200);
  });

  it('sends no rate headers when the limit is off', async () => {
    await limited({ requestsPerMinute: 0 });
    expect((await post(ask)).headers.get('x-ratelimit-limit')).toBeNull();
  });

  it('counts requests in flight by account', async () => {
    await limited({ requestsInFlight: 1 });
    let open = () => {};
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    supplier.enqueue({ kind: 'answer', holdFirstByteUntil: held });
    const first = post(ask);
    await supplier.waitForRequests(1);
    expectRefusal(await post(ask), 429, 'concurrency_limited');
    open();
    expect((await first).status).toBe(200);
    expect((await post(ask)).status).toBe(200);
  });

  it('takes no new requests while it drains, and lets running ones finish', async () => {
    await limited({});
    supplier.enqueue({ kind: 'answer', holdFirstByteUntil: { requestsAdmitted: 1 }, firstByteDelayMs: 100 });
    const running = post(ask);
    await supplier.waitForRequests(1);
    const drained = world.room.drain(10_000);
    expectRefusal(await post(ask), 503, 'overloaded');
    expect((await running).status).toBe(200);
    await drained;
    expect(world.room.inFlight).toBe(0);
    expect(world.sequencer.settlements).toMatchObject([{ receipt: { status: 'reconciled' } }]);
  });

  it('cuts what does not finish in time, unbilled', async () => {
    await limited({});
    supplier.enqueue({ kind: 'hang' });
    const running = post(ask);
    await supplier.waitForRequests(1);
    await world.room.drain(20);
    expectRefusal(await running, 500, 'internal_error');
    expect(world.sequencer.settlements).toMatchObject([
      { command: { draws: [] }, receipt: { status: 'error', errorCode: 'internal_error' } },
    ]);
  });
});
