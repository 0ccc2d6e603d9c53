import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { nowMs, waitFor } from './clock.ts';
import type {
  BehaviourChoice,
  CapturedRequest,
  Hold,
  RequestOutcome,
  SupplierBehaviour,
} from './supplier-behaviour.ts';
import { play } from './supplier-player.ts';
import { stepsOf } from './supplier-script.ts';

/** Options of {@link startFaultySupplier}; everything has a default. */
export type FaultySupplierOptions = {
  behaviour?: BehaviourChoice;
  /** Requests with another key get a 401. Default: a fixed test key. */
  apiKey?: string;
  /** What `GET /models` lists. Default one model, `double`. */
  models?: readonly string[];
  /** Default 0: any free port of the loopback interface. */
  port?: number;
};

/** A running double. `baseUrl` ends in `/v1`, without a slash behind. */
export type FaultySupplier = {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Chat requests with a valid key, in order of arrival. */
  readonly requests: readonly CapturedRequest[];
  /** What every chat request gets from now on when the queue is empty. */
  setBehaviour(behaviour: BehaviourChoice): void;
  /** What the next chat requests get, one each, before the behaviour applies again. */
  enqueue(...behaviours: BehaviourChoice[]): void;
  /** Resolves when this many chat requests have arrived in all. Throws after `timeoutMs` (10 s). */
  waitForRequests(count: number, timeoutMs?: number): Promise<void>;
  /** Stops listening and drops every connection: the port refuses until {@link acceptConnections}. */
  refuseConnections(): Promise<void>;
  acceptConnections(): Promise<void>;
  /** How many TCP connections are open now, and how many ever were. */
  openConnections(): number;
  connectionCount(): number;
  /** Ends everything, running answers included. */
  close(): Promise<void>;
};

const PATHS: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/messages', '/v1/responses']);
const defaultApiKey = 'sk-double-0123456789abcdef';

/** Starts an HTTP server that speaks all dialects of suppliers on the loopback interface and misbehaves as told. */
export async function startFaultySupplier(options: FaultySupplierOptions = {}): Promise<FaultySupplier> {
  const double = new Double(options);
  await double.listen(options.port ?? 0);
  return double;
}

type HoldWaiter = { requestsAdmitted: number; open: () => void };

class Double implements FaultySupplier {
  readonly apiKey: string;
  readonly requests: CapturedRequest[] = [];
  #models: readonly string[];
  #behaviour: BehaviourChoice;
  #queue: BehaviourChoice[] = [];
  #server: Server | undefined;
  #port = 0;
  #sockets = new Set<Socket>();
  #connectionCount = 0;
  #waiters: HoldWaiter[] = [];

  constructor(options: FaultySupplierOptions) {
    this.apiKey = options.apiKey ?? defaultApiKey;
    this.#models = options.models ?? ['double'];
    this.#behaviour = options.behaviour ?? { kind: 'answer' };
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  setBehaviour(behaviour: BehaviourChoice): void {
    this.#behaviour = behaviour;
  }

  enqueue(...behaviours: BehaviourChoice[]): void {
    this.#queue.push(...behaviours);
  }

  async waitForRequests(count: number, timeoutMs = 10_000): Promise<void> {
    await waitFor(`${count} supplier requests`, () => this.requests.length >= count, timeoutMs);
  }

  openConnections(): number {
    return this.#sockets.size;
  }

  connectionCount(): number {
    return this.#connectionCount;
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
      void this.#answer(request, response);
    });
    server.on('connection', (socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      this.#connectionCount += 1;
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1', 4096);
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async refuseConnections(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async acceptConnections(): Promise<void> {
    if (this.#server === undefined) await this.listen(this.#port);
  }

  async close(): Promise<void> {
    await this.refuseConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const bodyText = await readBody(request);
    if (bodyText === null) return;
    const isKnown =
      request.headers.authorization === `Bearer ${this.apiKey}` ||
      request.headers['x-api-key'] === this.apiKey;
    if (!isKnown) {
      sendJson(response, 401, errorObject('Incorrect API key provided', 'invalid_api_key'));
    } else if (request.method === 'GET' && path === '/v1/models') {
      const data = this.#models.map((id) => ({
        id,
        object: 'model',
        created: 1_767_225_600,
        owned_by: 'double',
      }));
      sendJson(response, 200, { object: 'list', data });
    } else if (request.method === 'POST' && PATHS.has(path)) {
      await this.#chat({ request, response, path, bodyText });
    } else {
      sendJson(response, 404, errorObject(`No route ${path}`, 'not_found'));
    }
  }

  /** The outcome is told by the response's `close`, which comes once in every case. */
  async #chat(arrival: Arrival): Promise<void> {
    const { response } = arrival;
    const leaving = new AbortController();
    let isCut = false;
    const outcome = new Promise<RequestOutcome>((resolve) => {
      response.once('close', () => {
        if (isCut || this.#server === undefined) resolve('cut');
        else if (response.writableFinished) resolve('completed');
        else {
          captured.closedByPeerAtMs = nowMs();
          resolve('peer-closed');
        }
        leaving.abort();
      });
    });
    const captured = capture(arrival, outcome);
    this.requests.push(captured);
    this.#openHolds();
    response.on('error', () => undefined);
    await play(stepsOf(this.#choose(captured), captured), {
      request: captured,
      response,
      socket: arrival.request.socket,
      signal: leaving.signal,
      opened: this.#opened,
      cutting: () => {
        isCut = true;
      },
    });
  }

  /** The queue is used up in order of arrival, not of connection. */
  #choose(request: CapturedRequest): SupplierBehaviour {
    const choice = this.#queue.shift() ?? this.#behaviour;
    return typeof choice === 'function' ? choice(request) : choice;
  }

  #opened = (hold: Hold): Promise<unknown> => {
    if (!('requestsAdmitted' in hold)) return hold.catch(() => undefined);
    return new Promise<void>((resolve) => {
      this.#waiters.push({ requestsAdmitted: hold.requestsAdmitted, open: resolve });
      this.#openHolds();
    });
  };

  #openHolds(): void {
    const ready = this.#waiters.filter((waiter) => this.requests.length >= waiter.requestsAdmitted);
    this.#waiters = this.#waiters.filter((waiter) => this.requests.length < waiter.requestsAdmitted);
    for (const waiter of ready) waiter.open();
  }
}

type Arrival = { request: IncomingMessage; response: ServerResponse; path: string; bodyText: string };

function capture({ request, path, bodyText }: Arrival, outcome: Promise<RequestOutcome>): CapturedRequest {
  return {
    method: request.method ?? '',
    path,
    headers: request.headers,
    bodyText,
    body: parseJson(bodyText),
    arrivedAtMs: nowMs(),
    closedByPeerAtMs: null,
    writeCount: 0,
    outcome,
  };
}

/** `null` when the peer left before the body was in. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorObject(message: string, code: string): unknown {
  return { error: { message, type: 'invalid_request_error', param: null, code } };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
