// Errors that a user meets: every one says what is wrong, in one shape, and nothing failed is billed.
import {
  type FaultySupplier,
  type RawRequest,
  type SupplierBehaviour,
  sendBytes,
  sendRequest,
  startFaultySupplier,
  streamRequest,
} from '@opengrid/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Buyer, Instance } from './testing/instance.ts';
import { expectNothingInside, expectRefusal, type Refusal } from './testing/refusal.ts';

const SECRET = 'tell-nobody-4711';
const BODY_LIMIT_BYTES = 20_000;
const messages = [{ role: 'user', content: `The sea ${SECRET}` }];
const env = {
  LOG_LEVEL: 'debug',
  INFERENCE_BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES),
  // Long for a double on this machine, short for a test.
  FIRST_BYTE_TIMEOUT_MS: '3000',
  IDLE_TIMEOUT_MS: '1500',
};

let instance: Instance;
/** Fails as told. */
let broken: FaultySupplier;
/** Always answers. */
let sound: FaultySupplier;

beforeAll(async () => {
  broken = await startFaultySupplier();
  sound = await startFaultySupplier();
  instance = await Instance.start({ env, args: ['--builtin-tokens-per-second', '0'] });
  await instance.addSupplier(sound, { name: 'Sound', instrument: 'text-max', price: '6', units: 100 });
});

afterAll(async () => {
  await instance.remove();
  await broken.close();
  await sound.close();
});

function chat(body: unknown, more: Partial<RawRequest> = {}): RawRequest {
  return { url: `${instance.url}/v1/chat/completions`, key: instance.key, body, ...more };
}

const ask = { model: 'text-prime', messages, max_tokens: 5 };

describe('a credential', () => {
  it('that is missing, malformed or unknown is refused', async () => {
    const { key: _key, ...anonymous } = chat(ask);
    expectRefusal(await sendRequest(anonymous), 401, 'missing_credentials');
    const last = instance.key.at(-1) === '0' ? '1' : '0';
    const wrong = ['nonsense', `sk-or-v1-${'0'.repeat(64)}`, instance.key.slice(0, -1) + last];
    for (const key of wrong) {
      const { error } = expectRefusal(await sendRequest(chat(ask, { key })), 401, 'invalid_api_key');
      expect(error.type).toBe('authentication_error');
      expect(JSON.stringify(error)).not.toContain(key);
    }
  });

  it('that is revoked is refused at once, while another of the account works', async () => {
    const buyer = await instance.openBuyer();
    const other = await instance.admin('POST', '/keys', { account: buyer.email, name: 'other' });
    expect((await sendRequest(chat(ask, { key: buyer.key }))).status).toBe(200);
    await instance.admin('POST', `/keys/${buyer.keyId}/revoke`);
    expectRefusal(await sendRequest(chat(ask, { key: buyer.key })), 401, 'api_key_revoked');
    expectRefusal(await instance.get('/v1/usage', buyer.key), 401, 'api_key_revoked');
    expectRefusal(await instance.get('/v1/models', buyer.key), 401, 'api_key_revoked');
    expect((await sendRequest(chat(ask, { key: String(other.key) }))).status).toBe(200);
  });
});

describe('a request', () => {
  it('for an instrument that is unknown or inactive is told so', async () => {
    for (const model of ['gpt-4o', 'claude-opus-latest']) {
      const refusal = expectRefusal(await sendRequest(chat({ ...ask, model })), 404, 'model_not_found');
      expect(refusal.error.param).toBe('model');
    }
  });

  it('of an account without credit is told to top up, and the supplier hears nothing of it', async () => {
    const buyer = await instance.openBuyer('0');
    const before = sound.requests.length;
    const poor = { ...ask, model: 'text-max' };
    const { error } = expectRefusal(
      await sendRequest(chat(poor, { key: buyer.key })),
      402,
      'insufficient_credits',
    );
    expect(error.type).toBe('insufficient_quota');
    expect(sound.requests.length).toBe(before);
  });

  it('of an advanced account without tokens names what is missing', async () => {
    const buyer = await instance.openBuyer();
    await instance.admin('POST', `/accounts/${buyer.email}/mode`, { mode: 'advanced' });
    const answer = await sendRequest(chat(ask, { key: buyer.key }));
    const { errors } = expectRefusal(answer, 402, 'insufficient_balance');
    expect(errors.context).toMatchObject({ available: 0 });
    expect(await instance.balanceUsd(buyer.email)).toBe('25.000000');
  });

  it('for more output than the instrument has is refused', async () => {
    const answer = await sendRequest(chat({ ...ask, max_tokens: 131_073 }));
    const { error, errors } = expectRefusal(answer, 422, 'invalid_value');
    expect([error.param, errors.context]).toEqual(['max_tokens', { limit: 131_072 }]);
  });

  it('that is no JSON is told where', async () => {
    const secondLine = ` "messages": [{"role": "user", "content": "${SECRET}"},}`;
    const answer = await sendRequest(chat(`{"model": "text-prime",\n${secondLine}`));
    const { error } = expectRefusal(answer, 400, 'invalid_json');
    expect(error.message).toContain(`line 2, column ${secondLine.length}`);
    expect(error.message).not.toContain(SECRET);
  });

  it('over the limit of the body is refused, announced or not', async () => {
    const long = { ...ask, messages: [{ role: 'user', content: 'x'.repeat(BODY_LIMIT_BYTES) }] };
    expectRefusal(await sendRequest(chat(long)), 413, 'payload_too_large');
    const host = new URL(instance.url).host;
    const head = [
      'POST /v1/chat/completions HTTP/1.1',
      `host: ${host}`,
      `authorization: Bearer ${instance.key}`,
      'content-type: application/json',
      'transfer-encoding: chunked',
    ].join('\r\n');
    const size = BODY_LIMIT_BYTES + 1;
    const chunk = `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`;
    const raw = await sendBytes({ url: instance.url, parts: [`${head}\r\n\r\n`, chunk], quietMs: 2_000 });
    expect(raw).toMatch(/^HTTP\/1\.1 413 /);
    expect(raw).toContain('"code":"payload_too_large"');
  });

  it('of another content type, to another address or by another method is refused', async () => {
    const text = chat('hello', { headers: { 'content-type': 'text/plain' } });
    expectRefusal(await sendRequest(text), 415, 'unsupported_media_type');
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await sendRequest(chat('', { method }));
      expectRefusal(answer, 405, 'method_not_allowed');
      expect(answer.headers.allow).toContain('POST');
    }
    for (const path of ['/v1/embeddings', '/v1/files', '/v1/nothing/here?x=1'])
      expectRefusal(await instance.get(path, instance.key), 404, 'not_found');
    expectRefusal(
      await instance.get(`/v1/usage/req_${'0'.repeat(26)}`, instance.key),
      404,
      'receipt_not_found',
    );
  });

  it('that is hardly HTTP is refused in JSON as well', async () => {
    const parts = ['GET /v1/models HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n'];
    const raw = await sendBytes({ url: instance.url, parts });
    const [head = '', body = ''] = raw.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head.toLowerCase()).toMatch(/x-grid-request-id: req_/);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'invalid_request' } });
    const large = `GET /v1/models HTTP/1.1\r\nhost: x\r\nx-filler: ${'x'.repeat(40_000)}\r\n\r\n`;
    const tooLarge = await sendBytes({ url: instance.url, parts: [large] });
    expect(tooLarge).toMatch(/^HTTP\/1\.1 431 /);
    expect(tooLarge).toContain('"code":"invalid_request"');
  });

  it('outside the consumption surface gets the shape of its own surface', async () => {
    const answer = await instance.get('/api/v1/nothing');
    expect([answer.status, answer.json]).toMatchObject([404, { errors: { code: 'not_found' } }]);
    expect(answer.headers['x-grid-request-id']).toMatch(/^req_/);
  });
});

let caseCount = 0;

/** A fresh supplier that fails as told owes the one unit that a fresh buyer is going to buy. */
async function stage(instrument: string, behaviour: SupplierBehaviour | 'down'): Promise<Stage> {
  caseCount += 1;
  const offer = { name: `Broken ${caseCount}`, instrument, price: '5.5', units: 1 };
  const { supplier_id: supplierId } = await instance.addSupplier(broken, offer);
  if (behaviour === 'down') await broken.refuseConnections();
  else broken.setBehaviour(behaviour);
  return { buyer: await instance.openBuyer(), name: offer.name, supplierId: String(supplierId) };
}

interface Stage {
  readonly buyer: Buyer;
  readonly name: string;
  readonly supplierId: string;
}

/** Paused, so that it stands in for nobody in the next case. */
async function strike({ supplierId }: Stage): Promise<void> {
  await instance.admin('POST', `/suppliers/${supplierId}/pause`);
  await broken.acceptConnections();
}

async function expectNotBilled({ buyer }: Stage, requestId: unknown, code: string): Promise<void> {
  const receipt = await instance.receipt(requestId, buyer.key);
  expect(receipt).toMatchObject({ status: 'error', error_code: code, finish_reason: null });
  expect(receipt.cost).toMatchObject({ status: 'cancelled', amount: null, breakdown: [] });
  const { json } = await instance.get('/v1/usage/summary', buyer.key);
  expect(json).toMatchObject({ totals: { total_tokens: 0, cost: { reconciled_requests: 0 } } });
}

const useless: readonly [string, SupplierBehaviour | 'down'][] = [
  ['is down', 'down'],
  ['resets the connection', { kind: 'reset' }],
  ['closes the connection', { kind: 'close' }],
  ['refuses the key', { kind: 'error', status: 401 }],
  ['breaks with a page', { kind: 'error', status: 500, body: 'html' }],
  ['hides an error in a 200', { kind: 'error-in-200' }],
  ['sends a page', { kind: 'garbage', garbage: 'html' }],
  ['sends half of a JSON text', { kind: 'garbage', garbage: 'truncated-json' }],
  ['speaks no HTTP', { kind: 'garbage', garbage: 'not-http' }],
  ['breaks off before any content', { kind: 'answer', ending: 'reset', endingAfterChunks: 0 }],
];

describe.each([false, true])('a supplier that fails before the first byte (stream: %s)', (stream) => {
  it.each(useless)('%s: another one answers', async (_name, behaviour) => {
    const staged = await stage('text-max', behaviour);
    const request = chat({ model: 'text-max', messages, stream }, { key: staged.buyer.key });
    const answer = stream ? await streamRequest(request) : await sendRequest(request);
    await strike(staged);
    expect(answer.status).toBe(200);
    expectNothingInside(answer.text);
    const receipt = await instance.receipt(answer.headers['x-grid-request-id'], staged.buyer.key);
    expect(receipt).toMatchObject({
      status: 'reconciled',
      served_by: { supplier: 'Sound', substituted: true },
      cost: { breakdown: [{ supplier: staged.name, acquisition_price_per_unit: '5.5000' }] },
    });
    const { bodyText } = sound.requests.at(-1) ?? { bodyText: '' };
    expect(JSON.parse(bodyText)).toMatchObject({ messages });
  });

  it.each(useless)(
    '%s: with nobody else there is an error, and nothing is billed',
    async (_name, behaviour) => {
      const staged = await stage('code-max', behaviour);
      const request = chat({ model: 'code-max', messages, stream }, { key: staged.buyer.key });
      const answer = await sendRequest(request);
      await strike(staged);
      expectRefusal(answer, 502, 'upstream_error');
      expectNothingInside(answer.text, [SECRET, broken.apiKey, staged.buyer.key]);
      await expectNotBilled(staged, answer.headers['x-grid-request-id'], 'upstream_error');
    },
  );

  it('says nothing for too long: a timeout, and nothing is billed', async () => {
    const staged = await stage('code-max', { kind: 'hang' });
    const request = chat({ model: 'code-max', messages, stream }, { key: staged.buyer.key });
    const answer = await sendRequest(request);
    await strike(staged);
    expectRefusal(answer, 504, 'upstream_timeout');
    await expectNotBilled(staged, answer.headers['x-grid-request-id'], 'upstream_timeout');
  });
});

const halfway: readonly [string, SupplierBehaviour, string][] = [
  ['resets', { kind: 'answer', ending: 'reset' }, 'upstream_error'],
  ['closes', { kind: 'answer', ending: 'half-close' }, 'upstream_error'],
  ['ends without a reason', { kind: 'answer', ending: 'no-finish-reason' }, 'upstream_error'],
  [
    'sends garbage',
    { kind: 'answer', inject: [{ afterChunks: 9, what: 'malformed-json' }] },
    'upstream_error',
  ],
  ['sends an error', { kind: 'answer', inject: [{ afterChunks: 9, what: 'error-event' }] }, 'upstream_error'],
  ['falls silent', { kind: 'answer', ending: 'stall' }, 'upstream_timeout'],
];

describe('a supplier that fails in the middle of a stream', () => {
  it.each(halfway)('%s: an error event, no [DONE], nothing billed', async (_name, behaviour, code) => {
    const staged = await stage('text-max', behaviour);
    const soundCount = sound.requests.length;
    const request = chat({ model: 'text-max', messages, stream: true }, { key: staged.buyer.key });
    const answer = await streamRequest(request);
    await strike(staged);
    expect([answer.status, answer.sse.sawDone, answer.sse.oddLines]).toEqual([200, false, []]);
    expect(answer.sse.text).not.toBe('');
    const last = answer.sse.events.at(-1)?.json as Refusal;
    expect(last.error).toMatchObject({ code, type: 'api_error' });
    expectNothingInside(answer.text, [broken.apiKey, staged.buyer.key]);
    // Nobody can take over an answer whose beginning was written.
    expect(sound.requests.length).toBe(soundCount);
    await expectNotBilled(staged, answer.headers['x-grid-request-id'], code);
  });

  it('and half of a whole answer is an error', async () => {
    const staged = await stage('code-max', { kind: 'answer', ending: 'half-close' });
    const answer = await sendRequest(chat({ model: 'code-max', messages }, { key: staged.buyer.key }));
    await strike(staged);
    expectRefusal(answer, 502, 'upstream_error');
    await expectNotBilled(staged, answer.headers['x-grid-request-id'], 'upstream_error');
  });
});

describe('after all of that', () => {
  it('the ledger is right, and the log holds no stack of a supplier, no body and no prompt', async () => {
    const verdict = await instance.verifyLedger();
    expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
    // Debug lines were written, or the search would prove nothing.
    expect(instance.output).toContain('"route":"/v1/chat/completions"');
    expectNothingInside(instance.output, [SECRET, broken.apiKey]);
  });
});
