import type { Content } from '../content.ts';
import type { Effort } from '../effort.ts';
import type { JsonObject } from '../json/parse.ts';
import type { RequestNeeds } from '../messages/types.ts';

/** The content of a Responses request, reduced to the fields that may be forwarded, in the words of the wire. */
export interface ResponsesBody {
  readonly instructions?: string;
  readonly input: string | readonly JsonObject[];
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: boolean;
  readonly text_format?: JsonObject;
  readonly verbosity?: string;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
  /** Fields this gateway does not know, for endpoints that name them in their pass-through list. */
  readonly unknown: ReadonlyMap<string, unknown>;
}

/** A checked Responses request. Everything outside `body` and `echo` is free of content. */
export interface ResponsesRequest {
  readonly dialect: 'responses';
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Every answer of this dialect ends with usage. */
  readonly includeUsage: true;
  readonly maxOutputTokens: number | undefined;
  readonly maxOutputParam: 'max_output_tokens';
  readonly choiceCount: 1;
  readonly effort: Effort | undefined;
  readonly showsReasoning: true;
  /** The client wants reasoning as a summary of this kind; else it gets the text itself. */
  readonly reasoningSummary: string | undefined;
  /** The client wants opaque reasoning, to send it back. */
  readonly includesEncryptedReasoning: boolean;
  readonly temperature?: number;
  readonly strictParams: boolean;
  readonly ignoredParams: readonly string[];
  readonly needs: RequestNeeds;
  readonly textBytes: number;
  readonly imageCount: number;
  readonly body: Content<ResponsesBody>;
  /** Members of the request that the answer repeats, from memory. */
  readonly echo: Content<JsonObject>;
}
