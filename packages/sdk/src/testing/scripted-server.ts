import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One answer of the script. A function gets the bare response, to break it in ways an object cannot say. */
export type Answer =
  | { status?: number; headers?: Record<string, string>; body?: unknown; text?: string }
  | ((response: ServerResponse, request: IncomingMessage) => void);

/** A request as it arrived. */
export type Received = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

/** A real HTTP server on loopback that plays one answer a request, the last one for ever. */
export type ScriptedServer = {
  origin: string;
  /** Every request as it arrived. */
  requests: Received[];
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return text;
};

const play = (answer: Answer, response: ServerResponse, request: IncomingMessage): void => {
  if (typeof answer === 'function') {
    answer(response, request);
    return;
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
  response.end(answer.text ?? JSON.stringify(answer.body ?? {}));
};

/** Starts a server that closes itself at the end of the test. */
export const serve = async (...answers: Answer[]): Promise<ScriptedServer> => {
  const requests: ScriptedServer['requests'] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers, body: await bodyOf(request) });
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    if (answer !== undefined) play(answer, response, request);
  };
  // A client that hangs up in the middle of its request is none of the server's business.
  const server = createServer((request, response) => void take(request, response).catch(() => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
};

/** An origin where nobody listens: its port was free a moment ago. */
export const closedOrigin = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
};
