import {
  answerPieces,
  finishReason,
  halvesOf,
  type JsonObject,
  member,
  reportedUsage,
  type StreamEvents,
  splitEvenly,
} from './supplier-answer.ts';
import type { AnswerOptions, CapturedRequest, TokenUsage } from './supplier-behaviour.ts';

function usageMember(options: AnswerOptions, request: CapturedRequest): JsonObject | null | undefined {
  const usage = reportedUsage(options, request);
  return usage === undefined || usage === null ? usage : wireUsage(usage);
}

function wireUsage(usage: TokenUsage): JsonObject {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

function envelope(object: string, options: AnswerOptions, request: CapturedRequest): JsonObject {
  return {
    id: 'chatcmpl-double-0001',
    object,
    created: 1_767_225_600,
    model: options.model ?? member(request.body, 'model') ?? 'double',
    ...(options.extraFields === 'some' ? { x_queue: { position: 3 }, provider: 'double' } : {}),
  };
}

function choiceIndexes(options: AnswerOptions): number[] {
  return Array.from({ length: options.choiceCount ?? 1 }, (_, index) => index);
}

/** The whole answer as one `chat.completion` object. */
export function chatJson(options: AnswerOptions, request: CapturedRequest): JsonObject {
  const text = answerPieces(options).join('');
  const message = {
    role: 'assistant',
    content: options.toolCalls !== undefined && text === '' ? null : text,
    ...(options.reasoning === undefined ? {} : { reasoning_content: options.reasoning }),
    ...(options.toolCalls === undefined ? {} : { tool_calls: wireToolCalls(options) }),
    ...(options.extraFields === 'some' ? { x_mood: 'calm' } : {}),
  };
  const usage = usageMember(options, request);
  return {
    ...envelope('chat.completion', options, request),
    choices: choiceIndexes(options).map((index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: finishReason(options),
      ...(options.extraFields === 'some' ? { x_rank: index } : {}),
    })),
    ...(usage === undefined ? {} : { usage }),
  };
}

function wireToolCalls(options: AnswerOptions): JsonObject[] {
  return (options.toolCalls ?? []).map((call, index) => ({
    id: call.id ?? `call_double_${index}`,
    type: 'function',
    function: { name: call.name, arguments: call.argumentsJson },
  }));
}

/** The same answer as `chat.completion.chunk` events. */
export function chatEvents(options: AnswerOptions, request: CapturedRequest): StreamEvents {
  const head = envelope('chat.completion.chunk', options, request);
  const extra = options.extraFields === 'some' ? { x_rank: 1 } : {};
  const event = (index: number, delta: JsonObject, reason: string | null = null) =>
    JSON.stringify({ ...head, choices: [{ index, delta, logprobs: null, finish_reason: reason, ...extra }] });
  const indexes = choiceIndexes(options);
  const deltas = [...reasoningDeltas(options), ...answerPieces(options).map((content) => ({ content }))];
  const content = [...deltas, ...toolCallDeltas(options)].flatMap((delta) =>
    indexes.map((index) => event(index, delta)),
  );
  const usage = usageMember(options, request);
  return {
    opening: indexes.map((index) => event(index, { role: 'assistant', content: '' })),
    content,
    finish: indexes.map((index) => event(index, {}, finishReason(options))),
    usage: usage === undefined ? [] : [JSON.stringify({ ...head, choices: [], usage })],
    closing: ['[DONE]'],
  };
}

function reasoningDeltas(options: AnswerOptions): JsonObject[] {
  if (options.reasoning === undefined) return [];
  return splitEvenly(options.reasoning, 4).map((piece) => ({ reasoning_content: piece }));
}

/** The arguments come in two halves under one index, as real suppliers send them. */
function toolCallDeltas(options: AnswerOptions): JsonObject[] {
  return (options.toolCalls ?? []).flatMap((call, index) => {
    const opening = { index, id: call.id ?? `call_double_${index}`, type: 'function' };
    const parts = halvesOf(call.argumentsJson);
    return [
      { tool_calls: [{ ...opening, function: { name: call.name, arguments: '' } }] },
      ...parts.map((part) => ({ tool_calls: [{ index, function: { arguments: part } }] })),
    ];
  });
}
