import type { TokenUsage } from '@opengrid/wire';
import { inputTokensOf, totalTokensOf } from '@opengrid/wire';
import type { Report } from './usage-drift.ts';

/** Where the numbers of a bill come from. */
export type UsageSource = 'supplier' | 'partial' | 'estimated';

export interface Bill {
  readonly usage: TokenUsage;
  readonly source: UsageSource;
  /** Whether the exchange's own count bears the supplier's report out; absent without a report. */
  readonly report?: Report;
}

export const NO_USAGE: TokenUsage = {
  inputUncached: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
  reasoning: 0,
};

/** The most that may be billed for what the exchange counted itself. */
export function toleratedTokens(countedTokens: number, tolerancePercent: number): number {
  return Math.ceil((countedTokens * (100 + tolerancePercent)) / 100);
}

/** Usage of an answer that nobody reported: the exchange's own count. */
export function countedUsage(inputTokens: number, outputTokens: number): TokenUsage {
  return { ...NO_USAGE, inputUncached: inputTokens, output: outputTokens };
}

/**
 * Cuts a report down to at most these tokens of input and output. Cached input is part of the input, reasoning of the
 * output, so they shrink with what they are part of.
 */
export function limitUsage(usage: TokenUsage, limits: { input: number; output: number }): TokenUsage {
  const output = Math.min(usage.output, limits.output);
  const limited = { ...usage, output, reasoning: Math.min(usage.reasoning, output) };
  let excess = Math.max(0, inputTokensOf(usage) - limits.input);
  for (const part of ['inputUncached', 'cacheWrite1h', 'cacheWrite5m', 'cacheRead'] as const) {
    const cut = Math.min(excess, limited[part]);
    limited[part] -= cut;
    excess -= cut;
  }
  return limited;
}

/** Cuts a bill down to what is held: first the output, then the input. The excess is nobody's. */
export function fitToHold(usage: TokenUsage, heldTokens: number): TokenUsage {
  if (totalTokensOf(usage) <= heldTokens) return usage;
  const input = Math.min(inputTokensOf(usage), heldTokens);
  return limitUsage(usage, { input, output: heldTokens - input });
}
