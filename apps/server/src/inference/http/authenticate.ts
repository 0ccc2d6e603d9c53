import type { IncomingHttpHeaders } from 'node:http';
import { gridError } from '@opengrid/wire';
import type { Authentication, Caller, KeyDirectory } from '../../ports/identity.ts';

/** What a route needs of its caller. */
export type Purpose = 'inference' | 'usage';

/** Consumption keys carry the scope itself; access tokens may carry the wider one of the account. */
const SCOPES: Readonly<Record<Purpose, { readonly own: string; readonly wider: string }>> = {
  inference: { own: 'inference', wider: 'account:write' },
  usage: { own: 'usage:read', wider: 'account:read' },
};

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Whether a request carries any credential of this surface. */
export function hasCredential(headers: IncomingHttpHeaders): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined;
}

/** Who sends a request, whatever they may do. */
export function identify(keys: KeyDirectory, headers: IncomingHttpHeaders): Authentication {
  return keys.authenticate({
    authorization: headers.authorization,
    xApiKey: single(headers['x-api-key']),
  });
}

/** Who sends a request, if they may do this. Errors: those of the directory, and `insufficient_scope`. */
export function authenticate(
  keys: KeyDirectory,
  headers: IncomingHttpHeaders,
  purpose: Purpose,
): Authentication {
  const known = identify(keys, headers);
  if (!known.ok || isAllowed(known.caller, purpose)) return known;
  return { ok: false, error: gridError('insufficient_scope', { requiredScope: SCOPES[purpose].own }) };
}

function isAllowed(caller: Caller, purpose: Purpose): boolean {
  const { own, wider } = SCOPES[purpose];
  return caller.scopes.has(own) || (caller.keyId === null && caller.scopes.has(wider));
}
