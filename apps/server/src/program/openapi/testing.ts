/** Holds real answers to the document. Nothing of the program imports this file. */
import { type ErrorCode, httpStatusOf } from '@opengrid/wire';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { isOpenToAllOrigins } from '../../http/cors.ts';
import { canonicalPath } from '../../http/mounted.ts';
import { OPERATIONS } from './document.ts';
import { ERROR_BODIES } from './errors.ts';
import { codesOf, type Operation } from './operation.ts';

const BY_ROUTE: ReadonlyMap<string, Operation> = new Map(
  OPERATIONS.map((operation) => [`${operation.method} ${operation.path}`, operation]),
);

function misfit(schema: z.ZodType, body: unknown): string | undefined {
  const parsed = schema.safeParse(body);
  if (parsed.success) return undefined;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return issues.slice(0, 5).join('; ');
}

function errorMisfit(operation: Operation, status: number, body: unknown): string | undefined {
  const problem = misfit(ERROR_BODIES[operation.errors], body);
  if (problem !== undefined) return problem;
  if (operation.errors === 'anthropic') return undefined;
  const { code } = (body as { errors: { code: ErrorCode } }).errors;
  // Some settings answer with a status of older servers; what the catalogue says is what is described.
  const surface = operation.errors === 'trading' ? 'trading' : 'consumption';
  if (!codesOf(operation).has(code)) return `${code} is not among the codes that are described`;
  return status === 500 || httpStatusOf(code, surface) === status ? undefined : `${code} with another status`;
}

/** What is wrong with an answer of an operation, or undefined. */
export function answerMisfit(operation: Operation, status: number, text: string): string | undefined {
  const answer = operation.answers[status];
  if (answer === undefined && status < 400) return 'the status is not described';
  if (answer !== undefined && answer.schema === undefined)
    return text === '' ? undefined : 'there is a body, and none is described';
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  if (answer?.schema === undefined) return errorMisfit(operation, status, body);
  const problem = misfit(answer.schema, body);
  // The health of the exchange answers 503 with its own body, and overload with an error.
  return problem !== undefined && status >= 400 ? errorMisfit(operation, status, body) : problem;
}

/** The operation of a route, by its method and canonical path. */
export function operationOf(method: string, path: string): Operation | undefined {
  return BY_ROUTE.get(`${method} ${path}`);
}

function routeOf({ method, routeOptions }: FastifyRequest): { method: string; path: string } | undefined {
  const { url, config } = routeOptions;
  const isApi = url !== undefined && isOpenToAllOrigins(url) && url !== '/openapi.json';
  if (!isApi || config.isRefusal === true || method === 'OPTIONS' || method === 'HEAD') return undefined;
  return { method, path: canonicalPath(url, config.route) };
}

/** Answers that were looked at, and what was wrong with them. */
export interface Watch {
  /** `GET /v1/orders 200`. */
  readonly seen: ReadonlySet<string>;
  readonly faults: ReadonlySet<string>;
}

/** Holds every answer of the application to the schema of its route. */
export function watchAnswers(app: FastifyInstance): Watch {
  const seen = new Set<string>();
  const faults = new Set<string>();
  app.addHook('onSend', (request, reply, payload, done) => {
    const route = routeOf(request);
    if (route !== undefined) {
      const name = `${route.method} ${route.path}`;
      const operation = BY_ROUTE.get(name);
      seen.add(`${name} ${reply.statusCode}`);
      const text = typeof payload === 'string' ? payload : '';
      const fault =
        operation === undefined
          ? 'the route is not described in program/openapi'
          : answerMisfit(operation, reply.statusCode, text);
      if (fault !== undefined) faults.add(`${name} ${reply.statusCode}: ${fault}`);
    }
    done(null, payload);
  });
  return { seen, faults };
}
