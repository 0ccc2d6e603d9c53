import { gridError } from '@opengrid/wire';
import type { FastifyInstance } from 'fastify';
import { contextOf } from './context.ts';
import { sendError } from './errors.ts';

/** Answers the other methods of a known path. */
export function refuseOtherMethods(scope: FastifyInstance, url: string, allowed: 'GET' | 'POST'): void {
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => method !== allowed);
  scope.route({
    method: others,
    url,
    config: { isRefusal: true },
    // A wrong method is refused before its body is read.
    onRequest: (request, reply, _done) => {
      reply.header('allow', allowed === 'GET' ? 'GET, HEAD, OPTIONS' : `${allowed}, OPTIONS`);
      sendError(reply, contextOf(request), gridError('method_not_allowed'));
    },
    handler: () => undefined,
  });
}
