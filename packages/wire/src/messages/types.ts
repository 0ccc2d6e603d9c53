import type { ChatNeeds } from '../chat/types.ts';
import type { Content } from '../content.ts';
import type { Effort } from '../effort.ts';
import type { JsonObject } from '../json/parse.ts';

/** What an endpoint must be able to do before a request of any surface may go to it. */
export interface RequestNeeds extends ChatNeeds {
  /** Documents or results of searches. */
  readonly documents?: boolean;
  /** Typed tools that the client runs. */
  readonly clientTools?: boolean;
  /** Tools that are called with free text. */
  readonly customTools?: boolean;
}

/** The content of a Messages request, reduced to the fields that may be forwarded, in the words of the wire. */
export interface MessagesBody {
  readonly system?: string | readonly JsonObject[];
  readonly messages: readonly JsonObject[];
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: JsonObject;
  readonly thinking?: JsonObject;
  readonly output_format?: JsonObject;
  readonly context_management?: JsonObject;
  readonly cache_control?: JsonObject;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly stop_sequences?: readonly string[];
  /** Something carries a mark for the supplier's prompt cache. */
  readonly hasCacheMarks: boolean;
  /** Fields this gateway does not know, for endpoints that name them in their pass-through list. */
  readonly unknown: ReadonlyMap<string, unknown>;
}

/** A checked Messages request. Everything outside `body` is free of content. */
export interface MessagesRequest {
  readonly dialect: 'messages';
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Every stream of this dialect ends with usage. */
  readonly includeUsage: true;
  /** Absent only in a request to count tokens. */
  readonly maxOutputTokens: number | undefined;
  readonly maxOutputParam: 'max_tokens';
  readonly choiceCount: 1;
  /** From `output_config.effort`, else from `thinking`. */
  readonly effort: Effort | undefined;
  /** The effort was made from `thinking`, which counts only where reasoning has a toggle. */
  readonly isEffortFromThinking: boolean;
  /** Reasoning is returned only if `thinking` was enabled. */
  readonly showsReasoning: boolean;
  readonly temperature?: number;
  readonly strictParams: boolean;
  readonly ignoredParams: readonly string[];
  readonly needs: RequestNeeds;
  readonly textBytes: number;
  readonly imageCount: number;
  readonly body: Content<MessagesBody>;
}
