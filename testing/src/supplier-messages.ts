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

const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

/** Proof of reasoning, as opaque to everybody else as a real one. */
const SIGNATURE = 'c2lnbmF0dXJlIG9mIHRoZSBkb3VibGU=';

function wireUsage(usage: TokenUsage, outputTokens = usage.completionTokens): JsonObject {
  return {
    input_tokens: usage.promptTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  };
}

function head(options: AnswerOptions, request: CapturedRequest): JsonObject {
  return {
    id: 'msg_double_0001',
    type: 'message',
    role: 'assistant',
    model: options.model ?? member(request.body, 'model') ?? 'double',
    ...(options.extraFields === 'some' ? { x_queue: { position: 3 } } : {}),
  };
}

function stop(options: AnswerOptions): JsonObject {
  return { stop_reason: STOP_REASONS[finishReason(options)] ?? 'end_turn', stop_sequence: null };
}

/** The whole answer as one `message` object. */
export function messagesJson(options: AnswerOptions, request: CapturedRequest): JsonObject {
  const text = answerPieces(options).join('');
  const usage = reportedUsage(options, request);
  const thinking = { type: 'thinking', thinking: options.reasoning, signature: SIGNATURE };
  const calls = (options.toolCalls ?? []).map(({ id, name, argumentsJson }, index) => ({
    type: 'tool_use',
    id: id ?? `toolu_double_${index}`,
    name,
    input: JSON.parse(argumentsJson) as unknown,
  }));
  return {
    ...head(options, request),
    content: [
      ...(options.reasoning === undefined ? [] : [thinking]),
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls,
    ],
    ...stop(options),
    ...(usage === undefined ? {} : { usage: usage === null ? null : wireUsage(usage) }),
  };
}

function event(type: string, members: JsonObject): string {
  return JSON.stringify({ type, ...members });
}

function delta(index: number, value: JsonObject): string {
  return event('content_block_delta', { index, delta: value });
}

function block(index: number, content: JsonObject, deltas: readonly JsonObject[]): string[] {
  return [
    event('content_block_start', { index, content_block: content }),
    ...deltas.map((value) => delta(index, value)),
    event('content_block_stop', { index }),
  ];
}

function reasoningBlock({ reasoning }: AnswerOptions): string[] {
  if (reasoning === undefined) return [];
  const pieces = splitEvenly(reasoning, 4).map((thinking) => ({ type: 'thinking_delta', thinking }));
  const proof = { type: 'signature_delta', signature: SIGNATURE };
  return block(0, { type: 'thinking', thinking: '', signature: '' }, [...pieces, proof]);
}

/** The same answer as the named events of a stream. */
export function messagesEvents(options: AnswerOptions, request: CapturedRequest): StreamEvents {
  const usage = reportedUsage(options, request);
  const pieces = answerPieces(options).filter((text) => text !== '');
  const textIndex = options.reasoning === undefined ? 0 : 1;
  const firstCall = textIndex + (pieces.length === 0 ? 0 : 1);
  const content_block = { type: 'text', text: '' };
  const textStart = event('content_block_start', { index: textIndex, content_block });
  const calls = (options.toolCalls ?? []).flatMap(({ id, name, argumentsJson }, index) =>
    block(
      firstCall + index,
      { type: 'tool_use', id: id ?? `toolu_double_${index}`, name, input: {} },
      halvesOf(argumentsJson).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
    ),
  );
  const started = usage === undefined || usage === null ? {} : { usage: wireUsage(usage, 1) };
  const ended = usage === undefined ? {} : { usage: usage === null ? null : wireUsage(usage) };
  const message = {
    ...head(options, request),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...started,
  };
  return {
    opening: [
      event('message_start', { message }),
      ...reasoningBlock(options),
      ...(pieces.length === 0 ? [] : [textStart]),
    ],
    content: pieces.map((text) => delta(textIndex, { type: 'text_delta', text })),
    finish: [
      ...(pieces.length === 0 ? [] : [event('content_block_stop', { index: textIndex })]),
      ...calls,
      event('message_delta', { delta: stop(options), ...ended }),
    ],
    usage: [],
    closing: [event('message_stop', {})],
  };
}
