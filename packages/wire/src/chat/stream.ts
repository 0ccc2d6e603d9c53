import { openAiErrorBody } from '../errors/envelopes.ts';
import type { GridError } from '../errors/grid-error.ts';
import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
import { encodeData } from '../sse/encode.ts';
import { type TokenUsage, usageFromOpenAi, usageToOpenAi } from '../usage.ts';
import {
  type AnswerError,
  argumentsOf,
  type ChatEnvelope,
  type FinishReason,
  finishReasonOf,
  isUpstreamError,
  MALFORMED,
  reasoningOf,
  textOf,
} from './answer.ts';
import { TextTemplate } from './text-template.ts';

/** What one upstream event became. `output` and `textDelta` are content: relay and count them, no more. */
export interface ChatStreamStep {
  /** Text for the client, empty when the event has nothing for it. */
  readonly output: string;
  /** Whether the event carried text, reasoning or a piece of a tool call. */
  readonly hasContent: boolean;
  /** That text, for counting tokens. */
  readonly textDelta: string;
  readonly finishReason?: FinishReason;
  /** The supplier's report, where the event had one that makes sense. */
  readonly usage?: TokenUsage;
  readonly upstreamModel?: string;
  /** The upstream said `[DONE]`. */
  readonly isDone: boolean;
  readonly error?: AnswerError;
}

interface CallState {
  readonly upstreamIndex: number;
  readonly id: string;
}

interface ChoiceState {
  readonly index: number;
  readonly calls: CallState[];
  isFinished: boolean;
}

const MAX_CHOICES = 128;
const NOTHING = { output: '', hasContent: false, textDelta: '' };
const DONE: ChatStreamStep = { ...NOTHING, isDone: true };
const MALFORMED_STEP: ChatStreamStep = { ...NOTHING, isDone: false, error: 'malformed' };
const ERROR_STEP: ChatStreamStep = { ...NOTHING, isDone: false, error: 'upstream_error' };

/** In our own chunks: what stands before the text of one that has nothing else. */
const TEXT_MARK = '"delta":{"content":';

/** What stands around the text of a chunk of ours, and whose it is. */
interface PrintedText {
  readonly before: string;
  readonly after: string;
  readonly upstreamModel: { readonly upstreamModel?: string };
}

/** The event that ends a stream in this dialect. Sent after the settlement is durable. */
export function doneEvent(): string {
  return 'data: [DONE]\n\n';
}

/** The event of a fault after the status was sent. The stream then closes without `[DONE]`. */
export function errorEvent(error: GridError): string {
  return encodeData(JSON.stringify(openAiErrorBody(error)));
}

/**
 * Turns the events of a supplier on the OpenAI wire into those of the exchange: the envelope is replaced,
 * the content is copied, what is the supplier's own is left out, and the shape is made what clients rely
 * on (a role first, tool calls with index, id, type and name, usage only where asked).
 */
export class ChatStreamRewriter {
  readonly #prefix: string;
  readonly #callIdStem: string;
  readonly #choices = new Map<number, ChoiceState>();
  // Collected while one event is rewritten.
  #text = '';
  #finishReason: FinishReason | undefined;
  #isMalformed = false;
  // What the last event began and finished, in case it is withheld.
  #begun = new Set<ChoiceState>();
  #finished = new Set<ChoiceState>();
  // For chunks that differ from the last one in their text only.
  readonly #template = new TextTemplate();
  #printed: PrintedText | undefined;

  constructor(envelope: ChatEnvelope) {
    const head = JSON.stringify({
      id: envelope.completionId,
      object: 'chat.completion.chunk',
      created: envelope.createdSeconds,
      model: envelope.servedModel,
      service_tier: 'default',
      system_fingerprint: null,
    });
    this.#prefix = `data: ${head.slice(0, -1)},"choices":`;
    this.#callIdStem = `call_${envelope.completionId}`;
  }

  /** At least one choice began, and each that began has a finish reason. Less is a broken delivery. */
  get isComplete(): boolean {
    for (const choice of this.#choices.values()) if (!choice.isFinished) return false;
    return this.#choices.size > 0;
  }

  /** Rewrites the data of one upstream event. */
  push(data: string): ChatStreamStep {
    if (this.#begun.size > 0) this.#begun = new Set();
    if (this.#finished.size > 0) this.#finished = new Set();
    if (data === '[DONE]') return DONE;
    const text = this.#template.textOf(data);
    if (text !== undefined && this.#printed !== undefined) return this.#textStep(text, this.#printed);
    this.#template.forget();
    const chunk = parseSupplierJson(data);
    if (chunk === undefined) return MALFORMED_STEP;
    if (isUpstreamError(chunk)) return ERROR_STEP;
    const step = this.#rewrite(chunk);
    this.#learn(data, chunk, step);
    return step;
  }

  /**
   * Ends every choice that is still open, for an answer that the exchange cuts. What the last event said is
   * taken as unsaid: it did not fit into the hold, so it was withheld. Empty when nothing is open.
   */
  finishOpenChoices(reason: FinishReason): string {
    const open = [...this.#choices.values()].filter(
      (choice) => !choice.isFinished || this.#finished.has(choice),
    );
    for (const choice of open) choice.isFinished = true;
    this.#finished = new Set();
    this.#template.forget();
    const choices = open.map((choice) => {
      const delta = this.#begun.has(choice) ? { role: 'assistant' } : {};
      return { index: choice.index, delta, finish_reason: reason };
    });
    return choices.length === 0 ? '' : this.#encode(choices);
  }

  /** The last chunk of a stream whose client asked for usage. Throws when the usage breaks its sums. */
  finalUsageChunk(usage: TokenUsage): string {
    return `${this.#prefix}[],"usage":${JSON.stringify(usageToOpenAi(usage))}}\n\n`;
  }

  #textStep(text: string, { before, after, upstreamModel }: PrintedText): ChatStreamStep {
    const output = before + JSON.stringify(text) + after;
    return { output, hasContent: true, textDelta: text, isDone: false, ...upstreamModel };
  }

  #learn(data: string, chunk: JsonObject, { output, textDelta, upstreamModel }: ChatStreamStep): void {
    const start = output.indexOf(TEXT_MARK) + TEXT_MARK.length;
    if (start < TEXT_MARK.length || !this.#template.learn(data, chunk)) return;
    this.#printed = {
      before: output.slice(0, start),
      after: output.slice(start + JSON.stringify(textDelta).length),
      upstreamModel: upstreamModel === undefined ? {} : { upstreamModel },
    };
  }

  #encode(choices: readonly JsonObject[]): string {
    return `${this.#prefix}${JSON.stringify(choices)}}\n\n`;
  }

  #rewrite(chunk: JsonObject): ChatStreamStep {
    this.#text = '';
    this.#finishReason = undefined;
    const usage = usageFromOpenAi(chunk.usage);
    const source = chunk.choices ?? (isJsonObject(chunk.usage) ? [] : undefined);
    if (!Array.isArray(source)) return MALFORMED_STEP;
    const choices: JsonObject[] = [];
    for (let position = 0; position < source.length; position += 1) {
      const choice = this.#choice(source[position], position);
      if (choice !== undefined) choices.push(choice);
    }
    if (this.#isMalformed) return MALFORMED_STEP;
    return {
      output: choices.length === 0 ? '' : this.#encode(choices),
      hasContent: this.#text !== '',
      textDelta: this.#text,
      isDone: false,
      ...(this.#finishReason === undefined ? {} : { finishReason: this.#finishReason }),
      ...(usage === undefined ? {} : { usage }),
      ...(typeof chunk.model === 'string' ? { upstreamModel: chunk.model } : {}),
    };
  }

  #malformed(): undefined {
    this.#isMalformed = true;
  }

  #choice(value: unknown, position: number): JsonObject | undefined {
    if (!isJsonObject(value)) return this.#malformed();
    const index = value.index ?? position;
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= MAX_CHOICES)
      return this.#malformed();
    const finishReason = finishReasonOf(value.finish_reason);
    if (finishReason === MALFORMED) return this.#malformed();
    const known = this.#choices.get(index as number);
    // Some suppliers repeat the last state of a choice beside the usage.
    if (known?.isFinished === true) return undefined;
    const state = known ?? this.#begin(index as number);
    const delta = this.#delta(value.delta ?? {}, state, known === undefined);
    if (finishReason !== null) {
      state.isFinished = true;
      this.#finished.add(state);
      this.#finishReason = finishReason;
    }
    return { index, delta, logprobs: value.logprobs, finish_reason: finishReason };
  }

  #begin(index: number): ChoiceState {
    const state = { index, calls: [], isFinished: false };
    this.#choices.set(index, state);
    this.#begun.add(state);
    return state;
  }

  #delta(source: unknown, state: ChoiceState, isFirst: boolean): JsonObject | undefined {
    if (!isJsonObject(source)) return this.#malformed();
    const content = textOf(source.content);
    const refusal = textOf(source.refusal);
    if (content === MALFORMED || refusal === MALFORMED) return this.#malformed();
    const reasoning = reasoningOf(source);
    this.#text += (reasoning ?? '') + (content ?? '') + (refusal ?? '');
    // Members that are undefined are left out when printed.
    return {
      role: isFirst ? 'assistant' : undefined,
      content,
      reasoning_content: reasoning,
      refusal,
      tool_calls: this.#toolCalls(source.tool_calls, state),
    };
  }

  #toolCalls(source: unknown, state: ChoiceState): readonly JsonObject[] | undefined {
    if (source === undefined || source === null) return undefined;
    if (!Array.isArray(source)) return this.#malformed();
    const calls: JsonObject[] = [];
    for (let position = 0; position < source.length; position += 1) {
      const call = source[position];
      if (!isJsonObject(call)) return this.#malformed();
      calls.push(this.#toolCall(call, position, state));
    }
    return calls.length === 0 ? undefined : calls;
  }

  // Some suppliers number every call 0, or repeat id and name in each piece: an id not seen before at its
  // place begins a call, and only its first piece names it.
  #toolCall(call: JsonObject, position: number, state: ChoiceState): JsonObject {
    const upstreamIndex = typeof call.index === 'number' ? call.index : position;
    const called = isJsonObject(call.function) ? call.function : {};
    const callArguments = argumentsOf(called.arguments);
    this.#text += callArguments;
    const known = state.calls.findLastIndex((candidate) => candidate.upstreamIndex === upstreamIndex);
    const isNew = typeof call.id === 'string' && call.id !== '' && call.id !== state.calls[known]?.id;
    if (known !== -1 && !isNew) return { index: known, function: { arguments: callArguments } };
    const name = typeof called.name === 'string' ? called.name : '';
    this.#text += name;
    const index = state.calls.length;
    const id = isNew ? (call.id as string) : `${this.#callIdStem}_${state.index}_${index}`;
    state.calls.push({ upstreamIndex, id });
    return { index, id, type: 'function', function: { name, arguments: callArguments } };
  }
}
