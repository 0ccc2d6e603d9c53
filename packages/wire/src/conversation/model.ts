import type { JsonObject } from '../json/parse.ts';

/** The inference dialects, by the name of their surface. */
export type DialectName = 'chat' | 'messages' | 'responses';

/** Who speaks. Results of tools are parts of the user's turn. */
export type Role = 'system' | 'developer' | 'user' | 'assistant';

/** Written text. */
export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

/** A picture: an https address, or a data URL whose base64 is kept byte for byte. */
export interface ImagePart {
  readonly type: 'image';
  readonly url: string;
  readonly detail?: string;
}

/** Something only one dialect has, in that dialect's words: a document, a result of a search. */
export interface ForeignPart {
  readonly type: 'foreign';
  readonly dialect: DialectName;
  readonly value: JsonObject;
}

/** A refusal that the model put into words. */
export interface RefusalPart {
  readonly type: 'refusal';
  readonly text: string;
}

/** How a tool is called: with JSON for its schema, or with free text. */
export type CallKind = 'function' | 'custom';

/** The model calls a tool. `arguments` is the text of the call as the model wrote it. */
export interface CallPart {
  readonly type: 'call';
  readonly kind: CallKind;
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What a tool answered. */
export interface ResultPart {
  readonly type: 'result';
  readonly kind: CallKind;
  readonly callId: string;
  readonly isError: boolean;
  readonly parts: readonly (TextPart | ImagePart | ForeignPart)[];
}

/** Reasoning that may be shown, with the sealed proof of the endpoint that made it. */
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  /** Signature or encrypted reasoning, sealed for its endpoint; absent where there is none. */
  readonly sealed?: string;
}

/** Reasoning of which only the sealed form was given. */
export interface RedactedPart {
  readonly type: 'redacted';
  readonly sealed: string;
}

/** One piece of a turn. */
export type Part =
  | TextPart
  | ImagePart
  | ForeignPart
  | RefusalPart
  | CallPart
  | ResultPart
  | ReasoningPart
  | RedactedPart;

/** One turn of a conversation. */
export interface Turn {
  readonly role: Role;
  readonly parts: readonly Part[];
}

/** A tool that the client runs. */
export type Tool =
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly description?: string;
      /** JSON Schema of the arguments; absent means none are taken. */
      readonly parameters?: JsonObject;
      readonly strict?: boolean;
    }
  /** A tool only one dialect has, in that dialect's words. */
  | {
      readonly kind: 'foreign';
      readonly dialect: DialectName;
      readonly name: string;
      readonly value: JsonObject;
    };

/** What the model must do with the tools. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/** The shape of the answer, where it is not free text. */
export type OutputFormat =
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly name: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
    };

/** How the next token is chosen. Absent means that the client did not say. */
export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly logitBias?: JsonObject;
  readonly logprobs?: boolean;
  readonly topLogprobs?: number;
  readonly verbosity?: string;
}

/**
 * What a client asked, free of any dialect. Names of fields that the reading dialect has and this model
 * has not are in `lost`, so that nothing is dropped in silence.
 */
export interface Conversation {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly outputFormat?: OutputFormat;
  readonly sampling: Sampling;
  readonly lost: readonly string[];
}
