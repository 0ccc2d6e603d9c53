import type { Outlet } from '../outlet.ts';

/** One subscription of one socket to a stream of a market. */
export interface MarketSubscriber {
  readonly outlet: Outlet;
  /** The market as the client spelled it: its events say it the same way. */
  readonly market: string;
}
