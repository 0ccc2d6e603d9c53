import { isJsonObject } from '../json/parse.ts';
import { inputTokensOf, type TokenUsage, totalTokensOf, usageFromOpenAi, usageToOpenAi } from '../usage.ts';

/** The usage member of a response. */
export interface ResponsesUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** Reads a supplier's report on the Responses wire, which is that of chat completions under other names. */
export function usageFromResponses(report: unknown): TokenUsage | undefined {
  if (!isJsonObject(report)) return undefined;
  return usageFromOpenAi({
    prompt_tokens: report.input_tokens,
    completion_tokens: report.output_tokens,
    prompt_tokens_details: report.input_tokens_details,
    completion_tokens_details: report.output_tokens_details,
  });
}

/** The usage member of a response. Throws when the usage breaks its own sums. */
export function usageToResponses(usage: TokenUsage): ResponsesUsage {
  const chat = usageToOpenAi(usage);
  return {
    input_tokens: inputTokensOf(usage),
    input_tokens_details: chat.prompt_tokens_details,
    output_tokens: usage.output,
    output_tokens_details: chat.completion_tokens_details,
    total_tokens: totalTokensOf(usage),
  };
}
