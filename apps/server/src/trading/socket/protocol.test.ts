import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openFloor, type TradingFloor } from '../../program/testing.ts';
import { openEmbeddedStore, type TestStore } from '../../store/testing.ts';
import { TestSocket } from './testing.ts';

let store: TestStore;
let floor: TradingFloor;

beforeAll(async () => {
  store = await openEmbeddedStore();
  floor = await openFloor(store.database, { settings: { socketsPerAddress: 20, socketMessageRate: 50 } });
});
afterAll(async () => {
  await floor.close();
  await store.close();
});

/** Status and body of an upgrade that was refused. */
async function refusal(path: string): Promise<{ status: number; body: string; requestId: unknown }> {
  const socket = new WebSocket(`${floor.origin.replace('http', 'ws')}${path}`);
  socket.on('error', () => {});
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('it was taken')));
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      const requestId = response.headers['x-grid-request-id'];
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, requestId }));
    });
  });
}

/** What the server says to bytes, until it closes or `isEnough`. */
function converse(bytes: string, isEnough: (text: string) => boolean): Promise<string> {
  const { port } = new URL(floor.origin);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on('data', (chunk) => {
      text += chunk;
      if (isEnough(text)) end();
    });
    socket.on('end', end);
    socket.on('error', reject);
  });
}

describe('upgrades', () => {
  it.each([
    '/trading_socket/websocket',
    '/trading_socket/websocket?vsn=1.0.0',
    '/ws',
    '/v1',
    '/v1/',
    '/ws?x=1',
    '/ws/',
    '/trading_socket/websocket/?vsn=1.0.0',
  ])('takes a socket at %s', async (path) => {
    const client = await TestSocket.open(floor.origin, path);
    expect(await client.join()).toMatchObject({ server_time: expect.stringMatching(/Z$/) });
    client.socket.close();
  });

  it('refuses other versions with 403 and other paths with 404, in the envelope of every error', async () => {
    for (const path of ['/ws?vsn=3.0.0', '/ws?vsn=', '/ws?vsn=1']) {
      const { status, body, requestId } = await refusal(path);
      expect(status, path).toBe(403);
      expect(JSON.parse(body).errors.code).toBe('invalid_request');
      expect(requestId).toMatch(/^req_/);
    }
    for (const path of ['/', '/v1/orders', '/ws//', '//ws', '/%', '/v2']) {
      expect((await refusal(path)).status, path).toBe(404);
    }
  });

  it('serves a request that offers another protocol as if it had not, body included', async () => {
    const body = '{"market_id":1}';
    const answer = await converse(
      `POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
        `HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
        `GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      () => false,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('missing_credentials');
    expect(answer).toContain('HTTP/1.1 200 OK');
  });

  it('leaves ordinary requests to the same paths alone', async () => {
    const status = await new Promise((resolve) => {
      request(`${floor.origin}/ws`, (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(404);
  });

  it('limits the sockets of an address that are not authenticated', async () => {
    const clients: TestSocket[] = [];
    const trader = await floor.trader();
    for (let count = 0; count < 20; count += 1) clients.push(await TestSocket.open(floor.origin));
    expect((await refusal('/ws')).status).toBe(429);
    const [first] = clients as [TestSocket];
    const { challenge } = await first.join();
    await first.call('authenticate', trader.signSocket(challenge));
    clients.push(await TestSocket.open(floor.origin));
    for (const client of clients) client.socket.close();
    await Promise.all(clients.map((client) => client.closed()));
    const after = await TestSocket.open(floor.origin);
    after.socket.close();
  });
});

describe('the channel', () => {
  it('is joined, beats and is left', async () => {
    const client = await TestSocket.open(floor.origin);
    client.sendText('{"topic":"ws:trading","event":"phx_join","payload":{},"ref":"1"}');
    await client.until(() => client.texts.length === 1);
    expect(client.texts[0]).toMatch(
      /^\{"topic":"ws:trading","event":"phx_reply","payload":\{"status":"ok","response":\{"challenge":"[0-9a-z]{16}","server_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}\},"ref":"1"\}$/,
    );
    client.sendText('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7"}');
    client.sendText('{"topic":"ws:trading","event":"phx_leave","payload":{},"ref":"8"}');
    client.sendText('{"topic":"ws:trading","event":"subscribe","payload":{},"ref":"9"}');
    await client.until(() => client.texts.length === 5);
    expect(client.texts.slice(1)).toEqual([
      '{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"7"}',
      '{"topic":"ws:trading","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"8"}',
      '{"topic":"ws:trading","event":"phx_close","payload":{},"ref":""}',
      '{"topic":"ws:trading","event":"phx_reply","payload":{"status":"error","response":{"reason":"not_joined","message":"Join the topic first."}},"ref":"9"}',
    ]);
    client.socket.close();
  });

  it('speaks arrays in version 2', async () => {
    const client = await TestSocket.open(floor.origin, '/ws?vsn=2.0.0');
    client.sendText('["4","1","ws:trading","phx_join",{}]');
    client.sendText('[null,"2","phoenix","heartbeat",{}]');
    client.sendText(
      '["4","3","ws:trading","subscribe",{"streams":[{"name":"market.trades","market":"text-prime"}],"request_id":"r"}]',
    );
    await client.until(() => client.texts.length === 3);
    expect(client.texts[0]).toMatch(/^\["4","1","ws:trading","phx_reply",\{"status":"ok",/);
    expect(client.texts.slice(1)).toEqual([
      '[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]',
      '[null,null,"ws:trading","ack",{"type":"ack","action":"subscribe","request_id":"r","status":"ok","streams":[{"name":"market.trades","market":"text-prime","subscribed":true}]}]',
    ]);
    client.sendText('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"3"}');
    await client.until(() => client.texts.length === 4);
    expect(client.texts[3]).toMatch(/^\[null,null,"ws:trading","phx_reply",\{"status":"error",/);
    client.socket.close();
  });

  it('names what it does not know', async () => {
    const client = await TestSocket.open(floor.origin);
    expect((await client.ask('authenticate')).response.reason).toBe('not_joined');
    expect((await client.ask('nonsense')).response.reason).toBe('not_joined');
    await client.join();
    expect((await client.ask('nonsense')).response.reason).toBe('unknown_event');
    client.send('phx_join', {}, 'room:lobby');
    await client.wait((frame) => frame.payload.response?.reason === 'unknown_topic');
    client.send('phx_join', {}, 'phoenix');
    await client.wait(
      (frame) => frame.topic === 'phoenix' && frame.payload.response.reason === 'unknown_event',
    );
    expect((await client.ask('order.place', {})).response.reason).toBe('unauthorized');
    expect((await client.ask('subscribe', { streams: [] })).response.reason).toBe('invalid_payload');
    client.socket.close();
  });

  it('answers the dialect of plain messages and keeps the socket', async () => {
    const client = await TestSocket.open(floor.origin);
    client.sendText('{"type":"ping"}');
    client.sendText('{"type":"subscribe","channel":"book"}');
    await client.until(() => client.texts.length === 2);
    expect(client.texts[0]).toBe('{"type":"pong"}');
    expect(client.texts[1]).toMatch(
      /^\{"type":"error","data":\{"code":"unsupported_protocol","message":"[^"]+"\}\}$/,
    );
    await client.join();
    client.socket.close();
  });

  it('ends a socket with 4400 after three frames that are none', async () => {
    const client = await TestSocket.open(floor.origin);
    client.sendText('{');
    client.sendText('[]');
    await client.until(() => client.texts.length === 2);
    await client.join();
    client.socket.send(Buffer.from('{"topic":"ws:trading","event":"phx_join","payload":{},"ref":"1"}'), {
      binary: true,
    });
    expect(await client.closed()).toBe(4400);
  });

  it('takes a frame of 64 KiB and ends a socket with 1009 for one that is larger', async () => {
    const padded = (bytes: number): string => {
      const frame = '{"topic":"phoenix","event":"heartbeat","payload":{"pad":""},"ref":"1"}';
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    };
    const client = await TestSocket.open(floor.origin);
    client.sendText(padded(65_536));
    await client.until(() => client.texts.length === 1);
    client.sendText(padded(65_537));
    expect(await client.closed()).toBe(1009);
    const bomb = await TestSocket.open(floor.origin, '/ws', { perMessageDeflate: { threshold: 0 } });
    expect(bomb.socket.extensions).toContain('permessage-deflate');
    bomb.sendText(padded(1_000_000));
    expect(await bomb.closed()).toBe(1009);
  });

  it('answers a protocol ping', async () => {
    const client = await TestSocket.open(floor.origin);
    const pong = new Promise((resolve) => client.socket.once('pong', (data) => resolve(String(data))));
    client.socket.ping('here');
    expect(await pong).toBe('here');
    client.socket.close();
  });

  it('refuses messages above the rate, and ends a socket that goes on', async () => {
    const client = await TestSocket.open(floor.origin);
    for (let count = 0; count < 600; count += 1) client.send('heartbeat', {}, 'phoenix');
    expect(await client.closed()).toBe(4429);
    const refused = client.frames.filter(({ payload }) => payload.response?.reason === 'rate_limited');
    expect(refused.length).toBeGreaterThan(100);
    expect(refused[0]).toMatchObject({ topic: 'phoenix', payload: { status: 'error' } });
  });
});
