export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** The specification of a tier: minimum thresholds that any model of any supplier may fill. */
export interface InstrumentSpecification {
  readonly contextTokens: number;
  readonly maxInputTokens: number;
  readonly maxOutputTokens: number;
  readonly ttftMsMax: number;
  readonly tokensPerSecondMin: number;
  /** Ratio, such as 0.99. */
  readonly uptimeMin: number;
  readonly errorRateMax: number;
  readonly qualityIndex: string | null;
  readonly qualityFloor: number | null;
  readonly reasoningEfforts: readonly Effort[];
  readonly defaultEffort: Effort;
  readonly hasReasoningToggle: boolean;
  readonly acceptsImages: boolean;
  readonly acceptsTemperature: boolean;
}

export interface Instrument {
  /** Small dense integer the exchange knows the instrument by. */
  readonly instrumentNo: number;
  /** `instrument-<uuid>` and `market-<uuid>`. */
  readonly instrumentId: string;
  readonly marketId: string;
  readonly symbol: string;
  readonly name: string;
  readonly family: string;
  readonly tier: string;
  readonly stage: 'live' | 'preview' | 'lab';
  readonly status: 'active' | 'inactive' | 'deprecated';
  readonly specVersion: number;
  readonly specification: InstrumentSpecification;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface InstrumentCatalogue {
  /** By symbol in any case, instrument or market id in any spelling of the contract, or bare uuid. */
  find(reference: string): Instrument | undefined;
  byNumber(instrumentNo: number): Instrument | undefined;
  list(): readonly Instrument[];
}
