import type { ReplayPolicy } from './auth/replays.ts';

/** Limits and choices of the Trading surface. Rates are per second; 0 = no limit. */
export interface TradingSettings {
  /** Order create and amend, per account and market. */
  readonly orderRate: number;
  readonly orderBurst: number;
  readonly orderRpm: number;
  /** Cancels, per account. */
  readonly cancelRate: number;
  /** Reads with a credential, per account. */
  readonly signedReadRate: number;
  /** Public reads, per client address. */
  readonly publicRate: number;
  readonly signatureReplay: ReplayPolicy;
  /** How cancelling an order that is cancelled already is answered. */
  readonly alreadyCancelledStatus: 200 | 409 | 500;
  /** Whether units may be brought back from consumption to trading. */
  readonly isTransferBackOn: boolean;
  /** Authenticated sockets of one account; 0 = no limit, here and below. */
  readonly socketConnections: number;
  /** Streams of one socket. */
  readonly socketSubscriptions: number;
  /** Messages from one socket, per second. */
  readonly socketMessageRate: number;
  /** Sockets that are not authenticated, per client address. */
  readonly socketsPerAddress: number;
  /** Header in which a proxy that rewrites paths hands over the original request target; null = none is trusted. */
  readonly originalTargetHeader: string | null;
}

export const DEFAULT_TRADING_SETTINGS: TradingSettings = {
  orderRate: 10,
  orderBurst: 20,
  orderRpm: 600,
  cancelRate: 50,
  signedReadRate: 50,
  publicRate: 20,
  signatureReplay: 'coalesce',
  alreadyCancelledStatus: 200,
  isTransferBackOn: true,
  socketConnections: 10,
  socketSubscriptions: 50,
  socketMessageRate: 100,
  socketsPerAddress: 100,
  originalTargetHeader: null,
};
