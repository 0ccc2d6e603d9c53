import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { CapturedRequest } from './supplier-behaviour.ts';
import { chatEvents, chatJson } from './supplier-chat.ts';

/** Options of {@link startBenchSupplier}. */
export type BenchSupplierOptions = {
  /** Default 0: any free port of the loopback interface. */
  port?: number;
  /** Content chunks of a stream. Default 20. */
  chunkCount?: number;
  /** `together` (default): a stream is one system call. `apart`: every event is a write and a packet. */
  writes?: 'together' | 'apart';
};

/** A running benchmark upstream. */
export type BenchSupplier = { readonly baseUrl: string; requestCount(): number; close(): Promise<void> };

/** Complete responses, heads included, ready for the socket. */
type Answers = { json: Buffer; stream: Buffer; streamWrites: Buffer[] };

const headEnd = Buffer.from('\r\n\r\n');
const streamAsked = /"stream"\s*:\s*true/;

/**
 * An upstream that costs as little as possible, so that a benchmark measures what stands before it:
 * answers are made once, requests are only framed, neither keys nor routes are looked at. Usage is always reported.
 * It understands requests with `Content-Length` and with chunked bodies.
 */
export async function startBenchSupplier(options: BenchSupplierOptions = {}): Promise<BenchSupplier> {
  const prepared = new Map<number, Answers>();
  const answersFor = (body: Buffer): Answers => {
    const promptTokens = promptTokensOf(body);
    let answers = prepared.get(promptTokens);
    if (answers === undefined) {
      answers = makeAnswers(options.chunkCount ?? 20, promptTokens);
      prepared.set(promptTokens, answers);
    }
    return answers;
  };
  const sockets = new Set<Socket>();
  const counter = { requests: 0 };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket, (body) => {
      counter.requests += 1;
      answer(socket, { body, answers: answersFor(body), writes: options.writes ?? 'together' });
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1', 4096);
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requestCount: () => counter.requests,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

type Asked = { body: Buffer; answers: Answers; writes: 'together' | 'apart' };

function answer(socket: Socket, { body, answers, writes }: Asked): void {
  if (!streamAsked.test(body.toString('latin1'))) socket.write(answers.json);
  else if (writes === 'together') socket.write(answers.stream);
  else writeApart(socket, answers.streamWrites, 0);
}

/** One event a turn of the loop: a relay in front then sees as many packets as events. */
function writeApart(socket: Socket, writes: Buffer[], index: number): void {
  const bytes = writes[index];
  if (bytes === undefined || socket.destroyed) return;
  socket.write(bytes);
  setImmediate(() => writeApart(socket, writes, index + 1));
}

/** Calls back with the body of every complete request, in order. */
function serve(socket: Socket, onRequest: (body: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    for (;;) {
      const request = cutRequest(pending);
      if (request === undefined) return;
      pending = pending.subarray(request.size);
      onRequest(request.body);
    }
  });
}

function cutRequest(bytes: Buffer): { size: number; body: Buffer } | undefined {
  const headSize = bytes.indexOf(headEnd);
  if (headSize < 0) return undefined;
  const head = bytes.toString('latin1', 0, headSize).toLowerCase();
  const bodyStart = headSize + headEnd.length;
  if (head.includes('\r\ntransfer-encoding: chunked')) return cutChunked(bytes, bodyStart);
  const size = bodyStart + Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0);
  if (bytes.length < size) return undefined;
  return { size, body: bytes.subarray(bodyStart, size) };
}

/** The framing stays in the body: it does not disturb the one question asked of it. */
function cutChunked(bytes: Buffer, bodyStart: number): { size: number; body: Buffer } | undefined {
  let at = bodyStart;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const chunkSize = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2 + chunkSize + 2;
    if (bytes.length < at) return undefined;
    if (chunkSize === 0) return { size: at, body: bytes.subarray(bodyStart, at) };
  }
}

/** What a tokenizer would say of prose in a body of this size, near enough for a bill to pass. */
function promptTokensOf(body: Buffer): number {
  const ENVELOPE_BYTES = 170;
  const BYTES_PER_TOKEN = 4.3;
  return Math.max(9, Math.round((body.length - ENVELOPE_BYTES) / BYTES_PER_TOKEN));
}

function makeAnswers(chunkCount: number, promptTokens: number): Answers {
  const request = {
    path: '/v1/chat/completions',
    body: { model: 'bench', stream: true },
  } as unknown as CapturedRequest;
  const options = { chunkCount, usage: { promptTokens, completionTokens: chunkCount } };
  const body = Buffer.from(JSON.stringify(chatJson(options, request)));
  const events = chatEvents(options, request);
  const all = [...events.opening, ...events.content, ...events.finish, ...events.usage, ...events.closing];
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  const size = `content-length: ${body.length}`;
  const jsonHead = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${size}\r\n\r\n`;
  const frames = all.map((event) => `data: ${event}\n\n`);
  const chunks = frames.map((frame) => `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`);
  const streamWrites = [head, ...chunks, '0\r\n\r\n'].map((text) => Buffer.from(text));
  return {
    json: Buffer.concat([Buffer.from(jsonHead), body]),
    stream: Buffer.concat(streamWrites),
    streamWrites,
  };
}
