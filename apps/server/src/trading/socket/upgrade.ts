import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorHeaders, formatIso, type GridError, httpStatusOf, tradingErrorBody } from '@opengrid/wire';
import { newRequestId } from '../../http/request-ids.ts';

export function isWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? '').toLowerCase() === 'websocket';
}

/** Answers an upgrade over HTTP and closes. */
export function refuseUpgrade(
  socket: Duplex,
  error: GridError,
  status = httpStatusOf(error.code, 'trading'),
): void {
  const requestId = newRequestId();
  const body = JSON.stringify(tradingErrorBody(error, formatIso(Date.now())));
  const headers = {
    ...errorHeaders(error),
    'x-grid-request-id': requestId,
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

/** Headers that ask for another protocol on the same connection. */
const ASKING: ReadonlySet<string> = new Set(['upgrade', 'connection', 'http2-settings']);

/**
 * Serves a request that asks for another protocol as if it had not asked, as HTTP allows: some clients offer HTTP/2 with
 * their first request. Node has stopped reading HTTP there, so the request is put before what follows and read again.
 */
export function handBack(
  server: Server,
  request: IncomingMessage,
  { socket, head }: { socket: Duplex; head: Buffer },
): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (!ASKING.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  const text = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  socket.unshift(Buffer.concat([text, head]));
  server.emit('connection', socket);
}
