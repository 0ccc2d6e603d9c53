import type { ChatRequest } from '@opengrid/wire';
import type { Instrument } from '../ports/catalogue.ts';
import type { Caller } from '../ports/identity.ts';
import type { HoldPlan, LiveHold } from './admission/hold.ts';
import type { Buyer } from './delivery/buyer.ts';
import type { Terminal } from './terminal.ts';

/** One inference request after it was admitted. */
export interface Call {
  readonly requestId: string;
  readonly createdAtMs: number;
  /** Route template. */
  readonly route: string;
  readonly caller: Caller;
  readonly instrument: Instrument;
  readonly request: ChatRequest;
  readonly plan: HoldPlan;
  readonly hold: LiveHold;
  /** Output limit that is sent to suppliers; undefined sends none. */
  readonly outputLimit: number | undefined;
  readonly maxPriceTicks: number | null;
  readonly buyer: Buyer;
  readonly terminal: Terminal;
  /** Response headers known so far; attempts add to them. */
  readonly headers: Readonly<Record<string, string>>;
}
