import type { IncomingHttpHeaders } from 'node:http';
import type { RateDecision } from '../../http/rate-limit.ts';

const ECHOED = ['x-client-request-id', 'x-grid-trace-id'] as const;
const PRINTABLE = /^[\x21-\x7e]{1,128}$/;
const PRINTABLE_REF = /^[\x21-\x7e]{1,64}$/;

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
].join(', ');

const ALLOWED = [
  'authorization',
  'content-type',
  'x-api-key',
  'anthropic-version',
  'anthropic-beta',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'idempotency-key',
  'x-thegrid-signature',
  'x-thegrid-timestamp',
  'x-thegrid-fingerprint',
  'x-thegrid-nonce',
  'x-thegrid-recv-window',
  'x-grid-max-price',
  'x-grid-routing',
  'x-grid-strict-params',
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
  'x-stainless-helper-method',
].join(', ');

/** What a browser is told before it sends a request from a page elsewhere. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': ALLOWED,
  'access-control-max-age': '600',
};

/** Headers of every answer of this surface. */
export function baseHeaders(requestId: string, received: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {
    'x-grid-request-id': requestId,
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': EXPOSED,
  };
  for (const name of ECHOED) echo(headers, received, { name, pattern: PRINTABLE });
  echo(headers, received, { name: 'x-grid-client-ref', pattern: PRINTABLE_REF });
  return headers;
}

function echo(
  headers: Record<string, string>,
  received: IncomingHttpHeaders,
  { name, pattern }: { name: string; pattern: RegExp },
): void {
  const value = received[name];
  if (typeof value === 'string' && pattern.test(value)) headers[name] = value;
}

/** The rate limit in force, in the exchange's own spelling and in OpenAI's. */
export function rateHeaders(standing: RateDecision): Record<string, string> {
  const limit = String(standing.limit);
  const remaining = String(standing.remaining);
  return {
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': String(standing.resetSeconds),
    'x-ratelimit-limit-requests': limit,
    'x-ratelimit-remaining-requests': remaining,
    'x-ratelimit-reset-requests': `${standing.resetSeconds}s`,
  };
}
