import type { FastifyReply } from 'fastify';
import type { GridContext } from './context.ts';

/** Sends an object with the headers of this surface. */
export function sendJson(reply: FastifyReply, context: GridContext, value: unknown): FastifyReply {
  const body = JSON.stringify(value);
  context.bytesOut += Buffer.byteLength(body);
  return reply.headers(context.headers).type('application/json; charset=utf-8').send(body);
}
