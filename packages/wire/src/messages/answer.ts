import type { FinishReason } from '../chat/answer.ts';
import type { AnswerEnvelope } from '../conversation/answer-stream.ts';
import { anthropicErrorBody } from '../errors/envelopes.ts';
import type { GridError } from '../errors/grid-error.ts';
import { ulidOf } from '../ids.ts';
import type { JsonObject } from '../json/parse.ts';
import { encodeEvent } from '../sse/encode.ts';

const FINISH_REASONS: ReadonlyMap<unknown, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
]);

/** The finish reason for a stop reason of this dialect. One that nobody knows means that the model stopped. */
export function finishReasonOfStop(stopReason: unknown): FinishReason {
  return FINISH_REASONS.get(stopReason) ?? 'stop';
}

/** How a message stopped, in this dialect's words. */
export interface MessageStop {
  readonly finishReason: FinishReason;
  readonly stopSequence?: string;
  /** The model put its refusal into words. */
  readonly isRefused?: boolean;
}

/** The members of a message, or of its last delta, that say why it stopped. */
export function stopMembers(stop: MessageStop): { stop_reason: string; stop_sequence: string | null } {
  const { finishReason, stopSequence } = stop;
  const reasons = {
    stop: stopSequence === undefined ? 'end_turn' : 'stop_sequence',
    length: 'max_tokens',
    tool_calls: 'tool_use',
    content_filter: 'refusal',
  };
  const isRefused = stop.isRefused === true && finishReason === 'stop';
  return {
    stop_reason: isRefused ? 'refusal' : reasons[finishReason],
    stop_sequence: finishReason === 'stop' ? (stopSequence ?? null) : null,
  };
}

/** `msg_` and the ULID of the request id. */
export function messageId(requestId: string): string {
  return `msg_${ulidOf(requestId)}`;
}

/** The members every message of ours begins with. */
export function messageHead(envelope: AnswerEnvelope): JsonObject {
  return {
    id: messageId(envelope.requestId),
    type: 'message',
    role: 'assistant',
    model: envelope.servedModel,
  };
}

/** One event of a stream, whose name is also its type. */
export function messagesEvent(type: string, members: JsonObject): string {
  return encodeEvent(type, JSON.stringify({ type, ...members }));
}

/** A piece of a block: the event that a stream is made of, printed without an object in between. */
export function blockDelta(index: number, delta: { type: string; member: string; text: string }): string {
  const piece = `{"type":"${delta.type}","${delta.member}":${JSON.stringify(delta.text)}}`;
  const type = 'content_block_delta';
  return encodeEvent(type, `{"type":"${type}","index":${index},"delta":${piece}}`);
}

/** The first event of a stream. `output_tokens` is 1 by custom: the truth comes with the last delta. */
export function messageStart(envelope: AnswerEnvelope): string {
  const usage = {
    input_tokens: envelope.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 1,
  };
  const stop = { stop_reason: null, stop_sequence: null };
  return messagesEvent('message_start', {
    message: { ...messageHead(envelope), content: [], ...stop, usage },
  });
}

/** Keeps a stream alive once it has begun; clients that know this dialect skip it. */
export function messagesPingEvent(): string {
  return messagesEvent('ping', {});
}

/** The event of a fault after the status was sent. */
export function messagesErrorEvent(error: GridError, requestId: string): string {
  return encodeEvent('error', JSON.stringify(anthropicErrorBody(error, requestId)));
}
