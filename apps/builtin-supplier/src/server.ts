import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Completer } from './completion.ts';
import { readJson } from './http/body.ts';
import { type ChatRequest, contextExceeded, parseChatRequest } from './http/chat-request.ts';
import { ChatResponse } from './http/chat-response.ts';
import { deliverStream, deliverWhole } from './http/delivery.ts';
import * as errors from './http/errors.ts';
import { loadTable, MODEL_FILE } from './model/table.ts';
import { TextWriter } from './model/writer.ts';
import { CONTEXT_TOKENS, MODEL_CARD, MODEL_ID } from './model-card.ts';
import { loadTokenizer, type Tokenizer } from './tokens.ts';

/** How to run the supplier. */
export type BuiltinSupplierOptions = {
  /** What clients must send as their bearer key. */
  apiKey: string;
  /** Speed of each answer; 0 sends as fast as the machine allows. 200 when absent. */
  tokensPerSecond?: number;
  /** `127.0.0.1` when absent. */
  host?: string;
  /** A free port when 0 or absent. */
  port?: number;
  /** Requests answered at the same time; more get 429. 256 when absent. */
  maxConcurrency?: number;
  /** Largest request body; 2 MiB when absent. */
  bodyLimitBytes?: number;
};

/** Numbers about a running supplier; none of them tells what was asked or answered. */
export type BuiltinSupplierStats = {
  activeRequests: number;
  generatedTokens: number;
  /** Requests that ended in an internal error. */
  failures: number;
};

/** A supplier that listens in this thread. */
export type BuiltinSupplierServer = {
  /** Where `/chat/completions` and `/models` are, for example `http://127.0.0.1:41234/v1`. */
  baseUrl: string;
  apiKey: string;
  stats(): BuiltinSupplierStats;
  /** Ends all requests and frees the port. */
  close(): Promise<void>;
};

const TOKENS_PER_SECOND = 200;
const MAX_CONCURRENCY = 256;
const BODY_LIMIT_BYTES = 2 * 1_024 * 1_024;
// Longer than the idle time of common client pools, so that it is the client who closes an idle connection.
const KEEP_ALIVE_MS = 75_000;
// Clients differ in whether they encode the slash of the id.
const MODEL_PATHS = new Set([`/v1/models/${MODEL_ID}`, `/v1/models/${encodeURIComponent(MODEL_ID)}`]);

/** Loads the model and listens. Rejects when the port is taken or the model file is damaged. */
export async function createBuiltinSupplierServer(
  options: BuiltinSupplierOptions,
): Promise<BuiltinSupplierServer> {
  const supplier = new Supplier(options);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void supplier.handle(request, response);
  });
  const host = options.host ?? '127.0.0.1';
  await listen(server, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`,
    apiKey: options.apiKey,
    stats: () => ({ ...supplier.stats }),
    close: () => close(server),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

class Supplier {
  readonly stats: BuiltinSupplierStats = { activeRequests: 0, generatedTokens: 0, failures: 0 };
  readonly #options: Required<
    Pick<BuiltinSupplierOptions, 'tokensPerSecond' | 'maxConcurrency' | 'bodyLimitBytes'>
  >;
  readonly #keyDigest: Buffer;
  readonly #writer: TextWriter;
  readonly #fingerprint: string;
  #completer: Completer | undefined;

  constructor(options: BuiltinSupplierOptions) {
    this.#options = {
      tokensPerSecond: options.tokensPerSecond ?? TOKENS_PER_SECOND,
      maxConcurrency: options.maxConcurrency ?? MAX_CONCURRENCY,
      bodyLimitBytes: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    };
    this.#keyDigest = digest(options.apiKey);
    this.#writer = new TextWriter(loadTable());
    this.#fingerprint = `ngram_${digest(readFileSync(MODEL_FILE)).toString('hex').slice(0, 10)}`;
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-request-id', randomUUID());
    try {
      await this.#route(request, response);
    } catch {
      // The error may quote the request, so only its number survives. A client that hung up is no failure.
      if (request.destroyed && !request.complete) return;
      this.stats.failures++;
      if (response.headersSent) response.destroy();
      else refuse(response, errors.INTERNAL_ERROR);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    if (path === '/health')
      return this.#get(request, response, { status: 'ok', model: MODEL_ID, ...this.#health() });
    if (!this.#knowsKey(request)) return refuse(response, errors.INVALID_KEY);
    if (path === '/v1/models') return this.#get(request, response, { object: 'list', data: [MODEL_CARD] });
    if (MODEL_PATHS.has(path)) return this.#get(request, response, MODEL_CARD);
    if (path !== '/v1/chat/completions') return refuse(response, errors.NOT_FOUND);
    if (request.method !== 'POST') return refuseMethod(response, 'POST');
    if (this.stats.activeRequests >= this.#options.maxConcurrency)
      return refuse(response, errors.TOO_MANY_REQUESTS);
    this.stats.activeRequests++;
    try {
      await this.#chat(request, response);
    } finally {
      this.stats.activeRequests--;
    }
  }

  #get(request: IncomingMessage, response: ServerResponse, body: object): void {
    if (request.method !== 'GET') refuseMethod(response, 'GET');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #health(): object {
    const { activeRequests, generatedTokens, failures } = this.stats;
    return { active_requests: activeRequests, generated_tokens: generatedTokens, failures };
  }

  #knowsKey(request: IncomingMessage): boolean {
    const match = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '');
    return match !== null && timingSafeEqual(digest(match[1]!), this.#keyDigest);
  }

  async #chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readJson(request, this.#options.bodyLimitBytes);
    if ('error' in read) return refuse(response, read.error);
    const parsed = parseChatRequest(read.body);
    if ('error' in parsed) return refuse(response, parsed.error);
    const tokenizer = await loadTokenizer();
    const promptTokens = parsed.request.texts.reduce((sum, text) => sum + tokenizer.count(text), 0);
    if (promptTokens > CONTEXT_TOKENS) return refuse(response, contextExceeded());
    await this.#answer(response, parsed.request, { promptTokens, completer: this.#completerWith(tokenizer) });
  }

  #completerWith(tokenizer: Tokenizer): Completer {
    this.#completer ??= new Completer(this.#writer, tokenizer);
    return this.#completer;
  }

  async #answer(
    response: ServerResponse,
    request: ChatRequest,
    { promptTokens, completer }: { promptTokens: number; completer: Completer },
  ): Promise<void> {
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    const delivery = {
      response,
      shape: new ChatResponse(this.#fingerprint),
      pieces: completer.complete(request.completion),
      promptTokens,
      tokensPerSecond: this.#options.tokensPerSecond,
      signal: leaving.signal,
      onTokens: (tokens: number) => {
        this.stats.generatedTokens += tokens;
      },
    };
    if (request.delivery === 'stream') await deliverStream(delivery, request.usageInStream);
    else await deliverWhole(delivery);
  }
}

function digest(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function refuseMethod(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed);
  refuse(response, errors.WRONG_METHOD);
}

/** Sends an error. The connection is closed with it when part of the request is still unread. */
function refuse(response: ServerResponse, error: errors.ApiError): void {
  if (!response.req.complete) response.setHeader('connection', 'close');
  if (error.status === 429) response.setHeader('retry-after', '1');
  response.writeHead(error.status, { 'content-type': 'application/json' });
  response.end(errors.errorBody(error));
}
