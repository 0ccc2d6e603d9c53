import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { type CliOptions, type CliResult, runCli } from './run-cli.ts';
import type { Scripted } from './scripted-server.ts';

/** A request of a command over the network. */
export interface GridRequest {
  readonly route: string;
  readonly body: unknown;
  readonly fingerprint: string | undefined;
  readonly authorization: string | undefined;
}

/** An installation that gives the answers it was told, on HTTP and, for one book, on a socket. */
export interface GridServer {
  readonly origin: string;
  readonly requests: readonly GridRequest[];
  /** Runs `opengrid` against this server. */
  cli(words: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Answers every joined socket that subscribes to a book with this snapshot. */
  setBook(data: Readonly<Record<string, unknown>>): void;
}

/** Listens on loopback until the test ends. Requests outside of the script get 404. */
export async function gridServer(script: Readonly<Record<string, Scripted>> = {}): Promise<GridServer> {
  const requests: GridRequest[] = [];
  const answers = new Map(Object.entries(script));
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      const route = `${request.method} ${request.url}`;
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const { 'x-thegrid-fingerprint': fingerprint, authorization } = request.headers;
      requests.push({ route, body, fingerprint: fingerprint?.toString(), authorization });
      const answer = answers.get(route) ?? missing;
      response.writeHead(answer.status, { 'content-type': 'application/json', 'x-grid-request-id': 'req_1' });
      response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
    });
  });
  const sockets = new WebSocketServer({ server });
  let book: Readonly<Record<string, unknown>> = {};
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { event: string; ref: string; payload: Subscribe };
      const say = (event: string, payload: object, ref = ''): void =>
        socket.send(JSON.stringify({ topic: 'ws:trading', event, payload, ref }));
      if (frame.event !== 'subscribe') say('phx_reply', { status: 'ok', response: {} }, frame.ref);
      else {
        const streams = frame.payload.streams.map((stream) => ({ ...stream, subscribed: true }));
        say('ack', { action: 'subscribe', request_id: frame.payload.request_id, status: 'ok', streams });
        say('book_snapshot', { data: book });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cli: GridServer['cli'] = (words, options) => runCli([...words, '--url', origin], options);
  const setBook: GridServer['setBook'] = (data) => {
    book = data;
  };
  return { origin, requests, cli, setBook };
}

interface Subscribe {
  readonly request_id: string;
  readonly streams: readonly object[];
}

const missing: Scripted = {
  status: 404,
  body: { errors: { code: 'not_found', detail: 'not_found', message: 'Nothing is here.' } },
};

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return text;
}
