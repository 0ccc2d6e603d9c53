import { formatIso } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';

/**
 * The versions of a specification, newest first. A version never changes and a weaker one is another instrument, so the
 * catalogue keeps the one in force, and its history begins with the instrument.
 */
export function specificationVersions(instrument: Instrument): Record<string, unknown>[] {
  const since = instrument.specVersion === 1 ? instrument.createdAtMs : instrument.updatedAtMs;
  return [
    {
      spec_version: instrument.specVersion,
      effective_from: formatIso(since),
      announced_at: formatIso(since),
      thresholds: thresholdsOf(instrument),
      changes: [],
    },
  ];
}

function thresholdsOf({ specification: spec }: Instrument): Record<string, unknown> {
  return {
    context_window: spec.contextTokens,
    max_input_tokens: spec.maxInputTokens,
    max_output_tokens: spec.maxOutputTokens,
    ttft_ms_max: spec.ttftMsMax,
    tokens_per_second_min: spec.tokensPerSecondMin,
    uptime_min: spec.uptimeMin,
    error_rate_max: spec.errorRateMax,
    quality_index: spec.qualityIndex,
    quality_score_min: spec.qualityFloor,
    reasoning_efforts: spec.reasoningEfforts,
    reasoning_toggle: spec.hasReasoningToggle,
    input_modalities: spec.acceptsImages ? ['text', 'image'] : ['text'],
    temperature: spec.acceptsTemperature,
  };
}
