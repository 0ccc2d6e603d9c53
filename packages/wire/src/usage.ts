/**
 * Tokens of one answer in classes that do not overlap, except `reasoning`, which is part of `output`.
 * The dialects count cached input differently, so each is converted to these at the edge.
 */
export interface TokenUsage {
  readonly inputUncached: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  /** Part of `output`. */
  readonly reasoning: number;
}

/** The usage member of chat completions. */
export interface OpenAiUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** All input tokens, cached ones included. */
export function inputTokensOf(usage: TokenUsage): number {
  return usage.inputUncached + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h;
}

/** What is billed: input and output, one for one. */
export function totalTokensOf(usage: TokenUsage): number {
  return inputTokensOf(usage) + usage.output;
}

/** Throws when a usage made here is not whole, is negative, or has more reasoning than output. */
export function assertTokenUsage(usage: TokenUsage): void {
  for (const [name, count] of Object.entries(usage)) {
    if (!isCount(count)) throw new RangeError(`${name} is not a token count`);
  }
  if (usage.reasoning > usage.output) throw new RangeError('reasoning is part of output');
  if (!Number.isSafeInteger(totalTokensOf(usage))) throw new RangeError('total is not a safe integer');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

// A detail that is absent (or null) counts nothing; one that is there and is no count makes the report void.
function detailOf(details: unknown, name: string): number | undefined {
  const value = memberOf(details, name) ?? 0;
  return isCount(value) ? value : undefined;
}

/**
 * Reads a supplier's usage report. `undefined` when there is none or it makes no sense (negative,
 * fractional, above 2^53, details larger than what they are part of): then the exchange counts itself.
 * A report of zeros is a report.
 */
export function usageFromOpenAi(report: unknown): TokenUsage | undefined {
  const input = memberOf(report, 'prompt_tokens');
  const output = memberOf(report, 'completion_tokens');
  const inputDetails = memberOf(report, 'prompt_tokens_details');
  const cacheRead = detailOf(inputDetails, 'cached_tokens');
  const reasoning = detailOf(memberOf(report, 'completion_tokens_details'), 'reasoning_tokens');
  if (!isCount(input) || !isCount(output) || cacheRead === undefined || reasoning === undefined)
    return undefined;
  if (cacheRead > input || reasoning > output || !isCount(input + output)) return undefined;
  return { inputUncached: input - cacheRead, cacheRead, cacheWrite5m: 0, cacheWrite1h: 0, output, reasoning };
}

/** The usage member of a chat completion. Throws when the usage breaks its own sums. */
export function usageToOpenAi(usage: TokenUsage): OpenAiUsage {
  assertTokenUsage(usage);
  return {
    prompt_tokens: inputTokensOf(usage),
    completion_tokens: usage.output,
    total_tokens: totalTokensOf(usage),
    prompt_tokens_details: { cached_tokens: usage.cacheRead },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}
