import { type CatalogueEntry, catalogueEntry, type ErrorCode, type Surface } from './catalogue.ts';

/** What may accompany an error code. Nothing in it may hold request content, a key or a supplier's text. */
export interface GridErrorExtras {
  /** One sentence that replaces the catalogue's. */
  readonly message?: string;
  /** The request field that caused the error. */
  readonly param?: string | null;
  /** Numbers and ids that explain the refusal, such as `required` and `available`. */
  readonly context?: Readonly<Record<string, number | string>>;
  /** Field errors of `validation_failed`: field name to messages. */
  readonly fields?: Readonly<Record<string, readonly string[]>>;
  /** Whole seconds, at least 1, for the `retry-after` header. */
  readonly retryAfterSeconds?: number;
  /** The scope that `insufficient_scope` misses; sent as `context.required_scope`. */
  readonly requiredScope?: string;
}

/** An expected failure, as a value. `errors/envelopes.ts` turns it into a response body. */
export interface GridError extends GridErrorExtras {
  readonly code: ErrorCode;
}

/** Makes an error value. */
export function gridError(code: ErrorCode, extras: GridErrorExtras = {}): GridError {
  return { code, ...extras };
}

/** The sentence for people: the error's own, else the catalogue's. */
export function messageOf(error: GridError): string {
  return error.message ?? catalogueEntry(error.code).defaultMessage;
}

/**
 * The HTTP status of a code on a surface.
 *
 * @throws Error for the two codes that occur only in receipts and are never an answer.
 */
export function httpStatusOf(code: ErrorCode, surface: Surface = 'consumption'): number {
  const { httpStatus }: CatalogueEntry = catalogueEntry(code);
  if (httpStatus === null) throw new Error(`${code} is a receipt code and has no HTTP status`);
  return typeof httpStatus === 'number' ? httpStatus : httpStatus[surface];
}

/** Carries a `GridError` as an exception, for the edge of a handler. Its message is safe to log. */
export class GridFailure extends Error {
  override readonly name = 'GridFailure';
  readonly error: GridError;

  constructor(error: GridError) {
    super(messageOf(error));
    this.error = error;
  }
}
