// Signed orders on the whole program: a key registered by the operator, an order that survives a restart with its signature.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from './testing/instance.ts';

interface Answered {
  readonly status: number;
  readonly replay: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

let instance: Instance;
let privateKey: KeyObject;
let fingerprint: string;
beforeAll(async () => {
  instance = await Instance.start({ engine: 'embedded' });
  const pair = generateKeyPairSync('ed25519');
  privateKey = pair.privateKey;
  const bytes = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  fingerprint = createHash('sha256').update(bytes).digest('base64').slice(0, 43);
  const account = 'desk@example.com';
  const admin = (path: string, body: unknown) => instance.admin('POST', path, body);
  await admin('/accounts', { email: account, mode: 'advanced' });
  await admin(`/accounts/${account}/credit`, { amount: '50.00' });
  const label = 'desk';
  const registered = await admin('/signing-keys', { account, label, public_key: bytes.toString('base64') });
  expect(registered.fingerprint).toBe(fingerprint);
});
afterAll(() => instance.remove());

async function call(method: string, path: string, options: { body?: string; timestamp?: number } = {}) {
  const { body = '', timestamp = Math.floor(Date.now() / 1000) } = options;
  const signature = sign(null, Buffer.from(`${timestamp}${method}${path}${body}`), privateKey);
  const response = await fetch(`${instance.program.url}${path}`, {
    method,
    headers: {
      'x-thegrid-timestamp': String(timestamp),
      'x-thegrid-fingerprint': fingerprint,
      'x-thegrid-signature': signature.toString('base64'),
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === '' ? {} : { body }),
  });
  const text = await response.text();
  const parsed = (text === '' ? {} : JSON.parse(text)) as { data?: Record<string, unknown> };
  const replay = response.headers.get('x-grid-idempotent-replay');
  return { status: response.status, replay, data: parsed.data ?? {} } satisfies Answered;
}

it('places an order once, also when the program is killed and the request sent again', async () => {
  const order = { market_id: 'text-prime', side: 'buy', type: 'limit', quantity: 2, price: '0.1' };
  const request = { body: JSON.stringify(order), timestamp: Math.floor(Date.now() / 1000) };
  const placed = await call('POST', '/v1/orders', request);
  expect([placed.status, placed.data.status]).toEqual([201, 'active']);
  await instance.program.kill9();
  await instance.launch();
  const again = await call('POST', '/v1/orders', request);
  expect([again.status, again.replay, again.data.id]).toEqual([201, 'true', placed.data.id]);
  const count = await call('GET', '/v1/orders/count');
  expect(count.data.count).toBe(1);
  expect((await call('DELETE', `/v1/orders/${placed.data.id}`)).status).toBe(204);
  expect((await call('GET', `/v1/orders/${placed.data.id}`)).data.status).toBe('cancelled');
});
