import { ApiError, ConnectionError, LiveError, OpenGridError } from '@opengrid/sdk';
import { CliFailure } from '../failure.ts';

/** What a person can try next, by the code that the server refused with. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['unknown_key', 'Register the key first: `opengrid keys register --account <account> --key-file <file>`.'],
  ['key_revoked', 'Make and register another key: `opengrid keys generate --out <file>`.'],
  ['auto_mode_trading_restricted', '`opengrid accounts mode <account> advanced` lets the account trade.'],
  ['insufficient_balance', '`opengrid balances` shows what there is.'],
  ['market_not_found', '`opengrid markets` shows every market.'],
  ['instrument_not_found', '`opengrid markets` shows every instrument.'],
  ['order_not_found', '`opengrid orders list --status all` shows every order.'],
  ['outcome_unknown', 'Ask for the order before you place it again: `opengrid orders list`.'],
]);

/** Turns what the client library throws into a sentence, with the request id where there is one. */
export function gridFailure(error: unknown): unknown {
  if (error instanceof ApiError) return apiFailure(error);
  if (error instanceof LiveError)
    return new CliFailure(error.code, error.message, { hint: HINTS.get(error.code) });
  if (error instanceof ConnectionError)
    return new CliFailure('no_answer', error.message, {
      hint: 'Check --url (or OPENGRID_URL), and that the server runs: `opengrid status`.',
    });
  if (error instanceof OpenGridError) return new CliFailure('client_error', error.message);
  return error;
}

function apiFailure(error: ApiError): CliFailure {
  const { code, message, fields, requestId } = error;
  const hints = [HINTS.get(code ?? ''), requestId === null ? undefined : `Request ${requestId}.`];
  const hint = hints.filter((text) => text !== undefined).join('\n') || undefined;
  return new CliFailure(code ?? `http_${error.status}`, message, { hint, fields });
}
