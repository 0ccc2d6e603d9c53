import type { FastifyReply, FastifyRequest } from 'fastify';
import { newId } from '../ids.ts';
import { CORS_HEADERS, isOpenToAllOrigins } from './cors.ts';

const ECHOED = ['x-grid-trace-id', 'x-client-request-id'] as const;
const ECHOABLE = /^[\x21-\x7E]{1,128}$/;

/** A fresh request id. On inference it is the receipt id as well. */
export function newRequestId(nowMs = Date.now()): string {
  return newId('req', nowMs);
}

/** Headers that every response of every surface carries. Tracing ids of the caller are echoed, never kept. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('x-grid-request-id', request.id).header('x-request-id', request.id);
  if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  if (isOpenToAllOrigins(request.raw.url ?? '')) void reply.headers(CORS_HEADERS);
  for (const name of ECHOED) {
    const value = request.headers[name];
    if (typeof value === 'string' && ECHOABLE.test(value)) void reply.header(name, value);
  }
}
