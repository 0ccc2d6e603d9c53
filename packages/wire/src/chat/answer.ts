import { isJsonObject, type JsonObject } from '../json/parse.ts';

/** How a choice ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Why a supplier's answer could not be used. The supplier's own text is never kept. */
export type AnswerError = 'malformed' | 'upstream_error';

/** What the exchange puts in the place of the supplier's envelope. */
export interface ChatEnvelope {
  readonly completionId: string;
  readonly createdSeconds: number;
  /** The registered name of the model that serves. */
  readonly servedModel: string;
}

/** A value that was not there, as opposed to one that breaks the shape. */
export const MALFORMED = Symbol('malformed');

/** Spellings that suppliers use for the four reasons of this dialect. */
const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['function_call', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
]);

/**
 * The finish reason of a choice: `null` while it runs. A reason nobody knows means that the model stopped.
 */
export function finishReasonOf(value: unknown): FinishReason | null | typeof MALFORMED {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || value === 'error') return MALFORMED;
  return FINISH_REASONS.get(value) ?? 'stop';
}

/** A text member that may be absent or null. */
export function textOf(value: unknown): string | null | undefined | typeof MALFORMED {
  return value === undefined || value === null || typeof value === 'string' ? value : MALFORMED;
}

/** The reasoning text, which some suppliers call `reasoning`. What is not text is dropped. */
export function reasoningOf(source: JsonObject): string | undefined {
  if (typeof source.reasoning_content === 'string') return source.reasoning_content;
  return typeof source.reasoning === 'string' ? source.reasoning : undefined;
}

/** The arguments of a tool call as text; some suppliers send the object itself. */
export function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isJsonObject(value) ? JSON.stringify(value) : '';
}

/** Whether a payload is a supplier's error rather than an answer. */
export function isUpstreamError(payload: JsonObject): boolean {
  return (payload.error !== undefined && payload.error !== null) || payload.object === 'error';
}
