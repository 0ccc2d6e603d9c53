import type { IncomingHttpHeaders } from 'node:http';
import {
  type DialectName,
  errorEvent,
  type GridError,
  httpStatusOf,
  messagesErrorEvent,
} from '@opengrid/wire';
import type { Caller } from '../ports/identity.ts';
import type { AnthropicHeaders } from './call.ts';
import type { Buyer } from './delivery/buyer.ts';
import type { GridContext } from './http/context.ts';
import { errorResponse } from './http/errors.ts';
import type { ParkedCall } from './redirect/parked-calls.ts';

/** An inference request as it came in, with who sent it and where the answer goes. */
export interface Incoming {
  readonly context: GridContext;
  readonly caller: Caller;
  readonly dialect: DialectName;
  /** Route template. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly buyer: Buyer;
  /** Where second hops go: an origin without a slash at its end. */
  readonly gatewayUrl: string;
  /** Set on the second hop of a request that was sent on. */
  readonly parked?: ParkedCall;
}

/** Version and flags for endpoints of the Anthropic wire. Other surfaces have none. */
export function anthropicHeadersOf({ dialect, headers }: Incoming): AnthropicHeaders {
  if (dialect !== 'messages') return { version: undefined, betas: [] };
  const [version, beta] = [headers['anthropic-version'], headers['anthropic-beta']];
  const flags = [beta ?? []].flat().flatMap((text) => text.split(','));
  return {
    version: typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version) ? version : undefined,
    betas: flags.map((flag) => flag.trim()).filter((flag) => /^[a-z0-9-]{1,64}$/.test(flag)),
  };
}

/** Tells the buyer of an error: as an answer, or as the last event of a stream that has begun. */
export function fail({ context, buyer, dialect }: Incoming, error: GridError): void {
  const { headers, body } = errorResponse(context, error);
  if (buyer.isStreaming)
    buyer.breakOff(buyer.printFault?.(error) ?? faultEvent(dialect, error, context.requestId));
  else buyer.sendJson(httpStatusOf(error.code), headers, body);
}

/** The event that ends a stream with a fault before any supplier was asked. */
function faultEvent(dialect: DialectName, error: GridError, requestId: string): string {
  if (dialect === 'messages') return messagesErrorEvent(error, requestId);
  return dialect === 'responses' ? `event: error\n${errorEvent(error)}` : errorEvent(error);
}
