import type { Instrument } from '../../ports/catalogue.ts';
import type { Endpoint } from '../../ports/supply.ts';

const LONG_INPUT_TOKENS = 32_000;
/** What each started further stretch of long input adds to the ceiling of the first byte. */
const LONG_INPUT_ALLOWANCE_MS = 1_000;
const RATED_OUTPUT_TOKENS = 256;

/** What was measured of a delivery. Null where it could not be. */
export interface Measured {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly ttftMs: number | null;
  readonly tokensPerSecond: number | null;
  readonly upstreamModel: string | undefined;
}

/** Whether a completed delivery met the specification of its instrument, each bound with 10 % of grace. */
export function isInSpec(instrument: Instrument, endpoint: Endpoint, measured: Measured): boolean {
  const { ttftMsMax, tokensPerSecondMin } = instrument.specification;
  const stretches = Math.max(0, Math.ceil(measured.inputTokens / LONG_INPUT_TOKENS) - 1);
  const ttftLimitMs = ttftMsMax * 1.1 + stretches * LONG_INPUT_ALLOWANCE_MS;
  if (measured.ttftMs !== null && measured.ttftMs > ttftLimitMs) return false;
  const isRated = measured.outputTokens >= RATED_OUTPUT_TOKENS && measured.tokensPerSecond !== null;
  if (isRated && (measured.tokensPerSecond ?? 0) < tokensPerSecondMin * 0.9) return false;
  return !contradicts(endpoint, measured.upstreamModel);
}

/** Suppliers often report a dated version of the model they were asked for, which is no contradiction. */
function contradicts(endpoint: Endpoint, reported: string | undefined): boolean {
  if (reported === undefined || reported === '') return false;
  const name = reported.toLowerCase();
  const known = [endpoint.upstreamModel.toLowerCase(), endpoint.servedModel.toLowerCase()];
  return !known.some((model) => name.startsWith(model) || model.endsWith(`/${name}`));
}
