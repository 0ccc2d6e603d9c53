import { type FaultySupplier, sendRequest, startFaultySupplier, waitFor } from '@opengrid/testing';
import { gridError } from '@opengrid/wire';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BUYER,
  endpointOf,
  giveUnits,
  INSTRUMENT_NO,
  KEY,
  openMarket,
  startWorld,
  type World,
  type WorldOptions,
} from './testing.ts';

let supplier: FaultySupplier;
let world: World;

async function start(options: WorldOptions = {}): Promise<void> {
  world = await startWorld({ endpoints: [endpointOf(supplier)], ...options });
  await openMarket(world.sequencer);
  await giveUnits(world.sequencer, 1);
}

beforeEach(async () => {
  supplier = await startFaultySupplier();
});

afterEach(async () => {
  await world.close();
  await supplier.close();
});

const body = { model: 'text-standard', messages: [{ role: 'user', content: 'How is the market today?' }] };
const held = () => world.sequencer.earmarks.heldTokens(BUYER, INSTRUMENT_NO);

async function firstHop(fields: Record<string, unknown> = {}) {
  const response = await fetch(`${world.url}/v1/chat/completions`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'x-grid-routing': 'redirect',
    },
    body: JSON.stringify({ ...body, ...fields }),
  });
  const requestId = response.headers.get('x-grid-request-id');
  return { status: response.status, location: response.headers.get('location') ?? '', requestId, response };
}

/** Whatever credential a second hop carries, it is not looked at. */
function secondHop(location: string, fields: Record<string, unknown> = {}) {
  return sendRequest({ url: location, key: 'something-unrelated', body: { ...body, ...fields } });
}

const codeOf = (answer: { json: unknown }) =>
  (answer.json as { error?: { code: string } } | undefined)?.error?.code;

describe('a request that is sent on', () => {
  it('holds at the first hop, is served at the second, and carries one id', async () => {
    await start();
    const hop = await firstHop();
    expect([hop.status, await hop.response.text()]).toEqual([307, '']);
    expect(hop.response.headers.get('cache-control')).toBe('no-store');
    expect(hop.location.startsWith(`${world.url}/v1/chat/completions?token=`)).toBe(true);
    expect([held() > 0, supplier.requests.length]).toEqual([true, 0]);
    const answer = await secondHop(hop.location);
    expect([answer.status, answer.headers['x-grid-request-id']]).toEqual([200, hop.requestId]);
    expect(world.sequencer.settlements.map(({ receipt }) => receipt.requestId)).toEqual([hop.requestId]);
    expect([held(), world.sequencer.settledTokens()]).toEqual([0, 28]);
    expect(codeOf(await secondHop(hop.location))).toBe('routing_token_invalid');
  });

  it('works through the official client, which follows the redirect', async () => {
    await start({ settings: { routingMode: 'redirect' } });
    const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: KEY, maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'text-standard',
      messages: [{ role: 'user', content: 'How is the market today?' }],
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text.split(' ')).toHaveLength(20);
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({ isStream: true, status: 'reconciled' });
  });

  it('is only for what was asked: another body length, a forged token and another account get nothing', async () => {
    await start();
    const { location } = await firstHop();
    expect(codeOf(await secondHop(location, { max_tokens: 5 }))).toBe('routing_token_invalid');
    const forged = `${location.slice(0, -4)}AAAA`;
    expect(codeOf(await secondHop(forged))).toBe('routing_token_invalid');
    expect(codeOf(await secondHop(`${world.url}/v1/chat/completions?token=a.b.c`))).toBe(
      'routing_token_invalid',
    );
    expect((await secondHop(location)).status).toBe(200);
  });

  it('is refused when its key was revoked between the hops', async () => {
    await start();
    const { location } = await firstHop();
    world.refusals.set(KEY, gridError('api_key_revoked'));
    expect(codeOf(await secondHop(location))).toBe('api_key_revoked');
    world.refusals.clear();
    expect((await secondHop(location)).status).toBe(200);
  });

  it('may be repeated after a supplier failed, and settles once', async () => {
    await start();
    const { location, requestId } = await firstHop();
    supplier.setBehaviour({ kind: 'error', status: 500 });
    const failed = await secondHop(location);
    expect([failed.status, codeOf(failed)]).toEqual([502, 'upstream_error']);
    expect(world.sequencer.settlements).toHaveLength(0);
    supplier.setBehaviour({ kind: 'answer' });
    expect((await secondHop(location)).status).toBe(200);
    expect(world.sequencer.settlements.map(({ receipt }) => [receipt.requestId, receipt.status])).toEqual([
      [requestId, 'reconciled'],
    ]);
  });

  it('that nobody claims gives its hold back and leaves an unbilled receipt', async () => {
    await start({ settings: { routingTokenMs: 50 } });
    const { location, requestId } = await firstHop();
    await waitFor('the receipt', () => world.sequencer.settlements.length === 1);
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({
      requestId,
      status: 'error',
      errorCode: 'routing_abandoned',
    });
    expect([held(), world.sequencer.settledTokens()]).toEqual([0, 0]);
    expect(codeOf(await secondHop(location))).toBe('routing_token_invalid');
  });

  it('has the error of its last second hop on its receipt when it is not repeated', async () => {
    await start({ settings: { routingTokenMs: 200 } });
    supplier.setBehaviour({ kind: 'error', status: 500 });
    const { location } = await firstHop();
    await secondHop(location);
    await waitFor('the receipt', () => world.sequencer.settlements.length === 1);
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({ errorCode: 'upstream_error' });
    expect(held()).toBe(0);
  });

  it('is ended when the program stops between the hops', async () => {
    await start();
    await firstHop();
    await world.room.drain(0);
    expect(world.sequencer.settlements[0]?.receipt).toMatchObject({ errorCode: 'routing_abandoned' });
  });
});

describe('the routing mode', () => {
  const modes: [name: string, headers: Record<string, string>, options: WorldOptions, status: number][] = [
    ['is direct by default', {}, {}, 200],
    ['follows the installation', {}, { settings: { routingMode: 'redirect' } }, 307],
    ['follows the key before that', {}, { caller: { routingMode: 'redirect' } }, 307],
    [
      'follows the header first',
      { 'x-grid-routing': 'direct' },
      { caller: { routingMode: 'redirect' } },
      200,
    ],
    ['must be a mode', { 'x-grid-routing': 'both' }, {}, 400],
    [
      'auto sends older clients on',
      { 'user-agent': 'axios/1.7' },
      { settings: { routingMode: 'auto' } },
      307,
    ],
    ['auto answers others itself', { 'user-agent': 'OpenAI/JS' }, { settings: { routingMode: 'auto' } }, 200],
  ];
  it.each(modes)('%s', async (_name, headers, options, status) => {
    await start(options);
    const response = await fetch(`${world.url}/v1/chat/completions`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...body, stream: true }),
    });
    await response.text();
    expect(response.status).toBe(status);
  });
});

it('is for chat completions only: other surfaces answer themselves, whatever is asked of them', async () => {
  await start({ settings: { routingMode: 'redirect' }, caller: { routingMode: 'redirect' } });
  const { model, messages } = body;
  const asked = [
    ['messages', { model, messages, max_tokens: 100 }],
    ['responses', { model, input: 'How is the market today?' }],
    ['messages/count_tokens', { model, messages }],
  ] as const;
  for (const [path, fields] of asked) {
    const url = `${world.url}/v1/${path}?token=mine`;
    const headers = { 'x-grid-routing': 'redirect' };
    const answer = await sendRequest({ url, key: KEY, headers, body: fields });
    expect([path, answer.status]).toEqual([path, 200]);
  }
});
