import { gridError } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KeyDirectory } from '../ports/identity.ts';
import { authenticate } from './http/authenticate.ts';
import { contextOf } from './http/context.ts';
import { sendError } from './http/errors.ts';

const NOTHING_STORED = 'No response of that id: nothing is stored.';

/** Mounts what clients ask about earlier responses. None was kept, so none is found. */
export function registerStoredResponses(scope: FastifyInstance, { keys }: { keys: KeyDirectory }): void {
  // Answered before a body is read: nothing in it could matter.
  const answer = (request: FastifyRequest, reply: FastifyReply): void => {
    const known = authenticate(keys, request.headers, 'inference');
    const error = known.ok ? gridError('response_not_found', { message: NOTHING_STORED }) : known.error;
    sendError(reply, contextOf(request), error);
  };
  const routes = [
    ['GET', '/responses/:id'],
    ['DELETE', '/responses/:id'],
    ['GET', '/responses/:id/input_items'],
    ['POST', '/responses/:id/cancel'],
  ] as const;
  for (const [method, url] of routes) {
    scope.route({
      method,
      url,
      onRequest: (request, reply, _done) => answer(request, reply),
      handler: () => undefined,
    });
  }
}
