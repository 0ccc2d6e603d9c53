import { formatIso, formatPriceTicks, pricePerToken } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import type { Endpoint } from '../../ports/supply.ts';
import type { MarketQuote } from '../deps.ts';

/** What is said of an instrument beside its own definition. */
export interface ModelFacts {
  readonly quote: MarketQuote;
  readonly endpoints: readonly Endpoint[];
  readonly recentlyServed: readonly string[];
  /** Whether the caller could be served now; null without a caller. */
  readonly isFunded: boolean | null;
}

const UNIT_TOKENS = 1_000_000;
/** Surfaces that are served; others are added to the list when they are. */
const SUPPORTED_ENDPOINTS = ['/v1/chat/completions'];

/** An instrument as an entry of `GET /v1/models`. */
export function modelEntry(instrument: Instrument, facts: ModelFacts): Record<string, unknown> {
  const { specification } = instrument;
  return {
    id: instrument.symbol,
    object: 'model',
    created: Math.floor(instrument.createdAtMs / 1000),
    owned_by: 'opengrid',
    display_name: instrument.name,
    instrument_id: instrument.instrumentId,
    market_id: instrument.marketId,
    family: instrument.family,
    tier: instrument.tier,
    stage: instrument.stage,
    status: instrument.status,
    qualification: qualificationOf(facts.endpoints),
    spec_version: instrument.specVersion,
    context_length: specification.contextTokens,
    max_input_tokens: specification.maxInputTokens,
    max_completion_tokens: specification.maxOutputTokens,
    input_modalities: specification.acceptsImages ? ['text', 'image'] : ['text'],
    output_modalities: ['text'],
    attachments: specification.acceptsImages,
    capabilities: capabilitiesOf(instrument, facts.endpoints),
    reasoning: reasoningOf(instrument),
    quality: { index: specification.qualityIndex, floor: specification.qualityFloor },
    sla: {
      ttft_ms_max: specification.ttftMsMax,
      tokens_per_second_min: specification.tokensPerSecondMin,
      uptime_min: specification.uptimeMin,
      error_rate_max: specification.errorRateMax,
    },
    pricing: pricingOf(facts.quote),
    supported_endpoints: SUPPORTED_ENDPOINTS,
    recently_served: facts.recentlyServed,
    zero_data_retention: true,
    funded: facts.isFunded,
  };
}

/** Of the endpoints that serve it; null while nobody does. */
function qualificationOf(endpoints: readonly Endpoint[]): string | null {
  const kinds = new Set(endpoints.map(({ qualification }) => qualification));
  if (kinds.size > 1) return 'mixed';
  return [...kinds][0] ?? null;
}

/** What the specification promises, and what at least one endpoint offers beyond it. */
function capabilitiesOf(instrument: Instrument, endpoints: readonly Endpoint[]): Record<string, boolean> {
  return {
    tools: true,
    structured_outputs: true,
    streaming: true,
    temperature: instrument.specification.acceptsTemperature,
    logprobs: endpoints.some(({ capabilities }) => capabilities.logprobs),
  };
}

function reasoningOf({ specification }: Instrument): Record<string, unknown> {
  const isSupported = specification.reasoningEfforts.length > 0;
  return {
    supported: isSupported,
    mandatory: isSupported && !specification.hasReasoningToggle,
    toggle: specification.hasReasoningToggle,
    supported_efforts: specification.reasoningEfforts,
    default_effort: specification.defaultEffort,
  };
}

function pricingOf(quote: MarketQuote): Record<string, unknown> {
  const price = (ticks: number | null) => (ticks === null ? null : formatPriceTicks(ticks));
  const current = quote.askTicks ?? quote.lastTicks;
  const perToken = current === null ? null : pricePerToken(current);
  return {
    currency: 'USD',
    unit_tokens: UNIT_TOKENS,
    ask: price(quote.askTicks),
    bid: price(quote.bidTicks),
    last: price(quote.lastTicks),
    vwap_24h: price(quote.vwap24hTicks),
    vwap_7d: price(quote.vwap7dTicks),
    input_per_token: perToken,
    output_per_token: perToken,
  };
}

/** An instrument in the shape Anthropic's clients expect. */
export function anthropicEntry(instrument: Instrument): Record<string, unknown> {
  // Whole seconds, as that API prints them.
  const createdAt = formatIso(instrument.createdAtMs).replace(/\.\d{3}Z$/, 'Z');
  return { type: 'model', id: instrument.symbol, display_name: instrument.name, created_at: createdAt };
}
