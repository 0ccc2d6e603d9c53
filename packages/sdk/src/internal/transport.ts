import {
  ApiError,
  ConnectionError,
  InvalidResponseError,
  TimeoutError,
  UserAbortError,
} from '../core/error.ts';
import { apiErrorFrom } from './error-body.ts';
import { queryString } from './query.ts';
import { isRetryable, retryDelayMs } from './retry.ts';

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
  apiKey: string | undefined;
  timeoutMs: number;
  maxRetries: number;
  fetch: typeof globalThis.fetch;
};

/** One request, before retries. */
type Call = { method: 'GET'; url: string; options: RequestOptions };

type Outcome = { ok: true; body: unknown } | { ok: false; error: Error; retryable: boolean };

const sleep = (delayMs: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, delayMs);
    signal?.addEventListener('abort', finish, { once: true });
  });

/** Sends requests: credential, deadline, retries and errors live here and nowhere else. */
export class Transport {
  // Private names keep the key out of util.inspect, JSON and a console that prints the client.
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Reads one path.
   * @returns the parsed JSON body of a 2xx answer, envelope included
   * @throws ApiError, ConnectionError, TimeoutError, UserAbortError or InvalidResponseError
   */
  async get<Body>(path: string, query?: object, options: RequestOptions = {}): Promise<Body> {
    const url = `${this.#options.origin}${path}${queryString(query)}`;
    return (await this.#send({ method: 'GET', url, options })) as Body;
  }

  async #send(call: Call): Promise<unknown> {
    const maxRetries = call.options.maxRetries ?? this.#options.maxRetries;
    for (let retryIndex = 0; ; retryIndex += 1) {
      if (call.options.signal?.aborted) throw new UserAbortError('The request was aborted.');
      const outcome = await this.#attempt(call);
      if (outcome.ok) return outcome.body;
      if (!outcome.retryable || retryIndex >= maxRetries) throw outcome.error;
      const retryAfterSeconds = outcome.error instanceof ApiError ? outcome.error.retryAfterSeconds : null;
      await sleep(retryDelayMs(retryIndex, retryAfterSeconds), call.options.signal);
    }
  }

  async #attempt(call: Call): Promise<Outcome> {
    const timeoutMs = call.options.timeoutMs ?? this.#options.timeoutMs;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const signals = [deadline.signal, call.options.signal].filter((signal) => signal !== undefined);
    try {
      const response = await this.#options.fetch(call.url, this.#init(call, AbortSignal.any(signals)));
      return this.#read({ call, response, body: await response.text() });
    } catch (cause) {
      if (call.options.signal?.aborted) {
        return { ok: false, error: new UserAbortError('The request was aborted.'), retryable: false };
      }
      const error = deadline.signal.aborted
        ? new TimeoutError(`No complete answer within ${timeoutMs} ms.`)
        : new ConnectionError('The server could not be reached.', { cause });
      return { ok: false, error, retryable: isRetryable({ ...unanswered, method: call.method }) };
    } finally {
      clearTimeout(timer);
    }
  }

  #init(call: Call, signal: AbortSignal): RequestInit {
    const headers = new Headers({ accept: 'application/json' });
    if (this.#options.apiKey !== undefined) headers.set('authorization', `Bearer ${this.#options.apiKey}`);
    // Books are live, so no cache; and a key must never follow a redirect to somewhere else.
    return { method: call.method, headers, signal, cache: 'no-store', redirect: 'error' };
  }

  #read({ call, response, body }: { call: Call; response: Response; body: string }): Outcome {
    if (!response.ok) {
      const error = apiErrorFrom(response, body);
      const { status, code, retryAfterSeconds } = error;
      const shouldRetry = response.headers.get('x-should-retry');
      const attempt = { method: call.method, status, code, shouldRetry, retryAfterSeconds };
      return { ok: false, error, retryable: isRetryable(attempt) };
    }
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

const unanswered = { status: null, code: null, shouldRetry: null, retryAfterSeconds: null };
