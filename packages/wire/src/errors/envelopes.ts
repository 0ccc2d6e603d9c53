import {
  type AnthropicErrorType,
  type CatalogueEntry,
  catalogueEntry,
  type OpenAiErrorType,
  type RetryAdvice,
} from './catalogue.ts';
import { type GridError, httpStatusOf, messageOf } from './grid-error.ts';

/** The first envelope, shared by Trading, Platform and (beside `error`) the OpenAI-shaped routes. */
export interface ErrorsMember {
  readonly detail: string | Readonly<Record<string, readonly string[]>>;
  readonly message: string;
  readonly code: string;
  readonly server_time?: string;
  readonly fields?: Readonly<Record<string, readonly string[]>>;
  readonly context?: Readonly<Record<string, number | string>>;
}

/** The body of an OpenAI-shaped error. */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: OpenAiErrorType;
    readonly param: string | null;
    readonly code: string;
  };
  readonly errors: ErrorsMember;
}

/** The body of an Anthropic-shaped error. */
export interface AnthropicErrorBody {
  readonly type: 'error';
  readonly error: { readonly type: AnthropicErrorType; readonly message: string };
  readonly request_id: string;
}

/** The body of a Trading error. */
export interface TradingErrorBody {
  readonly errors: ErrorsMember;
  readonly code?: 'INSUFFICIENT_BALANCE';
}

/** The body of a Platform error. */
export interface PlatformErrorBody {
  readonly errors: ErrorsMember;
  readonly error_description: string;
}

// A client learns nothing from these answers by asking again, so the SDKs' own retries are switched off.
const REPEATABLE: ReadonlySet<RetryAdvice> = new Set(['yes', 'later', 'inference_only']);

function isUnauthenticated(error: GridError): boolean {
  return catalogueEntry(error.code).httpStatus === 401;
}

function contextOf(error: GridError): ErrorsMember['context'] {
  if (error.requiredScope === undefined) return error.context;
  return { ...error.context, required_scope: error.requiredScope };
}

/** Existing clients print `detail` of a 401, so it carries the sentence there instead of the code. */
function errorsMember(error: GridError, serverTimeIso: string | undefined): ErrorsMember {
  const message = messageOf(error);
  const context = contextOf(error);
  return {
    detail: isUnauthenticated(error) ? message : error.code,
    message,
    code: error.code,
    ...(serverTimeIso === undefined ? {} : { server_time: serverTimeIso }),
    ...(context === undefined ? {} : { context }),
  };
}

// A code that has no type of a dialect should not reach it; if it does, the client still gets a known type.
function openAiTypeOf(entry: CatalogueEntry): OpenAiErrorType {
  return entry.openAiType ?? 'invalid_request_error';
}

function anthropicTypeOf(entry: CatalogueEntry): AnthropicErrorType {
  if (entry.anthropicType !== null) return entry.anthropicType;
  return entry.httpStatus === 401 ? 'authentication_error' : 'invalid_request_error';
}

/**
 * The body for OpenAI-shaped routes: OpenAI's member, and the first envelope beside it.
 *
 * @param serverTimeIso is sent with a 401 only, where clients compare it with their own clock.
 */
export function openAiErrorBody(error: GridError, serverTimeIso?: string): OpenAiErrorBody {
  const type = openAiTypeOf(catalogueEntry(error.code));
  const member = { message: messageOf(error), type, param: error.param ?? null, code: error.code };
  return { error: member, errors: errorsMember(error, isUnauthenticated(error) ? serverTimeIso : undefined) };
}

/** The body for Anthropic-shaped routes. The machine code travels in a header. */
export function anthropicErrorBody(error: GridError, requestId: string): AnthropicErrorBody {
  const type = anthropicTypeOf(catalogueEntry(error.code));
  return { type: 'error', error: { type, message: messageOf(error) }, request_id: requestId };
}

/** The body for Trading routes. */
export function tradingErrorBody(error: GridError, serverTimeIso: string): TradingErrorBody {
  const member = errorsMember(error, serverTimeIso);
  const errors = error.fields === undefined ? member : { ...member, fields: error.fields };
  return error.code === 'insufficient_balance' ? { errors, code: 'INSUFFICIENT_BALANCE' } : { errors };
}

/** The body for Platform routes, whose field errors take the place of `detail`. */
export function platformErrorBody(error: GridError, serverTimeIso: string): PlatformErrorBody {
  const member = errorsMember(error, serverTimeIso);
  const errors = error.fields === undefined ? member : { ...member, detail: error.fields };
  return { errors, error_description: member.message };
}

function retryAfterSecondsOf(error: GridError): number | undefined {
  const status = httpStatusOf(error.code);
  const isRequired = status === 429 || status === 503 || error.code === 'idempotency_in_progress';
  const seconds = error.retryAfterSeconds ?? (isRequired ? 1 : undefined);
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds));
}

/**
 * The headers every error response carries: the machine code, how long to wait where waiting helps, and
 * `x-should-retry: false`, which the OpenAI and Anthropic SDKs obey before any rule of their own.
 */
export function errorHeaders(error: GridError): Record<string, string> {
  const headers: Record<string, string> = { 'x-grid-error-code': error.code };
  const retryAfterSeconds = retryAfterSecondsOf(error);
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (!REPEATABLE.has(catalogueEntry(error.code).retry)) headers['x-should-retry'] = 'false';
  if (error.code === 'invalid_token') headers['www-authenticate'] = 'Bearer error="invalid_token"';
  return headers;
}
