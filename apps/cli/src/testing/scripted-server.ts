import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { adminSocketPath } from '../admin/socket-path.ts';

/** A request as the server received it. */
export interface Received {
  readonly route: string;
  /** The body as parsed JSON; undefined when it was empty. */
  readonly body: unknown;
}

export interface Scripted {
  readonly status: number;
  /** Sent as JSON; a string is sent as it is; without it the answer has no body. */
  readonly body?: unknown;
}

/** A server on the admin socket of a data folder that gives the answers it was told. */
export interface ScriptedServer {
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/**
 * Listens on `<dataFolder>/admin.sock`.
 *
 * @param script answer by `METHOD /path`, the path as it was sent; another request gets the server's 404.
 */
export async function scriptedServer(
  dataFolder: string,
  script: Readonly<Record<string, Scripted>>,
): Promise<ScriptedServer> {
  const received: Received[] = [];
  const answers = new Map(Object.entries(script));
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const route = `${request.method} ${request.url}`;
      received.push({ route, body });
      send(response, answers.get(route) ?? refused(404, 'not_found', 'Nothing is here.'));
    });
  });
  await new Promise<void>((resolve) => server.listen(adminSocketPath(dataFolder), resolve));
  return { received, close: () => close(server) };
}

/** An error in the envelope of the admin socket. */
export function refused(status: number, code: string, message: string): Scripted {
  return {
    status,
    body: { errors: { detail: code, message, code }, error_description: message },
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return text === '' ? undefined : JSON.parse(text);
}

function send(response: ServerResponse, { status, body }: Scripted): void {
  response.writeHead(status, body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' });
  response.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
