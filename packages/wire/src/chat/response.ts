import { Content } from '../content.ts';
import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
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

/** A complete answer that waits for its settled usage. */
export interface ChatCompletionAnswer {
  readonly ok: true;
  /** The supplier's report; absent when there was none or it made no sense. */
  readonly usage?: TokenUsage;
  /** Of the first choice. */
  readonly finishReason: FinishReason;
  /** Everything the model wrote, for counting tokens. */
  readonly outputText: Content<string>;
  readonly upstreamModel?: string;
  /** Prints the body with the usage that is billed. Throws when the usage breaks its sums. */
  readonly print: (usage: TokenUsage) => Content<string>;
}

/** An answer that cannot be delivered. */
export interface ChatCompletionFailure {
  readonly ok: false;
  readonly error: AnswerError;
}

const MALFORMED_ANSWER: ChatCompletionFailure = { ok: false, error: 'malformed' };
const UPSTREAM_ERROR: ChatCompletionFailure = { ok: false, error: 'upstream_error' };

interface ReadChoice {
  readonly choice: JsonObject;
  readonly finishReason: FinishReason;
  readonly text: string;
}

function readToolCalls(source: unknown, callIdStem: string): readonly JsonObject[] | undefined {
  if (!Array.isArray(source) || source.length === 0) return undefined;
  return source.filter(isJsonObject).map((call, index) => {
    const called = isJsonObject(call.function) ? call.function : {};
    const name = typeof called.name === 'string' ? called.name : '';
    const id = typeof call.id === 'string' && call.id !== '' ? call.id : `${callIdStem}_${index}`;
    return { id, type: 'function', function: { name, arguments: argumentsOf(called.arguments) } };
  });
}

function textOfCalls(calls: readonly JsonObject[]): string {
  return calls.map((call) => Object.values(call.function as Record<string, string>).join('')).join('');
}

function readChoice(value: unknown, position: number, callIdStem: string): ReadChoice | undefined {
  const message = isJsonObject(value) ? value.message : undefined;
  if (!isJsonObject(value) || !isJsonObject(message)) return undefined;
  const finishReason = finishReasonOf(value.finish_reason);
  const content = textOf(message.content);
  const refusal = textOf(message.refusal);
  if (finishReason === MALFORMED || finishReason === null) return undefined;
  if (content === MALFORMED || refusal === MALFORMED) return undefined;
  const reasoning = reasoningOf(message);
  const calls = readToolCalls(message.tool_calls, `${callIdStem}_${position}`);
  const printed = {
    role: 'assistant',
    content: content ?? null,
    reasoning_content: reasoning,
    refusal: refusal ?? null,
    tool_calls: calls,
  };
  const text = (reasoning ?? '') + (content ?? '') + (refusal ?? '') + textOfCalls(calls ?? []);
  const logprobs = value.logprobs ?? null;
  return {
    choice: { index: position, message: printed, logprobs, finish_reason: finishReason },
    finishReason,
    text,
  };
}

function readChoices(source: unknown, callIdStem: string): readonly ReadChoice[] | undefined {
  if (!Array.isArray(source)) return undefined;
  const choices = source.map((value, position) => readChoice(value, position, callIdStem));
  return choices.every((choice) => choice !== undefined) ? choices : undefined;
}

function printer(
  envelope: ChatEnvelope,
  choices: readonly ReadChoice[],
): (usage: TokenUsage) => Content<string> {
  return (usage) => {
    const body = {
      id: envelope.completionId,
      object: 'chat.completion',
      created: envelope.createdSeconds,
      model: envelope.servedModel,
      service_tier: 'default',
      system_fingerprint: null,
      choices: choices.map(({ choice }) => choice),
      usage: usageToOpenAi(usage),
    };
    return Content.of(JSON.stringify(body));
  };
}

/**
 * Reads a supplier's complete answer on the OpenAI wire and gives it the exchange's envelope. The usage is
 * filled in later, by `print`, since what is billed is known only after the settlement.
 *
 * `malformed`: no JSON, no choice, a choice without message or finish reason, content that is not text.
 * `upstream_error`: an error in place of an answer; nothing of it is kept.
 */
export function rewriteChatCompletion(
  jsonText: string,
  envelope: ChatEnvelope,
): ChatCompletionAnswer | ChatCompletionFailure {
  const answer = parseSupplierJson(jsonText);
  if (answer === undefined) return MALFORMED_ANSWER;
  if (isUpstreamError(answer)) return UPSTREAM_ERROR;
  const choices = readChoices(answer.choices, `call_${envelope.completionId}`);
  const first = choices?.[0];
  if (choices === undefined || first === undefined) return MALFORMED_ANSWER;
  const usage = usageFromOpenAi(answer.usage);
  return {
    ok: true,
    finishReason: first.finishReason,
    outputText: Content.of(choices.map(({ text }) => text).join('')),
    print: printer(envelope, choices),
    ...(usage === undefined ? {} : { usage }),
    ...(typeof answer.model === 'string' ? { upstreamModel: answer.model } : {}),
  };
}
