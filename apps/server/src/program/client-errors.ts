import type { Socket } from 'node:net';
import { errorHeaders, type GridError, gridError, httpStatusOf, openAiErrorBody } from '@opengrid/wire';
import { newRequestId } from '../http/request-ids.ts';

/** Code of the error that stands for an `Expect` header that asks for something else than to go on. */
export const UNMET_EXPECTATION = 'UNMET_EXPECTATION';

interface Refusal {
  readonly error: GridError;
  readonly statusLine: string;
}

function refusalOf(code: string | undefined): Refusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW': {
      const error = gridError('invalid_request', { message: 'The headers of the request are too large.' });
      return { error, statusLine: '431 Request Header Fields Too Large' };
    }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { error: gridError('request_timeout'), statusLine: '408 Request Timeout' };
    case UNMET_EXPECTATION: {
      const error = gridError('invalid_request', { message: 'What the request expects is not offered.' });
      return { error, statusLine: '417 Expectation Failed' };
    }
    default: {
      const error = gridError('invalid_request', { message: 'The request is not valid HTTP.' });
      return { error, statusLine: `${httpStatusOf(error.code)} Bad Request` };
    }
  }
}

/**
 * Answers what the HTTP parser refuses before there is a request, in the shape of every other error. Nothing of what was
 * sent is repeated or logged.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { error: fault, statusLine } = refusalOf(error.code);
  const body = JSON.stringify(openAiErrorBody(fault));
  const requestId = newRequestId();
  const headers = {
    'x-grid-request-id': requestId,
    'x-request-id': requestId,
    ...errorHeaders(fault),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${[statusLine, ...lines].join('\r\n')}\r\n\r\n${body}`);
}
