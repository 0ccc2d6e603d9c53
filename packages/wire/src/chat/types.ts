import type { Content } from '../content.ts';
import type { Effort } from '../effort.ts';
import type { JsonObject } from '../json/parse.ts';

/** What an endpoint must be able to do before the request may go to it. */
export interface ChatNeeds {
  readonly tools: boolean;
  readonly jsonSchema: boolean;
  readonly images: boolean;
  readonly logprobs: boolean;
  /** More than one choice. */
  readonly n: boolean;
}

/**
 * The part of a request that is content, reduced to the fields that may be forwarded. Field names are those
 * of the wire; legacy functions have become tools. Absent means that the client did not set the field.
 */
export interface ChatBody {
  readonly messages: readonly JsonObject[];
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: boolean;
  readonly response_format?: JsonObject;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop?: string | readonly string[];
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
  readonly logit_bias?: JsonObject;
  readonly frequency_penalty?: number;
  readonly presence_penalty?: number;
  readonly seed?: number;
  readonly verbosity?: string;
  /** Fields this gateway does not know, for endpoints that name them in their pass-through list. */
  readonly unknown: ReadonlyMap<string, unknown>;
}

/** A checked chat completion request. Everything outside `body` is free of content. */
export interface ChatRequest {
  readonly dialect: 'chat';
  /** As sent; `undefined` when the account's default instrument is meant. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The client wants a last chunk with usage. Always false without `stream`. */
  readonly includeUsage: boolean;
  /** The smaller of `max_completion_tokens` and `max_tokens`. */
  readonly maxOutputTokens: number | undefined;
  /** The field that set it, for error messages. */
  readonly maxOutputParam: 'max_completion_tokens' | 'max_tokens';
  readonly choiceCount: number;
  readonly effort: Effort | undefined;
  /** Reasoning text is part of every answer of this dialect. */
  readonly showsReasoning: true;
  readonly temperature?: number;
  /** Unknown or ignored parameters are an error. */
  readonly strictParams: boolean;
  /** Names of dropped fields, safe for a header. */
  readonly ignoredParams: readonly string[];
  readonly needs: ChatNeeds;
  /** UTF-8 bytes that count as input: messages, tools, schema. */
  readonly textBytes: number;
  readonly imageCount: number;
  readonly body: Content<ChatBody>;
}
