import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestEvent } from '../ports/telemetry.ts';
import { silentTelemetry } from '../sequencer/testing.ts';
import { closeHttpApp, createHttpApp } from './http-app.ts';

const ID = /^x-grid-request-id: req_[0-9a-hjkmnp-tv-z]{26}\r$/m;

let app: FastifyInstance;
let events: RequestEvent[];
let sockets: Socket[];

beforeEach(async () => {
  events = [];
  sockets = [];
  app = createHttpApp({ ...silentTelemetry, request: (event) => void events.push(event) });
  app.get('/hello', async () => 'hello');
  app.get('/v1/usage/:id', async () => 'a receipt');
  app.post('/echo', async (request) => request.body);
  await app.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
});

function open(): Socket {
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** Sends the text and reads until the server closes or the end of the last expected answer is there. */
function converse(text: string, lastWords = '}'): Promise<string> {
  return new Promise((resolve) => {
    const socket = open();
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith(lastWords)) resolve(received);
    });
    socket.on('close', () => resolve(received));
    socket.write(text);
  });
}

describe('requests that no route sees', () => {
  it.each([
    ['a path with broken percent-encoding', 'GET /v1/usage/%E0%A4%A HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a request line above 8 KiB', `GET /hello?${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414],
    ['a request line above 8 KiB to nowhere', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414],
    ['no Host header', 'GET /hello HTTP/1.1\r\n\r\n', 400],
    ['an expectation', 'GET /hello HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n', 417],
    ['headers above 32 KiB', `GET /hello HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s: JSON with a request id', async (_what, text, status) => {
    const received = await converse(text);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received).toMatch(ID);
    expect(received).toMatch(/^content-type: application\/json; charset=utf-8\r$/m);
    expect(() => JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4))).not.toThrow();
  });

  it('leaves HTTP/1.0 without a Host header alone', async () => {
    expect(await converse('GET /hello HTTP/1.0\r\n\r\n', 'hello')).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('the request log', () => {
  it('has the bytes of each answer, not those of all answers of a connection', async () => {
    const request = 'GET /hello HTTP/1.1\r\nHost: x\r\n\r\n';
    await converse(`${request}${request}GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, '\0');
    expect(events.map(({ bytesOut }) => bytesOut)).toEqual([5, 5, 5]);
  });
});

describe('the end', () => {
  it('does not wait for a client that never finishes its request', async () => {
    const silent = open();
    const ended = new Promise((resolve) => silent.once('close', resolve));
    await new Promise<void>((resolve) => silent.write('POST /echo HTTP/1.1\r\nHost: x\r\n', () => resolve()));
    await converse('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n', 'hello');
    await closeHttpApp(app, 50);
    await ended;
    expect(app.server.listening).toBe(false);
  });
});
