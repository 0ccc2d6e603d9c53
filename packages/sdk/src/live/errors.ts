import { ConnectionError, OpenGridError } from '../core/error.ts';
import { type Fields, fieldsOf } from './frame.ts';

/** The server refused something that was asked for over the socket. */
export class LiveError extends OpenGridError {
  override name = 'LiveError';
  /** Catalogue code such as `insufficient_balance`, or a reason of the socket such as `unauthorized`. */
  readonly code: string;
  /** Numbers and ids that explain the refusal. */
  readonly context: ReadonlyMap<string, unknown>;

  constructor(code: string, message: string, context: ReadonlyMap<string, unknown> = new Map()) {
    super(message);
    this.code = code;
    this.context = context;
  }
}

/**
 * The socket ended, or stayed silent, after a command was sent and before it was answered. Ask for the order by its
 * client order id, or place it again under that id: it will never be there twice.
 */
export class OutcomeUnknownError extends ConnectionError {
  override name = 'OutcomeUnknownError';
  /** Of the order that was placed, amended or cancelled by it; null for other commands. */
  readonly clientOrderId: string | null;

  constructor(message: string, clientOrderId: string | null) {
    super(message);
    this.clientOrderId = clientOrderId;
  }
}

/** Reads the error in a reply: `{reason, message, context}`. */
export const liveErrorOf = (response: Fields): LiveError => {
  const code = typeof response.reason === 'string' ? response.reason : 'unknown';
  const message = typeof response.message === 'string' ? response.message : `The server answered: ${code}.`;
  return new LiveError(code, message, new Map(Object.entries(fieldsOf(response.context))));
};
