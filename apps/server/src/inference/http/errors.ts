import {
  anthropicErrorBody,
  errorHeaders,
  formatIso,
  type GridError,
  GridFailure,
  gridError,
  httpStatusOf,
  openAiErrorBody,
} from '@opengrid/wire';
import type { FastifyReply } from 'fastify';
import type { GridContext } from './context.ts';

/** Faults that the HTTP server finds before a handler runs, by its own codes. */
const SERVER_FAULTS: ReadonlyMap<string, GridError> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', gridError('payload_too_large')],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', gridError('invalid_request', { message: 'The body was cut off.' })],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', gridError('invalid_json')],
]);

/** The error a client is told for an exception; undefined for one that nobody expected. */
export function expectedError(error: unknown): GridError | undefined {
  if (error instanceof GridFailure) return error.error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? SERVER_FAULTS.get(code) : undefined;
  if (known !== undefined) return known;
  const isClientFault = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return isClientFault ? gridError('invalid_request') : undefined;
}

/** Status, headers and text of an error in the shape of its surface. */
export function errorResponse(
  context: GridContext,
  error: GridError,
): { readonly status: number; readonly headers: Record<string, string>; readonly body: string } {
  context.errorCode = error.code;
  const body = JSON.stringify(
    context.shape === 'anthropic'
      ? anthropicErrorBody(error, context.requestId)
      : openAiErrorBody(error, formatIso(Date.now())),
  );
  const headers = { ...context.headers, ...errorHeaders(error) };
  return { status: httpStatusOf(error.code), headers, body };
}

/** Sends an error through the HTTP framework. */
export function sendError(reply: FastifyReply, context: GridContext, error: GridError): FastifyReply {
  const { status, headers, body } = errorResponse(context, error);
  context.bytesOut += body.length;
  return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
}
