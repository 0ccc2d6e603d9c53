/** What the server said about a refused request; every member is safe to show and to log. */
export type ApiErrorDetails = {
  /** HTTP status. */
  status: number;
  /** Catalogue code such as `market_not_found`; `null` when the answer had no readable error body. */
  code: string | null;
  /** One human sentence. */
  message: string;
  /** OpenAI error type, on Consumption routes only. */
  type: string | null;
  /** Request field at fault, on Consumption routes only. */
  param: string | null;
  /** Messages by field, on `validation_failed`. */
  fields: ReadonlyMap<string, readonly string[]>;
  /** Numbers and ids that explain the refusal. */
  context: ReadonlyMap<string, unknown>;
  /** `req_…`; quote it when asking for help. */
  requestId: string | null;
  /** Seconds to wait before another attempt, from `retry-after`. */
  retryAfterSeconds: number | null;
  /** The server's clock, on refused credentials. */
  serverTime?: string | null;
};

/** Base of everything this package throws on purpose. */
export class OpenGridError extends Error {
  override name = 'OpenGridError';
}

/** The server answered with a status outside 200-299. */
export class ApiError extends OpenGridError {
  override name = 'ApiError';
  readonly status: number;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly context: ReadonlyMap<string, unknown>;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;
  readonly serverTime: string | null;

  constructor(details: ApiErrorDetails) {
    super(details.message);
    this.status = details.status;
    this.code = details.code;
    this.type = details.type;
    this.param = details.param;
    this.fields = details.fields;
    this.context = details.context;
    this.requestId = details.requestId;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.serverTime = details.serverTime ?? null;
  }
}

/** 400: the request is malformed. On Trading also `insufficient_balance`. */
export class BadRequestError extends ApiError {
  override name = 'BadRequestError';
}

/** 401: no credential, or one that is wrong, expired or revoked. */
export class AuthenticationError extends ApiError {
  override name = 'AuthenticationError';
}

/** 402: tokens or USD are used up. */
export class PaymentRequiredError extends ApiError {
  override name = 'PaymentRequiredError';
}

/** 403: the credential may not do this. */
export class PermissionDeniedError extends ApiError {
  override name = 'PermissionDeniedError';
}

/** 404: no such path or object, or an object of another account. */
export class NotFoundError extends ApiError {
  override name = 'NotFoundError';
}

/** 409: the state of the object, or an idempotency key, stands against it. */
export class ConflictError extends ApiError {
  override name = 'ConflictError';
}

/** 422: well-formed but out of range or not offered. */
export class UnprocessableError extends ApiError {
  override name = 'UnprocessableError';
}

/** 429: a rate or concurrency limit; `retryAfterSeconds` says how long. */
export class RateLimitError extends ApiError {
  override name = 'RateLimitError';
}

/** 5xx: the exchange, or a supplier behind it, failed. */
export class ServerError extends ApiError {
  override name = 'ServerError';
}

/** No answer arrived: refused, reset, name not found, redirected. */
export class ConnectionError extends OpenGridError {
  override name = 'ConnectionError';
}

/** No complete answer within `timeoutMs`. */
export class TimeoutError extends ConnectionError {
  override name = 'TimeoutError';
}

/** The caller's own `AbortSignal` fired. Never retried. */
export class UserAbortError extends OpenGridError {
  override name = 'UserAbortError';
}

/** A 2xx answer that is not what the contract promises, a proxy's HTML page for instance. */
export class InvalidResponseError extends OpenGridError {
  override name = 'InvalidResponseError';
  readonly requestId: string | null;

  constructor(message: string, requestId: string | null) {
    super(message);
    this.requestId = requestId;
  }
}

/** A list that says it goes on without a usable cursor: what was read so far is not the whole of it. */
export class TruncatedListError extends OpenGridError {
  override name = 'TruncatedListError';
}

const classByStatus = new Map<number, typeof ApiError>([
  [400, BadRequestError],
  [401, AuthenticationError],
  [402, PaymentRequiredError],
  [403, PermissionDeniedError],
  [404, NotFoundError],
  [409, ConflictError],
  [422, UnprocessableError],
  [429, RateLimitError],
]);

/** Builds the class that belongs to a status; statuses without one of their own give the plain `ApiError`. */
export const apiErrorOf = (details: ApiErrorDetails): ApiError => {
  const fallback = details.status >= 500 ? ServerError : ApiError;
  const ErrorClass = classByStatus.get(details.status) ?? fallback;
  return new ErrorClass(details);
};
