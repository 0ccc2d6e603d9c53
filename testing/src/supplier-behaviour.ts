import type { IncomingHttpHeaders } from 'node:http';

/** A request as the double received it. Times are milliseconds since the epoch with a fraction. */
export type CapturedRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  bodyText: string;
  /** The parsed JSON body, or `undefined` when the body was not JSON. */
  body: unknown;
  /** When the last byte of the body was in. */
  arrivedAtMs: number;
  /** When the double saw that the other side had left before the answer was finished, else `null`. */
  closedByPeerAtMs: number | null;
  /** How many times the answer's body was written to so far. */
  writeCount: number;
  /** Settles once, when nothing more can happen on this request. */
  outcome: Promise<RequestOutcome>;
};

/** `cut` means that the double itself broke the answer off, as it was told to. */
export type RequestOutcome = 'completed' | 'peer-closed' | 'cut';

/** The dialects that the double speaks, by path: chat completions, messages, responses. */
export type SupplierDialect = 'chat' | 'messages' | 'responses';

/** What the answer says about tokens. */
export type TokenUsage = { promptTokens: number; completionTokens: number };

/**
 * - `as-asked`: in JSON answers always, in streams only with `stream_options.include_usage`.
 * - `always`: in streams even when nobody asked.
 * - `absent`, `null`, `zero`, `negative`: the field is left out, null, or holds zeroes or negative numbers.
 * - `wrong`: ten times the completion tokens.
 */
export type UsageReport =
  | 'as-asked'
  | 'always'
  | 'absent'
  | 'null'
  | 'zero'
  | 'negative'
  | 'wrong'
  | TokenUsage;

/**
 * - `complete`: everything, with the terminating HTTP chunk.
 * - `reset`, `half-close`: TCP reset, or FIN without the terminating HTTP chunk, after `endingAfterChunks`.
 * - `no-finish-reason`: a clean HTTP end after `endingAfterChunks`, with neither finish reason nor `[DONE]`.
 * - `no-done`: everything but `[DONE]`. `done-without-finish`: `[DONE]` without any finish reason.
 * - `stall`: silence after `endingAfterChunks`, the connection stays open.
 * - `never`: content chunks go on until the peer leaves (or the double closes).
 * In JSON answers `reset`, `half-close` and `stall` come after half of the body; the others mean `complete`.
 */
export type AnswerEnding =
  | 'complete'
  | 'reset'
  | 'half-close'
  | 'no-finish-reason'
  | 'no-done'
  | 'done-without-finish'
  | 'stall'
  | 'never';

/** Something odd in mid-stream. `error-event` is the last event of its stream; the others are passed over. */
export type Injection = {
  afterChunks: number;
  what: 'malformed-json' | 'error-event' | 'comments' | 'huge-event' | 'empty-choices' | 'named-event';
};

/** Opens by itself: when a promise settles, or when this many chat requests have arrived since the start. */
export type Hold = Promise<unknown> | { requestsAdmitted: number };

export type AnswerOptions = {
  /** Default: `chunkCount` plain words, one a chunk. */
  text?: string;
  /** Exact contents of the stream's chunks, instead of an even split of `text`. */
  pieces?: readonly string[];
  /** Default 20. */
  chunkCount?: number;
  chunkIntervalMs?: number;
  firstByteDelayMs?: number;
  holdFirstByteUntil?: Hold;
  /** Whether the hold and the delay come before the status line (default) or between it and the content. */
  holdAt?: 'before-head' | 'after-head';
  usage?: UsageReport;
  ending?: AnswerEnding;
  /** Default: half of the chunks. */
  endingAfterChunks?: number;
  inject?: readonly Injection[];
  lineEnding?: 'lf' | 'crlf';
  /** Cuts the body into writes of this many bytes; 1 also splits every multi-byte character. */
  bytesPerWrite?: number;
  compression?: 'none' | 'gzip';
  /** Default: the dialect of the request. Another one is what a supplier behind the wrong address would speak. */
  dialect?: SupplierDialect;
  /** The same body so many times in one answer, as after a retry that nobody noticed. Default 1. */
  copies?: number;
  /** With `latin1`, characters beyond ASCII are sent as bytes that are no UTF-8. Default `utf8`. */
  encoding?: 'utf8' | 'latin1';
  /** The `model` member of the answer. Default: the request's. */
  model?: string;
  /** Members that no OpenAI client knows, on the envelope, the choice and the message. */
  extraFields?: 'none' | 'some';
  reasoning?: string;
  /** Without an id, calls are numbered in each answer anew. */
  toolCalls?: readonly { name: string; argumentsJson: string; id?: string }[];
  choiceCount?: number;
  /** Default `stop`, or `tool_calls` when there are any. */
  finishReason?: string;
  /** Size of an injected `huge-event`. Default 1 MiB. */
  hugeEventBytes?: number;
};

/** One thing the double does; a behaviour is a sequence of them. */
export type Step =
  | { do: 'head'; status: number; headers: Record<string, string> }
  | { do: 'write'; bytes: Buffer }
  | { do: 'wait'; durationMs: number }
  | { do: 'hold'; until: Hold }
  | { do: 'finish'; how: 'end' | 'reset' | 'half-close' | 'stall' };

export type Garbage =
  | 'html'
  | 'text'
  | 'binary'
  | 'empty'
  | 'truncated-json'
  | 'wrong-shape'
  | 'not-http'
  | 'wrong-dialect';

export type SupplierBehaviour =
  | ({ kind: 'answer' } & AnswerOptions)
  /** Reads the request and never says anything. */
  | { kind: 'hang' }
  /** TCP reset, or a plain close, instead of a status line. */
  | { kind: 'reset' }
  | { kind: 'close' }
  /** `echo` (default) is an OpenAI error that quotes the prompt and the key, as careless suppliers do. */
  | { kind: 'error'; status: number; body?: 'echo' | 'empty' | 'html'; headers?: Record<string, string> }
  /** Status 200 with an error that quotes the prompt. */
  | { kind: 'error-in-200' }
  | { kind: 'garbage'; garbage: Garbage }
  /** Anything else, step by step. */
  | { kind: 'script'; steps: Iterable<Step> };

/** A behaviour, or a choice made from what was asked. */
export type BehaviourChoice = SupplierBehaviour | ((request: CapturedRequest) => SupplierBehaviour);
