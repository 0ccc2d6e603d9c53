import type { FinishReason } from '../chat/answer.ts';
import { openContent } from '../content.ts';
import type { AnswerEnvelope } from '../conversation/answer-stream.ts';
import { ulidOf } from '../ids.ts';
import type { JsonObject } from '../json/parse.ts';

/** `resp_` and the ULID of the request id. */
export function responseId(requestId: string): string {
  return `resp_${ulidOf(requestId)}`;
}

/** The id of an output item: its kind, the request, its place. */
export function itemId(kind: 'msg' | 'rs' | 'fc' | 'ctc', requestId: string, index: number): string {
  return `${kind}_${ulidOf(requestId)}_${index}`;
}

/** How a response stands. */
export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly output: readonly JsonObject[];
  readonly usage: JsonObject | null;
  readonly reason?: string;
}

/** The response object of an envelope: what the client asked is repeated, nothing is stored. */
export function responseObject(envelope: AnswerEnvelope, state: ResponseState): JsonObject {
  const { request } = envelope;
  const echo = request.dialect === 'responses' ? openContent(request.echo) : {};
  return {
    id: responseId(envelope.requestId),
    object: 'response',
    created_at: envelope.createdSeconds,
    status: state.status,
    background: false,
    error: null,
    incomplete_details: state.reason === undefined ? null : { reason: state.reason },
    model: envelope.servedModel,
    ...echo,
    output: state.output,
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    usage: state.usage,
  };
}

/** Why a response is incomplete; `undefined` when it is complete. */
export function incompleteReason(finishReason: FinishReason): string | undefined {
  if (finishReason === 'length') return 'max_output_tokens';
  return finishReason === 'content_filter' ? 'content_filter' : undefined;
}

/** The finish reason for the reason of an incomplete response. */
export function finishReasonOfIncomplete(reason: unknown): FinishReason {
  return reason === 'content_filter' ? 'content_filter' : 'length';
}

/** Which form reasoning has in an answer: a summary where the client asked for one, else the text. */
export function reasoningForm(envelope: AnswerEnvelope): 'summary_text' | 'reasoning_text' {
  const { request } = envelope;
  const isSummary = request.dialect === 'responses' && request.reasoningSummary !== undefined;
  return isSummary ? 'summary_text' : 'reasoning_text';
}
