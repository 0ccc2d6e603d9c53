import type { ChatCapabilities, ChatUpstream, ChatUpstreamBody } from '../chat/upstream.ts';
import { gridError } from '../errors/grid-error.ts';
import type { Result } from '../result.ts';
import type { DialectName } from './model.ts';
import type { ReasoningSeal } from './seal.ts';

/** What an endpoint on any wire can do. What is absent it cannot. */
export interface Capabilities extends ChatCapabilities {
  /** Takes documents and results of searches (Anthropic wire). */
  readonly documents?: boolean;
  /** Knows the typed tools that clients run: shell, editor, computer, memory (Anthropic wire). */
  readonly clientTools?: boolean;
  /** How reasoning is switched on (Anthropic wire): by a budget of tokens, or left to the model. */
  readonly thinking?: 'budget' | 'adaptive';
  /** Its attestation covers prompt caching in memory, so marks may be sent (Anthropic wire). */
  readonly promptCaching?: boolean;
  /** Takes `context_management` (Anthropic wire). */
  readonly contextManagement?: boolean;
  /** Takes tools that are called with free text (Responses wire). */
  readonly customTools?: boolean;
  /** Gives summaries of its reasoning (Responses wire). */
  readonly reasoningSummary?: boolean;
  /** Gives its reasoning in encrypted form and takes it back (Responses wire). */
  readonly encryptedReasoning?: boolean;
}

/** Where a request goes, with which limit, on any wire. */
export interface Upstream extends ChatUpstream {
  readonly capabilities: Capabilities;
  /** Sent where a wire demands a limit and `maxOutputTokens` is absent. */
  readonly defaultMaxOutputTokens?: number;
  /** Opens reasoning that this endpoint made; without it opaque reasoning is left out. */
  readonly seal?: ReasoningSeal;
  /** Leave out all earlier reasoning: for the one repetition after a supplier refused a signature. */
  readonly withoutReasoning?: boolean;
}

/** A body for a supplier, and the names of everything the client sent that is not in it. */
export type UpstreamBody = ChatUpstreamBody;

/** The refusal of something that the wire of an endpoint cannot carry. */
export function notOnThisWire(param: string): Result<never> {
  const message = `'${param}' holds something that no supplier of this instrument takes.`;
  return { ok: false, error: gridError('unsupported_value', { param, message }) };
}

/** Neutral names of what a writer may have to leave out. */
export type Leavable =
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'stop'
  | 'seed'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'logitBias'
  | 'logprobs'
  | 'topLogprobs'
  | 'verbosity'
  | 'effort'
  | 'outputFormat'
  | 'tools'
  | 'toolChoice'
  | 'parallelToolCalls'
  | 'choiceCount'
  | 'isError'
  | 'strict'
  | 'detail';

type Names = Readonly<Record<Leavable, string>>;

const CHAT_NAMES: Names = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logitBias: 'logit_bias',
  logprobs: 'logprobs',
  topLogprobs: 'top_logprobs',
  verbosity: 'verbosity',
  effort: 'reasoning_effort',
  outputFormat: 'response_format',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  choiceCount: 'n',
  isError: 'messages.is_error',
  strict: 'tools.function.strict',
  detail: 'messages.content.image_url.detail',
};

const NAMES: Readonly<Record<DialectName, Names>> = {
  chat: CHAT_NAMES,
  messages: {
    ...CHAT_NAMES,
    stop: 'stop_sequences',
    effort: 'output_config.effort',
    outputFormat: 'output_config.format',
    parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
    isError: 'messages.content.is_error',
    strict: 'tools.strict',
  },
  responses: {
    ...CHAT_NAMES,
    logprobs: 'include.message.output_text.logprobs',
    verbosity: 'text.verbosity',
    effort: 'reasoning.effort',
    outputFormat: 'text.format',
    strict: 'tools.strict',
    detail: 'input.content.detail',
  },
};

/** What a client of a dialect calls a field that was left out. */
export function paramName(dialect: DialectName, field: Leavable): string {
  return NAMES[dialect][field];
}
