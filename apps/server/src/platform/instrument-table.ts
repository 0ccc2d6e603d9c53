import type { Effort, InstrumentSpecification } from '../ports/catalogue.ts';

/** One instrument as it ships. Numbers are given once and never reused: the journal knows instruments by them. */
export interface ShippedInstrument {
  readonly instrumentNo: number;
  readonly symbol: string;
  readonly name: string;
  readonly family: string;
  readonly tier: string;
  readonly stage: 'live' | 'preview' | 'lab';
  readonly status: 'active' | 'inactive';
  readonly specification: InstrumentSpecification;
  /** Configured reference price in ticks per unit; null = none, so nothing is bought automatically before a trade. */
  readonly referencePriceTicks: number | null;
}

const EFFORTS: readonly Effort[] = ['low', 'medium', 'high'];
const ALL_EFFORTS: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max'];

type TokenLimits = readonly [context: number, maxInput: number, maxOutput: number];

const STANDARD: TokenLimits = [128_000, 120_000, 65_536];
const PRIME: TokenLimits = [196_608, 120_000, 131_072];
const MAX: TokenLimits = [1_000_000, 922_000, 128_000];

/** Symbol, limits, TTFT ceiling (ms), tokens/s floor, uptime floor, quality floor, reference price (ticks per unit). */
type TierRow = readonly [string, TokenLimits, number, number, number, number | null, number];

// The floors of the previews are unset: their operator sets them before it admits suppliers of others.
const TIERS: readonly TierRow[] = [
  ['text-standard', STANDARD, 1_320, 100, 0.99, 18, 2_500],
  ['text-prime', PRIME, 4_620, 40, 0.995, 38, 9_500],
  ['text-max', MAX, 3_500, 30, 0.995, 53, 60_000],
  ['code-standard', STANDARD, 1_500, 100, 0.99, null, 3_000],
  ['code-prime', PRIME, 4_000, 40, 0.995, null, 11_000],
  ['code-max', MAX, 5_000, 30, 0.995, null, 70_000],
  ['agent-standard', STANDARD, 2_000, 100, 0.99, null, 3_500],
  ['agent-prime', PRIME, 5_000, 40, 0.995, null, 12_000],
  ['agent-max', MAX, 6_000, 30, 0.995, null, 75_000],
];

const QUALITY_INDEX: ReadonlyMap<string, string> = new Map([
  ['text', 'aa_intelligence'],
  ['code', 'aa_coding'],
  ['agent', 'aa_agentic'],
]);

/** Symbol, name, limits, efforts, reasoning toggle, images. */
type LabRow = readonly [
  string,
  string,
  TokenLimits,
  readonly Effort[],
  'toggle' | 'fixed',
  'images' | 'text',
];

const LABS: readonly LabRow[] = [
  ['claude-opus-latest', 'Claude Opus Latest', MAX, ALL_EFFORTS, 'toggle', 'images'],
  ['gpt-sol-latest', 'GPT Sol Latest', MAX, EFFORTS, 'toggle', 'images'],
  ['gemini-pro-latest', 'Gemini Pro Latest', [1_000_000, 922_000, 65_536], EFFORTS, 'toggle', 'images'],
  ['deepseek-pro-latest', 'DeepSeek Pro Latest', [1_000_000, 922_000, 384_000], EFFORTS, 'fixed', 'text'],
  ['glm-latest', 'GLM Latest', MAX, EFFORTS, 'toggle', 'text'],
  ['minimax-latest', 'MiniMax Latest', [1_000_000, 922_000, 512_000], EFFORTS, 'fixed', 'text'],
  ['bytedance-pro-latest', 'ByteDance Pro Latest', [262_144, 256_000, 131_072], EFFORTS, 'toggle', 'text'],
  ['kimi-latest', 'Kimi Latest', [262_144, 256_000, 262_144], EFFORTS, 'fixed', 'text'],
];

function titleOf(symbol: string): string {
  return symbol
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}

function tierInstrument(row: TierRow, index: number): ShippedInstrument {
  const [symbol, limits, ttftMsMax, tokensPerSecondMin, uptimeMin, qualityFloor, referencePriceTicks] = row;
  const [family = '', tier = ''] = symbol.split('-');
  return {
    instrumentNo: index + 1,
    symbol,
    name: titleOf(symbol),
    family,
    tier,
    stage: family === 'text' ? 'live' : 'preview',
    status: 'active',
    referencePriceTicks,
    specification: {
      ...limitsOf(limits),
      ttftMsMax,
      tokensPerSecondMin,
      uptimeMin,
      errorRateMax: 0.01,
      qualityIndex: QUALITY_INDEX.get(family) ?? null,
      qualityFloor,
      reasoningEfforts: tier === 'max' ? ALL_EFFORTS : EFFORTS,
      defaultEffort: 'medium',
      hasReasoningToggle: tier === 'max',
      acceptsImages: false,
      acceptsTemperature: true,
    },
  };
}

function labInstrument(row: LabRow, index: number): ShippedInstrument {
  const [symbol, name, limits, reasoningEfforts, toggle, input] = row;
  return {
    instrumentNo: TIERS.length + index + 1,
    symbol,
    name,
    family: symbol.slice(0, symbol.indexOf('-')),
    tier: 'latest',
    stage: 'lab',
    status: 'inactive',
    referencePriceTicks: null,
    specification: {
      ...limitsOf(limits),
      ttftMsMax: 10_000,
      tokensPerSecondMin: 20,
      uptimeMin: 0.99,
      errorRateMax: 0.01,
      qualityIndex: null,
      qualityFloor: null,
      reasoningEfforts,
      defaultEffort: 'medium',
      hasReasoningToggle: toggle === 'toggle',
      acceptsImages: input === 'images',
      acceptsTemperature: false,
    },
  };
}

function limitsOf([contextTokens, maxInputTokens, maxOutputTokens]: TokenLimits) {
  return { contextTokens, maxInputTokens, maxOutputTokens };
}

/** Every instrument that ships: the nine tiers, traded and served, and the eight lab markets, switched off. */
export const SHIPPED_INSTRUMENTS: readonly ShippedInstrument[] = [
  ...TIERS.map(tierInstrument),
  ...LABS.map(labInstrument),
];
