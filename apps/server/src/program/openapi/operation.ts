import type { ErrorCode } from '@opengrid/wire';
import type { z } from 'zod';
import type { ERROR_BODIES } from './errors.ts';

/** Who may call. */
export type Access =
  /** Nobody needs a credential; one that is sent is checked. */
  | 'public'
  /** A signature, or a consumption key with `trade:read`. */
  | 'trading read'
  /** A signature alone. */
  | 'signature'
  /** A signature, and the call changes something. */
  | 'signed change'
  /** A consumption key. */
  | 'key'
  /** A consumption key or a signature. */
  | 'key or signature'
  /** Nobody needs a credential, and none is looked at. */
  | 'open';

/** What one HTTP status of one operation means. */
export interface Answer {
  readonly description: string;
  /** Absent where there is no body. */
  readonly schema?: z.ZodType;
  readonly example?: unknown;
  /** What the answer is instead when it is streamed: server-sent events. */
  readonly stream?: string;
}

/** One method of one path, as the document tells it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the canonical prefix, with parameters as `{name}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly query?: z.ZodObject;
  /** Body of routes whose reader is not a schema. Of the others, the mounted route tells. */
  readonly body?: z.ZodType;
  /** A body that the route would take. */
  readonly example?: Readonly<Record<string, unknown>>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Errors beside those that every call of this access may get. */
  readonly codes?: readonly ErrorCode[];
  readonly errors: keyof typeof ERROR_BODIES;
}

const CREDENTIAL: readonly ErrorCode[] = [
  'wrong_credential_type',
  'invalid_api_key',
  'api_key_revoked',
  'api_key_expired',
  'invalid_token',
];
const SIGNATURE: readonly ErrorCode[] = [
  'ambiguous_credentials',
  'missing_signature_headers',
  'timestamp_invalid',
  'timestamp_expired',
  'unknown_key',
  'key_revoked',
  'invalid_signature',
  'nonce_required',
  'nonce_reused',
];
const EVERYWHERE: readonly ErrorCode[] = ['uri_too_long', 'internal_error'];
const STANDING: readonly ErrorCode[] = [
  'missing_credentials',
  'insufficient_scope',
  'account_suspended',
  'email_unverified',
  'terms_not_accepted',
  'rate_limited',
];
const CHANGE: readonly ErrorCode[] = [
  'signature_replayed',
  'validation_failed',
  'invalid_request',
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
  'request_timeout',
  'idempotency_key_conflict',
  'idempotency_in_progress',
  'outcome_unknown',
  'engine_unavailable',
  'overloaded',
];

const BY_ACCESS: Readonly<Record<Access, readonly ErrorCode[]>> = {
  open: EVERYWHERE,
  public: [...EVERYWHERE, ...CREDENTIAL, ...SIGNATURE, 'rate_limited'],
  'trading read': [...EVERYWHERE, ...CREDENTIAL, ...SIGNATURE, ...STANDING],
  signature: [...EVERYWHERE, ...CREDENTIAL, ...SIGNATURE, ...STANDING],
  'signed change': [...EVERYWHERE, ...CREDENTIAL, ...SIGNATURE, ...STANDING, ...CHANGE],
  key: [...EVERYWHERE, ...CREDENTIAL, ...STANDING],
  'key or signature': [...EVERYWHERE, ...CREDENTIAL, ...SIGNATURE, ...STANDING],
};

/** Every code that a call of this operation may end with. */
export function codesOf({ access, codes = [] }: Operation): ReadonlySet<ErrorCode> {
  return new Set([...BY_ACCESS[access], ...codes]);
}
