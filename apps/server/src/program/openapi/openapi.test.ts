import { type FaultySupplier, startFaultySupplier } from '@opengrid/testing';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectRoutes, type MountedRoute } from '../../http/mounted.ts';
import { registerInference } from '../../inference/index.ts';
import { DEFAULT_INFERENCE_SETTINGS } from '../../inference/settings.ts';
import { endpointOf } from '../../inference/testing.ts';
import type { SupplierSummary } from '../../ports/supply.ts';
import { silentTelemetry } from '../../sequencer/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import { marketQuotes } from '../market-quotes.ts';
import { openFloor, send, type Trader, type TradingFloor } from '../testing.ts';
import { OPERATIONS } from './document.ts';
import type { Json } from './json-schema.ts';
import { answerMisfit, operationOf } from './testing.ts';

const SYMBOL = 'text-standard';
const SECRET = Buffer.alloc(32, 5);

let store: TestStore;
let double: FaultySupplier;
let floor: TradingFloor;
let mounted: () => readonly MountedRoute[];
let supplier: Trader;
let buyer: Trader;
let key: string;

/** Trading and inference on one application, with somebody who supplies and somebody who buys. */
beforeAll(async () => {
  store = await openEmbeddedStore();
  double = await startFaultySupplier();
  const summaries = new Map<number, SupplierSummary>();
  const endpoint = () => endpointOf(double, { supplierAccount: supplier.account.accountNumber });
  floor = await openFloor(store.database, {
    suppliers: {
      endpointsFor: (instrumentNo) => (instrumentNo === floor.instrument.instrumentNo ? [endpoint()] : []),
      supplier: () => [...summaries.values()][0],
      supplierByAccount: (account) => summaries.get(account),
    },
    rooms: (app, core) => {
      mounted = collectRoutes(app);
      const settings = DEFAULT_INFERENCE_SETTINGS;
      const market = marketQuotes(core.view);
      const parts = { telemetry: silentTelemetry, reasoningKey: SECRET, conduct: { note: () => {} } };
      registerInference(app, { ...core, ...parts, market, settings });
    },
  });
  supplier = await floor.trader();
  const { accountNumber } = supplier.account;
  const supplierId = 'supplier_01jz3v8m2k7f9q0x4w6t5s1r8v';
  const summary = {
    supplierId,
    accountNumber,
    displayName: 'Double',
    status: 'approved',
    isManaged: false,
  } as const;
  summaries.set(accountNumber, summary);
  buyer = await floor.trader({ usdMicros: 1_000_000_000 });
  const made = await floor.keys.create(buyer.account.accountNumber, { name: 'k' });
  if (!made.ok) throw new Error(made.error.code);
  key = made.value.key;
});

afterAll(async () => {
  await floor.close();
  await double.close();
  await store.close();
});

async function documentOf(): Promise<Json> {
  const response = await fetch(`${floor.origin}/openapi.json`);
  expect(response.status).toBe(200);
  return (await response.json()) as Json;
}

function record(value: unknown): Json {
  if (typeof value !== 'object' || value === null) throw new Error('an object is wanted');
  return value as Json;
}

/** Every object in the document, with the way to it. */
function* objectsIn(value: unknown, way = '#'): Generator<readonly [way: string, value: Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [way, value as Json];
  for (const [name, member] of Object.entries(value)) yield* objectsIn(member, `${way}/${name}`);
}

function resolve(document: Json, reference: string): unknown {
  const parts = reference.slice(2).split('/');
  return parts.reduce<unknown>((at, part) => (at === undefined ? at : record(at)[part]), document);
}

function operationsIn(document: Json): { path: string; method: string; operation: Json }[] {
  return Object.entries(record(document.paths)).flatMap(([path, item]) =>
    Object.entries(record(item)).map(([method, operation]) => ({
      path,
      method,
      operation: record(operation),
    })),
  );
}

/** Those that are written once for all operations included. */
function parametersOf(document: Json, operation: Json): Json[] {
  const given = operation.parameters as Json[];
  return given.map((one) => ('$ref' in one ? record(resolve(document, String(one.$ref))) : one));
}

describe('the document', () => {
  it('is OpenAPI 3.1: every part is where it has to be, and every reference leads somewhere', async () => {
    const document = await documentOf();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'OpenGrid', version: 'test' } });
    const problems: string[] = [];
    for (const [way, { $ref: reference }] of objectsIn(document)) {
      if (typeof reference === 'string' && resolve(document, reference) === undefined) problems.push(way);
    }
    const tags = (document.tags as Json[]).map(({ name }) => name);
    const { securitySchemes } = record(document.components);
    for (const { path, method, operation } of operationsIn(document)) {
      const name = `${method} ${path}`;
      const parameters = parametersOf(document, operation);
      const inPath = parameters
        .filter(({ in: place }) => place === 'path')
        .map((parameter) => parameter.name);
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      if (inPath.join() !== wanted.join()) problems.push(`${name}: parameters of the path`);
      if (parameters.some(({ schema, name: of }) => typeof schema !== 'object' || typeof of !== 'string'))
        problems.push(`${name}: a parameter without a schema`);
      if (new Set(parameters.map((one) => one.name)).size !== parameters.length)
        problems.push(`${name}: twice`);
      if (!(operation.tags as string[]).every((tag) => tags.includes(tag))) problems.push(`${name}: tags`);
      for (const requirement of operation.security as Json[])
        for (const scheme of Object.keys(requirement))
          if (!(scheme in record(securitySchemes))) problems.push(`${name}: ${scheme}`);
      for (const [status, response] of Object.entries(record(operation.responses))) {
        if (!/^[1-5]\d\d$/.test(status)) problems.push(`${name}: ${status}`);
        if (typeof record(response).description !== 'string')
          problems.push(`${name} ${status}: no description`);
      }
    }
    expect(problems).toEqual([]);
    const ids = operationsIn(document).map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => typeof id === 'string' && /^[a-z][A-Za-z]+$/.test(id))).toBe(true);
  });

  it('has schemas of JSON Schema alone, and forbids no member that may come later', async () => {
    const { schemas } = record((await documentOf()).components);
    const types = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);
    for (const [way, schema] of objectsIn(schemas)) {
      if (way.endsWith('/properties')) continue;
      expect([way, schema.additionalProperties === false]).toEqual([way, false]);
      const named = [schema.type ?? []].flat();
      if (!way.includes('/examples/'))
        expect([way, named.every((type) => types.has(String(type)))]).toEqual([way, true]);
    }
  });

  it('names every route that is mounted, and none that is not', async () => {
    const document = await documentOf();
    const told = operationsIn(document).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    const there = mounted().map(({ method, path }) => `${method} ${path}`);
    expect(told.sort()).toEqual([...there].sort());
    const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    expect(described.sort()).toEqual(told);
  });

  it('has the bodies that the routes check', async () => {
    const document = await documentOf();
    const checked = mounted().filter(({ body }) => body !== undefined);
    expect(checked.length).toBeGreaterThan(5);
    for (const { path, method } of checked) {
      const item = record(record(document.paths)[path]);
      expect([path, record(item[method.toLowerCase()]).requestBody]).toEqual([path, expect.anything()]);
    }
    const place = record(resolve(document, '#/paths') as Json)['/v1/orders'];
    expect(place).toMatchObject({
      post: {
        requestBody: {
          content: {
            'application/json': {
              schema: {
                required: ['market_id', 'side', 'type', 'quantity'],
                properties: { side: { enum: ['buy', 'sell'] }, type: { enum: ['limit', 'market'] } },
              },
            },
          },
        },
      },
    });
  });

  it('has examples that the routes would take and give', () => {
    const bodies = new Map(mounted().map(({ method, path, body }) => [`${method} ${path}`, body]));
    let examples = 0;
    for (const { method, path, body, example, answers } of OPERATIONS) {
      const checks = Object.values(answers).map((answer) => [answer.schema, answer.example] as const);
      for (const [schema, value] of [
        [bodies.get(`${method} ${path}`) ?? body, example] as const,
        ...checks,
      ]) {
        if (value === undefined) continue;
        examples += 1;
        expect([path, schema?.safeParse(value).success]).toEqual([path, true]);
      }
    }
    expect(examples).toBeGreaterThan(5);
  });

  it('has no query parameter that its route does not know', async () => {
    const samples: Readonly<Record<string, string>> = { integer: '1', boolean: 'true', string: 'x' };
    const document = await documentOf();
    const unknown: string[] = [];
    for (const { path, operation } of operationsIn(document).filter(({ method }) => method === 'get')) {
      for (const parameter of parametersOf(document, operation)) {
        const { name, in: place, schema } = parameter as { name: string; in: string; schema: Json };
        if (place !== 'query' || name === 'next' || name === 'prev') continue;
        const value = (schema.enum as string[] | undefined)?.[0] ?? samples[String(schema.type)];
        const target = path.replaceAll(/\{\w+\}/g, SYMBOL);
        const { body } = await buyer.get(`${target}?${name}=${value}`);
        if (/not known|once each|unknown/i.test(body.errors?.message ?? '')) unknown.push(`${path} ${name}`);
      }
    }
    expect(unknown).toEqual([]);
  });
});

/** Everything that has to be there before each route can be read. */
async function trade(): Promise<{ order: string; clientOrderId: string }> {
  const units = { instrument_id: SYMBOL, quantity: 40 };
  await supplier.call('POST', '/v1/supply-issuances', { body: units });
  await supplier.call('POST', '/v1/issuance-accounts/transfer', { body: { ...units, quantity: 30 } });
  await supplier.call('POST', '/v1/supply-issuances/retire', { body: { ...units, quantity: 2 } });
  const order = { market_id: SYMBOL, type: 'limit', price: '2.5' };
  await supplier.place({ ...order, side: 'sell', quantity: 20 });
  await buyer.place({ ...order, side: 'buy', quantity: 10 });
  const clientOrderId = 'resting';
  const resting = { ...order, side: 'buy', price: '2.1', quantity: 3, client_order_id: clientOrderId };
  const { body } = await buyer.call('POST', '/v1/orders', { body: resting });
  await buyer.call('POST', '/v1/orders', { body: resting, headers: { 'x-unsigned': '1' }, timestamp: 1 });
  return { order: body.data.id, clientOrderId };
}

describe('real answers', () => {
  it('are as described, for every route of Trading', async () => {
    const { order, clientOrderId } = await trade();
    const transfer = { instrument_id: SYMBOL, quantity: 4 };
    await buyer.call('POST', '/v1/transfers/trading-to-consumption', { body: transfer });
    await buyer.call('POST', '/v1/transfers/consumption-to-trading', { body: { ...transfer, quantity: 1 } });
    await buyer.call('PUT', `/v1/orders/${order}`, { body: { price: '2.2' } });
    await buyer.call('PATCH', `/v1/orders/${order}`, { body: { quantity: 2 } });
    await buyer.call('POST', '/v1/orders/cancel-all-after', { body: { timeout_ms: 60_000 } });
    const reads = mounted().filter(
      ({ method, path }) => method === 'GET' && operationOf(method, path)?.errors === 'trading',
    );
    const ids = new Map([
      ['order_id', order],
      ['client_order_id', clientOrderId],
      ['trade_id', (await buyer.get('/v1/trades')).rows[0]!.id],
      ['reference', SYMBOL],
      ['market_id', SYMBOL],
      ['instrument_id', SYMBOL],
    ]);
    for (const { path } of reads) {
      const list = path.replace(/\/\{account_id\}.*$/, '');
      const account = path.includes('{account_id}') ? (await buyer.get(list)).rows[0]!.account_id : undefined;
      const target = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
        name === 'account_id' ? String(account) : (ids.get(name) ?? ''),
      );
      const query =
        path === '/v1/account/limits' || path === '/v1/price-histories' ? `?market_id=${SYMBOL}` : '';
      const more = path === '/v1/price-histories' ? '&resolution=1d' : '';
      const who =
        path.includes('supply') || path.includes('issuance') || path.includes('supplier') ? supplier : buyer;
      const { status } = await who.get(`${target}${query}${more}`);
      expect([path, status]).toEqual([path, 200]);
    }
    await buyer.call('DELETE', `/v1/orders/${order}`);
    await buyer.call('DELETE', `/v1/orders/${order}`, { timestamp: Math.floor(Date.now() / 1000) - 3 });
    await buyer.call('DELETE', `/v1/markets/${SYMBOL}/orders`);
    await buyer.call('DELETE', '/v1/orders');
    // What was answered was looked at on its way: nothing may be wrong, and no route of Trading may be missing.
    expect([...floor.watch.faults]).toEqual([]);
    const answered = [...floor.watch.seen]
      .filter((name) => / 20\d$/.test(name))
      .map((name) => name.slice(0, -4));
    const wanted = OPERATIONS.filter(({ errors }) => errors === 'trading').map(
      (one) => `${one.method} ${one.path}`,
    );
    expect(wanted.filter((name) => !answered.includes(name))).toEqual([]);
  });

  it('are as described, for every route of inference', async () => {
    const call = async (method: string, path: string, body?: Json): Promise<string> => {
      const template = path
        .replace(/req_\w+/, '{requestId}')
        .replace(/models\/.+/, 'models/{model}')
        .replace('resp_1', '{id}');
      const response = await fetch(`${floor.origin}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const operation = operationOf(method, template);
      if (operation === undefined) throw new Error(`${template} is not described`);
      const wanted = path.includes('resp_1') ? 404 : 200;
      expect([path, response.status, answerMisfit(operation, response.status, text)]).toEqual([
        path,
        wanted,
        undefined,
      ]);
      return response.headers.get('x-grid-request-id') ?? '';
    };
    const messages = [{ role: 'user', content: 'Say hello.' }];
    const request = await call('POST', '/v1/chat/completions', { model: SYMBOL, messages });
    await call('POST', '/v1/responses', { model: SYMBOL, input: 'Say hello.' });
    await call('POST', '/v1/messages', { model: SYMBOL, max_tokens: 100, messages });
    await call('POST', '/v1/messages/count_tokens', { model: SYMBOL, messages });
    for (const path of ['/v1/models', `/v1/models/${SYMBOL}`, '/v1/usage', `/v1/usage/${request}`])
      await call('GET', path);
    for (const group of ['', '?group_by=day', '?group_by=model'])
      expect(
        (
          await send(floor.origin, {
            method: 'GET',
            path: `/v1/usage/summary${group}`,
            headers: { authorization: `Bearer ${key}` },
          })
        ).status,
      ).toBe(200);
    await call('GET', '/v1/responses/resp_1');
    await call('DELETE', '/v1/responses/resp_1');
    await call('GET', '/v1/responses/resp_1/input_items');
    await call('POST', '/v1/responses/resp_1/cancel');
    expect([...floor.watch.faults]).toEqual([]);
  });

  it('are as described when they refuse', async () => {
    const bearer = { authorization: `Bearer ${key}` };
    const statuses: number[] = [];
    for (const { method, path } of mounted()) {
      const target = path.replaceAll(/\{\w+\}/g, 'nothing');
      for (const headers of [{}, bearer, { authorization: 'Bearer nonsense' }]) {
        const { status } = await send(floor.origin, { method, path: target, headers });
        statuses.push(status);
      }
    }
    expect(Math.max(...statuses)).toBeLessThan(500);
    expect([...floor.watch.faults]).toEqual([]);
  });

  it('survive a request line that is refused before any room', async () => {
    const { status } = await send(floor.origin, { method: 'GET', path: `/v1/models?${'a'.repeat(9_000)}` });
    expect(status).toBe(414);
    expect((await send(floor.origin, { method: 'OPTIONS', path: '/v1/nowhere' })).status).toBe(204);
    expect((await send(floor.origin, { method: 'GET', path: '/health' })).status).toBe(200);
  });
});

describe('the page to read it', () => {
  const page = async (app: FastifyInstance, url: string) => app.inject({ url });

  it('comes from this origin alone', async () => {
    const { statusCode, headers, body } = await page(floor.app, '/reference');
    expect(statusCode).toBe(200);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['content-security-policy']).not.toContain('http');
    expect(body).not.toMatch(/https?:\/\//);
    const scripts = [...body.matchAll(/src="([^"]+)"/g)].map(([, source]) => source!);
    expect(scripts).toEqual(['/reference/scalar.js', '/reference/start.js']);
    for (const script of scripts) {
      const answer = await page(floor.app, script);
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([
        200,
        'text/javascript; charset=utf-8',
      ]);
    }
    expect((await page(floor.app, '/reference/start.js')).body).not.toMatch(/https?:\/\//);
  });
});
