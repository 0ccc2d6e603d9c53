import {
  ApiError,
  ConnectionError,
  InvalidResponseError,
  TimeoutError,
  UserAbortError,
} from '../core/error.ts';
import type { ServerClock } from './clock.ts';
import { type Credentials, credentialHeaders, type Wanted } from './credentials.ts';
import { apiErrorFrom } from './error-body.ts';
import { queryString } from './query.ts';
import { isRetryable, type Repetition, retryDelayMs } from './retry.ts';
import { sleep } from './sleep.ts';

/** Settings that one call may override. */
export type RequestOptions = {
  /** Ends the call with `UserAbortError`. */
  signal?: AbortSignal | undefined;
  /** Longest time of one attempt, answer read to its end included. */
  timeoutMs?: number | undefined;
  /** How often a call is repeated after a failure that may pass. */
  maxRetries?: number | undefined;
};

/** How a `Transport` reaches its server. */
export type TransportOptions = {
  /** Scheme, host and port, no trailing slash. */
  origin: string;
  credentials: Credentials;
  clock: ServerClock;
  timeoutMs: number;
  maxRetries: number;
  fetch: typeof globalThis.fetch;
};

/** One request, before retries. */
export type Call = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind the origin, `/v1` included. */
  path: string;
  query?: object | undefined;
  /** Sent as JSON; without it the request has no body. */
  body?: object | undefined;
  /** Default `bearer`. */
  wants?: Wanted | undefined;
  /** Default: `read` for GET, else `risky`. */
  repetition?: Repetition | undefined;
  idempotencyKey?: string | undefined;
  options?: RequestOptions | undefined;
};

type Prepared = {
  method: string;
  url: string;
  body: string;
  wants: Wanted;
  repetition: Repetition;
  idempotencyKey: string | undefined;
  options: RequestOptions;
};

type Outcome = { ok: true; body: unknown } | { ok: false; error: Error; retryable: boolean };

const unanswered = { status: null, code: null, shouldRetry: null, retryAfterSeconds: null };

/** Sends requests: credential, deadline, retries and errors live here and nowhere else. */
export class Transport {
  // Private names keep credentials out of util.inspect, JSON and a console that prints the client.
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Reads one public path. @returns the parsed JSON body of a 2xx answer, envelope included */
  async get<Body>(path: string, query?: object, options: RequestOptions = {}): Promise<Body> {
    return await this.send<Body>({ method: 'GET', path, query, options });
  }

  /**
   * Sends one request and repeats it where that is safe.
   * @returns the parsed JSON body of a 2xx answer, envelope included; null when the answer has none
   * @throws ApiError, ConnectionError, TimeoutError, UserAbortError or InvalidResponseError
   */
  async send<Body>(call: Call): Promise<Body> {
    const prepared = this.#prepare(call);
    const { signal } = prepared.options;
    const maxRetries = prepared.options.maxRetries ?? this.#options.maxRetries;
    let canLearnTime = true;
    for (let retryIndex = 0; ; ) {
      if (signal?.aborted) throw new UserAbortError('The request was aborted.');
      const outcome = await this.#attempt(prepared);
      if (outcome.ok) return outcome.body as Body;
      if (canLearnTime && this.#hasLearntTime(outcome.error)) {
        canLearnTime = false;
        continue;
      }
      if (!outcome.retryable || retryIndex >= maxRetries) throw outcome.error;
      const retryAfterSeconds = outcome.error instanceof ApiError ? outcome.error.retryAfterSeconds : null;
      await sleep(retryDelayMs(retryIndex, retryAfterSeconds), signal);
      retryIndex += 1;
    }
  }

  #prepare(call: Call): Prepared {
    const { method, path, query, body, idempotencyKey } = call;
    return {
      method,
      url: `${this.#options.origin}${path}${queryString(query)}`,
      body: body === undefined ? '' : JSON.stringify(body),
      wants: call.wants ?? 'bearer',
      repetition: call.repetition ?? (method === 'GET' ? 'read' : 'risky'),
      idempotencyKey,
      options: call.options ?? {},
    };
  }

  /** A clock that is off is set by the server's once; the request was refused, so it may be signed and sent again. */
  #hasLearntTime(error: Error): boolean {
    if (!(error instanceof ApiError) || error.code !== 'timestamp_expired') return false;
    return this.#options.clock.learn(error.serverTime);
  }

  async #attempt(call: Prepared): Promise<Outcome> {
    const timeoutMs = call.options.timeoutMs ?? this.#options.timeoutMs;
    // Outside of the attempt's own errors: a signer that fails is no connection that fails.
    const credential = await credentialHeaders(call, this.#options);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const signals = [deadline.signal, call.options.signal].filter((signal) => signal !== undefined);
    try {
      const init = this.#init(call, { credential, signal: AbortSignal.any(signals) });
      const response = await this.#options.fetch(call.url, init);
      return this.#read({ call, response, body: await response.text() });
    } catch (cause) {
      if (call.options.signal?.aborted) {
        return { ok: false, error: new UserAbortError('The request was aborted.'), retryable: false };
      }
      const error = deadline.signal.aborted
        ? new TimeoutError(`No complete answer within ${timeoutMs} ms.`)
        : new ConnectionError('The server could not be reached.', { cause });
      return { ok: false, error, retryable: isRetryable({ ...unanswered, repetition: call.repetition }) };
    } finally {
      clearTimeout(timer);
    }
  }

  #init(call: Prepared, sent: { credential: [string, string][]; signal: AbortSignal }): RequestInit {
    const headers = new Headers([['accept', 'application/json'], ...sent.credential]);
    if (call.idempotencyKey !== undefined) headers.set('idempotency-key', call.idempotencyKey);
    if (call.body !== '') headers.set('content-type', 'application/json');
    const body = call.body === '' ? {} : { body: call.body };
    // Books are live, so no cache; and a credential must never follow a redirect to somewhere else.
    const rules = { cache: 'no-store', redirect: 'error' } as const;
    return { method: call.method, headers, signal: sent.signal, ...rules, ...body };
  }

  #read({ call, response, body }: { call: Prepared; response: Response; body: string }): Outcome {
    if (!response.ok) {
      const error = apiErrorFrom(response, body);
      const { status, code, retryAfterSeconds } = error;
      const shouldRetry = response.headers.get('x-should-retry');
      const { repetition } = call;
      return {
        ok: false,
        error,
        retryable: isRetryable({ repetition, status, code, shouldRetry, retryAfterSeconds }),
      };
    }
    if (response.status === 204) return { ok: true, body: null };
    try {
      return { ok: true, body: JSON.parse(body) as unknown };
    } catch {
      const requestId = response.headers.get('x-grid-request-id');
      const error = new InvalidResponseError(
        'The server answered with something that is not JSON.',
        requestId,
      );
      return { ok: false, error, retryable: false };
    }
  }
}
