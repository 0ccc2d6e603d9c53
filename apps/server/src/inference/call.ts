import type { InferenceRequest } from '@opengrid/wire';
import type { Instrument } from '../ports/catalogue.ts';
import type { Caller } from '../ports/identity.ts';
import type { HoldPlan, LiveHold } from './admission/hold.ts';
import type { Buyer } from './delivery/buyer.ts';
import type { Terminal } from './terminal.ts';

/** Version and flags of the Anthropic wire, as the client sent them. */
export interface AnthropicHeaders {
  readonly version: string | undefined;
  readonly betas: readonly string[];
}

/** One inference request after it was admitted. */
export interface Call {
  readonly requestId: string;
  readonly createdAtMs: number;
  /** Route template. */
  readonly route: string;
  readonly caller: Caller;
  readonly instrument: Instrument;
  readonly request: InferenceRequest;
  readonly plan: HoldPlan;
  readonly hold: LiveHold;
  /** Output limit that is sent to suppliers; undefined sends none. */
  readonly outputLimit: number | undefined;
  readonly maxPriceTicks: number | null;
  readonly buyer: Buyer;
  readonly terminal: Terminal;
  /** What the client asked of an Anthropic wire in headers, for endpoints that speak it. */
  readonly anthropic: AnthropicHeaders;
  /** Response headers known so far; attempts add to them. */
  readonly headers: Readonly<Record<string, string>>;
}
