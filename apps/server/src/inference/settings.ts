import type { InstanceRoutingMode } from './redirect/routing-mode.ts';

/** Every limit and deadline of the Consumption API. The defaults are those of the public contract. */
export interface InferenceSettings {
  readonly bodyLimitBytes: number;
  /** Requests a minute for each key; 0 switches the limit off. */
  readonly requestsPerMinute: number;
  /** Requests in flight for each account; 0 switches the limit off. */
  readonly requestsInFlight: number;
  /** Hang-ups a minute of which nothing could be billed, for each account; 0 switches the limit off. */
  readonly unbilledHangUpsPerMinute: number;
  /** Output tokens a hold has room for at first, and what it grows by. */
  readonly holdStepTokens: number;
  /** Output tokens a request must have room for to start. */
  readonly startOutputTokens: number;
  /** How long a request, or a growing hold, waits for a purchase. */
  readonly purchaseWaitMs: number;
  /** First and longest pause after a background purchase that failed. */
  readonly backOffMs: { readonly first: number; readonly longest: number };
  readonly attempts: number;
  /** Shared by all attempts: connecting, and waiting for refusals. */
  readonly connectBudgetMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  /** Silence after which a stream gets a comment (and its status, if it has none yet). */
  readonly keepAliveMs: number;
  /** What may wait for a slow client before the supplier is no longer read. */
  readonly bufferedBytes: number;
  /** Longest answer that is taken in one piece, and most text of a stream. */
  readonly answerBytes: number;
  /** How far a supplier's count may be above the exchange's own. */
  readonly countTolerancePercent: number;
  /** How long an exact count may take before the estimate is used. */
  readonly exactCountMs: number;
  /** How long a settlement is offered again to an exchange whose queue is full. */
  readonly settleRetryMs: number;
  /** Whether the exchange relays answers itself or sends clients on, where neither request nor key says. */
  readonly routingMode: InstanceRoutingMode;
  /** Origin of second hops; null: the origin the request came to. */
  readonly gatewayBaseUrl: string | null;
  /** How long a routing token is good for. */
  readonly routingTokenMs: number;
  /** Failures within the window after which an endpoint is left alone for as long as the window. */
  readonly circuit: { readonly failures: number; readonly windowMs: number };
  /** Share of an endpoint's last answers with reports beyond the tolerance from which on its operator is told. */
  readonly usageDrift: {
    readonly answers: number;
    readonly fewestAnswers: number;
    readonly sharePercent: number;
  };
}

export const DEFAULT_INFERENCE_SETTINGS: InferenceSettings = {
  bodyLimitBytes: 32 * 1024 * 1024,
  requestsPerMinute: 600,
  requestsInFlight: 64,
  unbilledHangUpsPerMinute: 20,
  holdStepTokens: 16_384,
  startOutputTokens: 256,
  purchaseWaitMs: 3_000,
  backOffMs: { first: 2_000, longest: 60_000 },
  attempts: 3,
  connectBudgetMs: 15_000,
  firstByteMs: 60_000,
  idleMs: 120_000,
  totalMs: 600_000,
  keepAliveMs: 15_000,
  bufferedBytes: 1024 * 1024,
  answerBytes: 32 * 1024 * 1024,
  countTolerancePercent: 15,
  exactCountMs: 1_000,
  settleRetryMs: 5_000,
  routingMode: 'direct',
  gatewayBaseUrl: null,
  routingTokenMs: 60_000,
  circuit: { failures: 3, windowMs: 10_000 },
  usageDrift: { answers: 50, fewestAnswers: 20, sharePercent: 20 },
};
