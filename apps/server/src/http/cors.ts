import type { FastifyInstance } from 'fastify';

/**
 * Pages of any origin may call what is authorised by a header alone. Nothing here goes by cookies, so there is nothing that
 * another page could do in somebody's name.
 */

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Request headers of our own protocols and of the client packages that speak them. */
const ALLOWED = [
  'authorization',
  'content-type',
  'x-api-key',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'idempotency-key',
  'x-thegrid-timestamp',
  'x-thegrid-fingerprint',
  'x-thegrid-signature',
  'x-thegrid-recv-window',
  'x-thegrid-nonce',
  'x-grid-max-price',
  'x-grid-routing',
  'x-grid-strict-params',
  'x-grid-strict',
  'x-grid-client-ref',
  'x-grid-trace-id',
  'x-client-request-id',
  'x-stainless-arch',
  'x-stainless-lang',
  'x-stainless-os',
  'x-stainless-package-version',
  'x-stainless-retry-count',
  'x-stainless-runtime',
  'x-stainless-runtime-version',
  'x-stainless-timeout',
  'x-stainless-helper',
  'x-stainless-helper-method',
  'x-stainless-poll-helper',
  'x-stainless-custom-poll-interval',
];

const EXPOSED = [
  'x-grid-request-id',
  'x-request-id',
  'x-grid-error-code',
  'x-grid-instrument',
  'x-grid-spec-version',
  'x-grid-ignored-params',
  'x-grid-effective-effort',
  'x-grid-output-limit',
  'x-grid-units-bought',
  'x-grid-idempotent-replay',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
];

/** On every answer of a surface that is open to all origins, errors included. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED.join(', '),
};

/** What a browser is told before it sends a request from a page elsewhere. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': METHODS.join(', '),
  'access-control-allow-headers': ALLOWED.join(', '),
  'access-control-max-age': '600',
};

const OPEN = /^\/(?:v1|api\/v1\/trading|health|openapi\.json)(?:[/?]|$)/;

/** Whether a request target is on a surface that is open to all origins. */
export function isOpenToAllOrigins(target: string): boolean {
  return OPEN.test(target);
}

/**
 * Answers the preflights of every path that is mounted from here on, whatever room mounts it: 204, without a credential and
 * without counting towards a limit, because they pass none of the room's hooks.
 */
export function answerPreflights(app: FastifyInstance): void {
  const known = new Set<string>();
  app.addHook('onRoute', ({ url, method, config }) => {
    const pattern = url.replaceAll(/:\w+/g, ':_');
    if (!isOpenToAllOrigins(url) || known.has(pattern)) return;
    known.add(pattern);
    if (method === 'OPTIONS') return;
    app.options(url, { config: { route: config?.route ?? url } }, (_request, reply) =>
      reply.code(204).headers(PREFLIGHT_HEADERS).send(),
    );
  });
}
