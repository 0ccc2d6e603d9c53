import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { OpenGrid, type OpenGridOptions } from '../client.ts';
import {
  ConnectionError,
  InvalidResponseError,
  ServerError,
  TimeoutError,
  UserAbortError,
} from '../core/error.ts';
import { closedOrigin, serve } from '../testing/scripted-server.ts';

const apiKey = `sk-or-v1-${'c0ffee00'.repeat(8)}`;
const models = { body: { object: 'list', data: [{ id: 'text-standard' }] } };

const clientOf = (baseUrl: string, options: Partial<OpenGridOptions> = {}): OpenGrid =>
  new OpenGrid({ baseUrl, apiKey, ...options });

/** An error answer that wants no pause, so that tests of retries need no clock. */
const refusal = (status: number, code: string, headers: Record<string, string> = {}) => ({
  status,
  headers: { 'retry-after': '0', 'x-grid-request-id': 'req_1', ...headers },
  body: { errors: { code, detail: code, message: 'Refused.' } },
});

const caught = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('the call should have failed'),
    (error: unknown) => error,
  );

describe('requests', () => {
  it('sends the key as bearer', async () => {
    const server = await serve(models);
    await clientOf(server.origin).models.list();
    expect(server.requests[0]).toMatchObject({ method: 'GET', url: '/v1/models' });
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${apiKey}`);
  });

  it('sends no credential without a key', async () => {
    const server = await serve(models);
    await clientOf(server.origin, { apiKey: undefined }).models.list();
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  it.each(['', '/', '/v1', '/v1/'])('accepts the base URL ending in %j', async (ending) => {
    const server = await serve(models);
    await clientOf(server.origin + ending).models.list();
    expect(server.requests[0]?.url).toBe('/v1/models');
  });

  it.each(['', 'localhost:4000', 'ftp://x', '/v1'])('refuses the base URL %j', (baseUrl) => {
    expect(() => clientOf(baseUrl)).toThrow('baseUrl');
  });

  it('follows no redirect, so that the key stays with its server', async () => {
    const other = await serve(models);
    const server = await serve({ status: 307, headers: { location: `${other.origin}/v1/models` } });
    const error = await caught(clientOf(server.origin, { maxRetries: 0 }).models.list());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(other.requests).toHaveLength(0);
  });
});

describe('retries', () => {
  it('repeats twice and gives the answer that came', async () => {
    const server = await serve(refusal(503, 'overloaded'), refusal(429, 'rate_limited'), models);
    expect(await clientOf(server.origin).models.list()).toEqual(models.body.data);
    expect(server.requests).toHaveLength(3);
  });

  it('gives up after two repetitions with the last error', async () => {
    const server = await serve(refusal(500, 'internal_error'));
    const error = await caught(clientOf(server.origin).models.list());
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ status: 500, code: 'internal_error', requestId: 'req_1' });
    expect(server.requests).toHaveLength(3);
  });

  it('obeys x-should-retry: false', async () => {
    const server = await serve(refusal(503, 'overloaded', { 'x-should-retry': 'false' }), models);
    await caught(clientOf(server.origin).models.list());
    expect(server.requests).toHaveLength(1);
  });

  it('does not repeat what will not pass', async () => {
    const server = await serve(refusal(401, 'invalid_api_key'), models);
    await caught(clientOf(server.origin).models.list());
    expect(server.requests).toHaveLength(1);
  });

  it('repeats after a connection that broke in the middle of an answer', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"object":', () => response.destroy());
    }, models);
    expect(await clientOf(server.origin).models.list()).toEqual(models.body.data);
  });

  it('may be set for one call', async () => {
    const server = await serve(refusal(503, 'overloaded'));
    await caught(clientOf(server.origin).models.list({}, { maxRetries: 0 }));
    expect(server.requests).toHaveLength(1);
  });
});

describe('ends without an answer', () => {
  it('reports a server that is not there', async () => {
    const error = await caught(clientOf(await closedOrigin(), { maxRetries: 0 }).models.list());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).not.toBeInstanceOf(TimeoutError);
  });

  it('reports silence as a timeout', async () => {
    const server = await serve(() => {});
    const error = await caught(clientOf(server.origin, { timeoutMs: 20, maxRetries: 1 }).models.list());
    expect(error).toBeInstanceOf(TimeoutError);
    expect(server.requests).toHaveLength(2);
  });

  it('ends at once when the caller aborts, without a retry', async () => {
    const abort = new AbortController();
    const server = await serve(() => abort.abort());
    const error = await caught(clientOf(server.origin).models.list({}, { signal: abort.signal }));
    expect(error).toBeInstanceOf(UserAbortError);
    expect(server.requests).toHaveLength(1);
  });

  it('ends a pause between two attempts when the caller aborts', async () => {
    const abort = new AbortController();
    const server = await serve({ status: 503, headers: { 'retry-after': '60' } });
    // The abort comes when the answer is long read, so that it meets the pause and not the request.
    const fetchThenAbort: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      setTimeout(() => abort.abort(), 100);
      return response;
    };
    const grid = clientOf(server.origin, { fetch: fetchThenAbort });
    expect(await caught(grid.models.list({}, { signal: abort.signal }))).toBeInstanceOf(UserAbortError);
    expect(server.requests).toHaveLength(1);
  });
});

describe('what must not leak', () => {
  it('drops the text of a body that is not JSON', async () => {
    const server = await serve({ status: 502, text: '<html>you sent SECRET-PROMPT</html>' });
    const error = await caught(clientOf(server.origin, { maxRetries: 0 }).models.list());
    expect(error).toMatchObject({ message: 'The server answered 502.', code: null });
    expect(inspect(error, { depth: 9 })).not.toContain('SECRET-PROMPT');
  });

  it('reports a 200 that is not JSON, without its text', async () => {
    const server = await serve({
      text: '<html>SECRET-PROMPT</html>',
      headers: { 'x-grid-request-id': 'req_9' },
    });
    const error = await caught(clientOf(server.origin).models.list());
    expect(error).toBeInstanceOf(InvalidResponseError);
    expect(error).toMatchObject({ requestId: 'req_9' });
    expect(inspect(error, { depth: 9 })).not.toContain('SECRET-PROMPT');
  });

  it('keeps the key out of the printed client and of every error', async () => {
    const server = await serve(refusal(401, 'invalid_api_key'));
    const refused = await caught(clientOf(server.origin).models.list());
    const unreachable = await caught(clientOf(await closedOrigin(), { maxRetries: 0 }).models.list());
    const client = clientOf(server.origin);
    for (const value of [client, refused, unreachable]) {
      expect(inspect(value, { depth: 9, showHidden: true })).not.toContain(apiKey);
      expect(JSON.stringify(value)).not.toContain(apiKey);
    }
  });
});
