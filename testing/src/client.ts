import { once } from 'node:events';
import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from 'node:http';
import { connect } from 'node:net';
import { nowMs } from './clock.ts';
import { SseRecorder } from './sse-recorder.ts';

/** A request of the raw client. Without an `agent` every request has a connection of its own. */
export type RawRequest = {
  url: string;
  /** Default `POST` with a body, else `GET`. */
  method?: string;
  headers?: Record<string, string>;
  /** Sent as `Authorization: Bearer`. */
  key?: string;
  /** Objects are sent as JSON; strings and buffers as they are. */
  body?: unknown;
  agent?: Agent;
  /** Default 30 s, for the whole exchange. Ends as `failure: 'timeout'`. */
  timeoutMs?: number;
};

/** Everything one can know of an answer. Times are as in {@link nowMs}. */
export type RawResponse = {
  /** 0 when no status line arrived. */
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body, `undefined` when it is not JSON. */
  json: unknown;
  /** Whether the body arrived to its HTTP end. */
  isComplete: boolean;
  /** Node's error code (`ECONNRESET`, …), `timeout`, or `null`. */
  failure: string | null;
  startedAtMs: number;
  firstByteAtMs: number | null;
  endedAtMs: number;
};

const defaultTimeoutMs = 30_000;

/** Sends a request and collects the answer. Network failures are part of the result: it never rejects. */
export async function sendRequest(options: RawRequest): Promise<RawResponse> {
  const parts: Buffer[] = [];
  const exchange = await runExchange(options, (bytes) => void parts.push(bytes));
  const text = Buffer.concat(parts).toString('utf8');
  return { ...exchange, text, json: parseJson(text) };
}

/** A streamed answer. `hungUpAtMs` is set when the client left on purpose. */
export type StreamResponse = RawResponse & { sse: SseRecorder; hungUpAtMs: number | null };

/** When a streaming client leaves, and how: `reset` (TCP reset) or `close` (FIN). */
export type HangUp = { afterEvents: number; how?: 'reset' | 'close' };

/** Sends a request and records its Server-Sent Events, up to the end or to the hang-up. Never rejects. */
export async function streamRequest(options: RawRequest & { hangUp?: HangUp }): Promise<StreamResponse> {
  const { hangUp } = options;
  const parts: Buffer[] = [];
  const sse = new SseRecorder(nowMs);
  let hungUpAtMs: number | null = null;
  const exchange = await runExchange(options, (bytes, call) => {
    if (hungUpAtMs !== null) return;
    parts.push(bytes);
    sse.push(bytes);
    if (hangUp === undefined || sse.events.length < hangUp.afterEvents) return;
    hungUpAtMs = nowMs();
    if (hangUp.how === 'reset') call.socket?.resetAndDestroy();
    else call.destroy();
  });
  const text = Buffer.concat(parts).toString('utf8');
  return { ...exchange, text, json: parseJson(text), sse, hungUpAtMs };
}

type Exchange = Omit<RawResponse, 'text' | 'json'>;
type OnBytes = (bytes: Buffer, call: ClientRequest) => void;

async function runExchange(options: RawRequest, onBytes: OnBytes): Promise<Exchange> {
  const exchange: Exchange = {
    status: 0,
    headers: {},
    isComplete: false,
    failure: null,
    startedAtMs: nowMs(),
    firstByteAtMs: null,
    endedAtMs: 0,
  };
  const { call } = openRequest(options);
  const timer = setTimeout(() => {
    exchange.failure = 'timeout';
    call.destroy();
  }, options.timeoutMs ?? defaultTimeoutMs);
  try {
    const response = await responseOf(call);
    exchange.status = response.statusCode ?? 0;
    exchange.headers = response.headers;
    for await (const bytes of response) {
      exchange.firstByteAtMs ??= nowMs();
      onBytes(bytes as Buffer, call);
    }
    exchange.isComplete = response.complete;
  } catch (error) {
    exchange.failure ??= errorCode(error);
  }
  clearTimeout(timer);
  exchange.endedAtMs = nowMs();
  return exchange;
}

function responseOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve);
    call.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    call.once('error', reject);
  });
}

function errorCode(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : 'unknown';
}

/** A request whose body the test sends piece by piece. */
export type OpenRequest = {
  call: ClientRequest;
  /** Writes a part of the body. Resolves when it was handed to the kernel. */
  write(part: string | Buffer): Promise<void>;
  end(): void;
  /** Leaves: `close` destroys the connection, `reset` sends a TCP reset. */
  hangUp(how?: 'reset' | 'close'): void;
};

/** Opens a request. With a `body` it is sent and ended at once; without one the caller writes and ends it. */
export function openRequest(options: RawRequest): OpenRequest {
  const bytes = bodyBytes(options.body);
  const method = options.method ?? (bytes === undefined ? 'GET' : 'POST');
  const headers: Record<string, string> = {};
  if (bytes !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(bytes.length);
  }
  if (options.key !== undefined) headers.authorization = `Bearer ${options.key}`;
  const agent = options.agent ?? false;
  const call = request(options.url, { method, agent, headers: { ...headers, ...options.headers } });
  // Failures are read from the answer; without a listener a reset would be an uncaught exception.
  call.on('error', () => undefined);
  if (bytes !== undefined || method === 'GET') call.end(bytes);
  return {
    call,
    write: (part) => new Promise((resolve) => call.write(part, () => resolve())),
    end: () => void call.end(),
    hangUp: (how = 'close') => {
      if (how === 'reset') call.socket?.resetAndDestroy();
      else call.destroy();
    },
  };
}

function bodyBytes(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Writes bytes to a TCP port as they are, for what no HTTP client would send, and returns what came back
 * until the other side closed or nothing came for `quietMs` (300 ms).
 */
export async function sendBytes(options: {
  url: string;
  parts: readonly (string | Buffer)[];
  quietMs?: number;
}): Promise<string> {
  const { hostname, port } = new URL(options.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const received: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  socket.on('error', () => undefined);
  socket.setTimeout(options.quietMs ?? 300, () => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', () => resolve());
  });
  for (const part of options.parts) socket.write(part);
  if (!socket.destroyed) await once(socket, 'close');
  return Buffer.concat(received).toString('latin1');
}
