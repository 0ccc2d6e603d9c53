import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRequest, sendBytes, sendRequest, streamRequest } from './client.ts';
import { nowMs, waitFor } from './clock.ts';
import { SseRecorder } from './sse-recorder.ts';

type Seen = { headers: Record<string, unknown>; body: string; bodyParts: number; leftAtMs: number | null };

let server: Server;
let url = '';
let seen: Seen[] = [];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    const entry: Seen = { headers: request.headers, body: '', bodyParts: 0, leftAtMs: null };
    seen.push(entry);
    response.on('close', () => {
      if (!response.writableFinished) entry.leftAtMs = nowMs();
    });
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => {
      entry.body += part.toString();
      entry.bodyParts += 1;
    });
    request.on('end', () => {
      if (request.url === '/endless') {
        const timer = setInterval(
          () => response.write('data: {"choices":[{"delta":{"content":"x"}}]}\n\n'),
          2,
        );
        response.on('close', () => clearInterval(timer));
      } else if (request.url === '/json') response.end('{"ok":true}');
      else response.end(`${request.method}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

describe('sendRequest', () => {
  it('sends JSON with a key and reads the answer', async () => {
    const response = await sendRequest({
      url: `${url}/json`,
      key: 'k',
      body: { a: 1 },
      headers: { 'x-a': 'b' },
    });
    expect(response).toMatchObject({
      status: 200,
      json: { ok: true },
      text: '{"ok":true}',
      isComplete: true,
    });
    expect(response.endedAtMs).toBeGreaterThanOrEqual(response.firstByteAtMs ?? Number.NaN);
    expect(seen[0]).toMatchObject({ body: '{"a":1}', headers: { authorization: 'Bearer k', 'x-a': 'b' } });
  });

  it('sends what it is given as it is, and GET without a body', async () => {
    expect((await sendRequest({ url, body: '{"broken' })).text).toBe('POST');
    expect((await sendRequest({ url, body: Buffer.from([123]), method: 'PUT' })).text).toBe('PUT');
    expect((await sendRequest({ url })).text).toBe('GET');
    expect(seen.map((entry) => entry.body)).toEqual(['{"broken', '{', '']);
  });

  it('reports failures instead of throwing', async () => {
    expect(await sendRequest({ url: 'http://127.0.0.1:1/' })).toMatchObject({
      status: 0,
      failure: 'ECONNREFUSED',
    });
    const late = await sendRequest({ url: `${url}/endless`, timeoutMs: 100 });
    expect(late).toMatchObject({ status: 200, failure: 'timeout', isComplete: false });
  });
});

describe('hanging up', () => {
  it.each(['close', 'reset'] as const)('in mid-stream by %s is seen by the server', async (how) => {
    const response = await streamRequest({ url: `${url}/endless`, hangUp: { afterEvents: 3, how } });
    expect(response.sse.events.length).toBeGreaterThanOrEqual(3);
    const leftAtMs = await waitFor('the server to notice', () => seen[0]?.leftAtMs);
    expect(leftAtMs).toBeGreaterThanOrEqual(response.hungUpAtMs ?? Number.NaN);
    expect(response.isComplete).toBe(false);
  });

  it.each(['close', 'reset'] as const)('in the middle of the request body by %s', async (how) => {
    const open = openRequest({ url, method: 'POST', headers: { 'content-length': '100' } });
    await open.write('{"half":');
    await waitFor('half a body', () => seen[0]?.body === '{"half":');
    open.hangUp(how);
    await waitFor('the server to notice', () => seen[0]?.leftAtMs);
  });

  it('is up to the caller: a body in parts can also be ended', async () => {
    const open = openRequest({ url, method: 'POST', key: 'k' });
    await open.write('one ');
    await waitFor('the first part', () => seen[0]?.bodyParts === 1);
    await open.write('two');
    open.end();
    const [response] = await once(open.call, 'response');
    expect(response.statusCode).toBe(200);
    expect(seen[0]).toMatchObject({ body: 'one two', headers: { authorization: 'Bearer k' } });
  });
});

describe('sendBytes', () => {
  it('sends what no client would', async () => {
    expect(await sendBytes({ url, parts: ['GET / HTTP/1.1\r\nHost: x\r\n', '\r\n'] })).toContain('200 OK');
    expect(await sendBytes({ url, parts: ['NONSENSE\r\n\r\n'] })).toContain('400 Bad Request');
    expect(await sendBytes({ url: 'http://127.0.0.1:1', parts: ['x'] })).toBe('');
  });
});

describe('the recorder of events', () => {
  const wire =
    ': hi\r\n\r\ndata: {"choices":[{"delta":{"content":"é"}}]}\n\n' +
    'event: ping\ndata: a\ndata:b\n\ndata: [DONE]\n\n';

  it.each([1, 2, 3, 7, 1000])('reads the same in pieces of %i bytes', (size) => {
    const recorder = new SseRecorder(() => 5);
    const bytes = Buffer.from(wire);
    for (let at = 0; at < bytes.length; at += size) recorder.push(bytes.subarray(at, at + size));
    expect(recorder.events).toMatchObject([
      { name: null, json: { choices: [{ delta: { content: 'é' } }] }, atMs: 5 },
      { name: 'ping', data: 'a\nb', json: undefined },
      { data: '[DONE]' },
    ]);
    expect(recorder).toMatchObject({ comments: ['hi'], sawDone: true, text: 'é', unfinished: '' });
    expect(recorder.oddLines).toEqual(['event: ping', 'data:b']);
  });

  it('takes no event that was not ended', () => {
    const recorder = new SseRecorder(() => 0);
    recorder.push(Buffer.from('data: {"a":1}\n\ndata: [DONE]\n'));
    expect(recorder.events).toHaveLength(1);
    expect(recorder).toMatchObject({ sawDone: false, unfinished: '[DONE]' });
    recorder.push(Buffer.from('data: x [DONE]\n\n'));
    expect(recorder.sawDone).toBe(false);
  });
});
