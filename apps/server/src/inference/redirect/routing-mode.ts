import type { IncomingHttpHeaders } from 'node:http';
import { type DialectName, gridError, type Result } from '@opengrid/wire';
import type { RoutingMode } from '../../ports/identity.ts';

/** What the installation does with requests that do not say: `auto` redirects what older clients stream. */
export type InstanceRoutingMode = RoutingMode | 'auto';

/** Older clients are told by their library, and only their streams need the second hop. */
const OLDER_CLIENT = /^axios\//;

/** What the mode is told by. */
export interface RoutedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly dialect: DialectName;
  readonly isStream: boolean;
}

/**
 * Whether the exchange answers a request itself or sends the client on. Only clients of chat completions know a second
 * hop; for them the first match wins: the header, the key, the installation. Errors: `invalid_request` for a header that
 * names no mode.
 */
export function routingModeOf(
  request: RoutedRequest,
  ofKey: RoutingMode | null,
  ofInstance: InstanceRoutingMode,
): Result<RoutingMode> {
  if (request.dialect !== 'chat') return { ok: true, value: 'direct' };
  const header = request.headers['x-grid-routing'];
  if (header !== undefined) return modeOfHeader(header);
  if (ofKey !== null) return { ok: true, value: ofKey };
  if (ofInstance !== 'auto') return { ok: true, value: ofInstance };
  const isOlder = request.isStream && OLDER_CLIENT.test(request.headers['user-agent'] ?? '');
  return { ok: true, value: isOlder ? 'redirect' : 'direct' };
}

function modeOfHeader(header: string | string[]): Result<RoutingMode> {
  if (header === 'direct' || header === 'redirect') return { ok: true, value: header };
  const message = "'x-grid-routing' takes direct or redirect.";
  return { ok: false, error: gridError('invalid_request', { param: 'x-grid-routing', message }) };
}
