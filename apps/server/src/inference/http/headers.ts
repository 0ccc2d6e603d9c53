import type { IncomingHttpHeaders } from 'node:http';
import { formatIso } from '@opengrid/wire';
import { CORS_HEADERS } from '../../http/cors.ts';
import type { RateDecision } from '../../http/rate-limit.ts';

const ECHOED = ['x-client-request-id', 'x-grid-trace-id'] as const;
const PRINTABLE = /^[\x21-\x7e]{1,128}$/;
const PRINTABLE_REF = /^[\x21-\x7e]{1,64}$/;

/** Headers of every answer of this surface. */
export function baseHeaders(requestId: string, received: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {
    'x-grid-request-id': requestId,
    'x-request-id': requestId,
    'cache-control': 'no-store',
    ...CORS_HEADERS,
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

/** The rate limit in force, in the exchange's own spelling and in that of the surface. */
export function rateHeaders(
  standing: RateDecision,
  { shape, nowMs }: { shape: 'openai' | 'anthropic'; nowMs: number },
): Record<string, string> {
  const limit = String(standing.limit);
  const remaining = String(standing.remaining);
  const { resetSeconds } = standing;
  const own = {
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': String(resetSeconds),
    'x-ratelimit-limit-requests': limit,
    'x-ratelimit-remaining-requests': remaining,
    'x-ratelimit-reset-requests': `${resetSeconds}s`,
  };
  if (shape === 'openai') return own;
  return {
    ...own,
    'anthropic-ratelimit-requests-limit': limit,
    'anthropic-ratelimit-requests-remaining': remaining,
    'anthropic-ratelimit-requests-reset': formatIso(nowMs + resetSeconds * 1_000),
  };
}
