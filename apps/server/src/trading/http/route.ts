import {
  type ErrorCode,
  type GridError,
  type GridErrorExtras,
  GridFailure,
  gridError,
  type JsonObject,
} from '@opengrid/wire';
import type { z } from 'zod';
import type { KEEP_MS } from '../../http/idempotency/idempotency-keys.ts';
import type { Caller, Scope } from '../../ports/identity.ts';
import type { CopyRule, RecordedCommand, SignatureUse } from '../auth/replays.ts';

/** A request whose caller is known and may do this. */
export interface TradingCall {
  readonly caller: Caller;
  /** How the caller showed who they are. */
  readonly credential: 'signature' | 'consumption_key';
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body; empty for routes that take none. */
  readonly body: JsonObject;
  /** Set on signed mutations, to commit with the command. */
  readonly signature?: SignatureUse;
  /** Unix milliseconds: the end of the receive window of a signed request. */
  readonly notAfterMs?: number;
  /** What is placed ends with the socket that it came over. */
  readonly cancelsOnDisconnect?: boolean;
  readonly nowMs: number;
  /** Counts the request in a bucket of the account. @throws GridFailure `rate_limited`. */
  readonly count: (rate: RateClass, key: string) => void;
}

/** What acting on orders needs of a request, whatever it came over. */
export type ActingCall = Pick<
  TradingCall,
  'caller' | 'credential' | 'signature' | 'notAfterMs' | 'cancelsOnDisconnect' | 'nowMs'
>;

export interface TradingAnswer {
  readonly status: number;
  /** Absent for 204. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent instead of the body: JSON text that was kept. */
  readonly text?: string;
  /** Sent instead of the body: a refusal that was recorded. */
  readonly error?: GridError;
  /** The command that this answer acknowledges, by which a copy of the request is answered. */
  readonly recorded?: RecordedCommand;
}

/** Which bucket a request is counted in. */
export type RateClass = 'order' | 'cancel' | 'read';

/** One route of the Trading surface, mounted under every prefix. */
export interface TradingRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly scope: Scope;
  /**
   * Which consumption keys may use the route: those with `trade:read`, any, or none; writes and supply are for signatures
   * alone.
   */
  readonly consumptionKeys: 'allowed' | 'any' | 'refused';
  /** `own`: the route counts the request itself, once it knows what it is about. */
  readonly rate: RateClass | 'own';
  /** What follows the account in the key of the bucket: the market of an order. */
  rateKey?(body: JsonObject): string;
  /** How long the answer to an Idempotency-Key is kept: a day, or a week where units move. */
  readonly keep?: keyof typeof KEEP_MS;
  /** What a copy of a signed request does; without, a POST is coalesced and anything else repeated for two seconds. */
  readonly copies?: CopyRule;
  /** What the body looks like, as the route checks it; absent where there is none. */
  readonly body?: z.ZodType;
  handle(call: TradingCall): Promise<TradingAnswer>;
  /** Rebuilds the answer of a recorded command for a copy of its request. */
  replay?(call: TradingCall, recorded: RecordedCommand): Promise<TradingAnswer>;
}

export function fail(code: ErrorCode, extras: GridErrorExtras = {}): GridFailure {
  return new GridFailure(gridError(code, extras));
}

/** `validation_failed` of one field. The message never quotes the value. */
export function invalidField(field: string, message: string): GridFailure {
  return fail('validation_failed', { message: `${field}: ${message}.`, fields: { [field]: [message] } });
}

/** Checks a body against its schema. */
export function parseBody<T extends z.ZodType>(schema: T, body: JsonObject): z.infer<T> {
  const parsed = schema.safeParse(body, { error: plainMessage });
  if (parsed.success) return parsed.data;
  const fields = new Map<string, string[]>();
  for (const issue of parsed.error.issues) {
    const field = issue.path.join('.') || 'body';
    fields.set(field, [...(fields.get(field) ?? []), issue.message]);
  }
  const [[field, messages]] = [...fields] as [[string, string[]]];
  throw fail('validation_failed', {
    param: field,
    message: `${field}: ${messages[0]}.`,
    fields: Object.fromEntries(fields),
  });
}

/** Library messages can quote what they met; ours say what is taken. What a schema says itself goes before. */
function plainMessage(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') return `must be of type ${issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  return 'is not valid';
}

export function ok(data: unknown): TradingAnswer {
  return { status: 200, body: { data } };
}
