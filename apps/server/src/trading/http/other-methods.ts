import type { FastifyInstance } from 'fastify';
import { fail } from './route.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Answers the methods that a known path does not take. */
export function refuseOtherMethods(scope: FastifyInstance, url: string, allowed: readonly string[]): void {
  const others = METHODS.filter((method) => !allowed.includes(method));
  const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  scope.route({
    method: others,
    url,
    config: { isRefusal: true },
    handler: async (_request, reply) => {
      void reply.header('allow', allow);
      throw fail('method_not_allowed');
    },
  });
}
