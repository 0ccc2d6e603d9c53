import { isJsonObject, type JsonObject } from '../json/parse.ts';
import { assertTokenUsage, type TokenUsage } from '../usage.ts';

/** The usage member of this dialect. Its input leaves cached tokens out. */
export interface MessagesUsage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
}

const ABSENT = 0;

/** A count that may be absent or null, which counts nothing; `undefined` for what is no count. */
function countOf(value: unknown): number | undefined {
  const count = value ?? ABSENT;
  return Number.isSafeInteger(count) && (count as number) >= 0 ? (count as number) : undefined;
}

function detailsOf(report: JsonObject, name: string): JsonObject {
  const details = report[name];
  return isJsonObject(details) ? details : {};
}

/**
 * Reads a supplier's report on the Anthropic wire. `undefined` when there is none or it makes no sense, as
 * with the report of chat completions. Cache writes without a duration are taken for those of five minutes.
 */
export function usageFromMessages(report: unknown): TokenUsage | undefined {
  if (!isJsonObject(report)) return undefined;
  if (report.input_tokens === undefined || report.output_tokens === undefined) return undefined;
  if (report.input_tokens === null || report.output_tokens === null) return undefined;
  const created = detailsOf(report, 'cache_creation');
  const counts = {
    input: countOf(report.input_tokens),
    output: countOf(report.output_tokens),
    cacheRead: countOf(report.cache_read_input_tokens),
    written: countOf(report.cache_creation_input_tokens),
    written1h: countOf(created.ephemeral_1h_input_tokens),
    reasoning: countOf(detailsOf(report, 'output_tokens_details').thinking_tokens),
  };
  return Object.values(counts).includes(undefined)
    ? undefined
    : classesOf(counts as Record<keyof typeof counts, number>);
}

function classesOf(counts: {
  input: number;
  output: number;
  cacheRead: number;
  written: number;
  written1h: number;
  reasoning: number;
}): TokenUsage | undefined {
  if (counts.written1h > counts.written || counts.reasoning > counts.output) return undefined;
  const usage = {
    inputUncached: counts.input,
    cacheRead: counts.cacheRead,
    cacheWrite5m: counts.written - counts.written1h,
    cacheWrite1h: counts.written1h,
    output: counts.output,
    reasoning: counts.reasoning,
  };
  const total = counts.input + counts.cacheRead + counts.written + counts.output;
  return Number.isSafeInteger(total) ? usage : undefined;
}

/** The usage member of a message. Throws when the usage breaks its own sums. */
export function usageToMessages(usage: TokenUsage): MessagesUsage {
  assertTokenUsage(usage);
  return {
    input_tokens: usage.inputUncached,
    cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
  };
}
