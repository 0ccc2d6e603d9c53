import type { AnswerEnvelope } from '../conversation/answer-stream.ts';
import type { CallKind } from '../conversation/model.ts';
import type { Opaque } from '../conversation/seal.ts';
import type { JsonObject } from '../json/parse.ts';
import { itemId, reasoningForm } from './answer.ts';

/** How far an item has come. */
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** The parts of a message or of reasoning, as they are printed. */
export type PartType = 'output_text' | 'refusal' | 'summary_text' | 'reasoning_text';

/** A part with what was written of it. */
export interface WrittenPart {
  readonly type: PartType;
  readonly text: string;
  readonly logprobs?: readonly JsonObject[];
}

/** A call with what was written of it. */
export interface WrittenCall {
  readonly kind: CallKind;
  readonly callId: string;
  readonly name: string;
  readonly text: string;
}

/** Prints a part. */
export function partObject({ type, text, logprobs }: WrittenPart): JsonObject {
  if (type === 'refusal') return { type, refusal: text };
  if (type !== 'output_text') return { type, text };
  return { type, text, annotations: [], ...(logprobs === undefined ? {} : { logprobs }) };
}

/** A message with what was written of it. */
export interface WrittenMessage {
  readonly status: ItemStatus;
  readonly parts: readonly WrittenPart[];
  readonly phase?: string | undefined;
}

/** Prints a message of the model. */
export function messageItem(id: string, { status, parts, phase }: WrittenMessage): JsonObject {
  const told = phase === undefined ? {} : { phase };
  return { id, type: 'message', status, role: 'assistant', content: parts.map(partObject), ...told };
}

/** Prints reasoning: a summary or the text, and the sealed form where the client wants it. */
export function reasoningItem(
  id: string,
  parts: readonly WrittenPart[],
  sealed: string | undefined,
): JsonObject {
  const summary = parts.filter(({ type }) => type === 'summary_text').map(partObject);
  const content = parts.filter(({ type }) => type === 'reasoning_text').map(partObject);
  return {
    id,
    type: 'reasoning',
    summary,
    ...(content.length === 0 ? {} : { content }),
    ...(sealed === undefined ? {} : { encrypted_content: sealed }),
  };
}

/** Prints a call. A call without arguments has an empty object of them. */
export function callItem(id: string, status: ItemStatus, call: WrittenCall): JsonObject {
  const { kind, callId, name, text } = call;
  if (kind === 'custom') return { id, type: 'custom_tool_call', status, call_id: callId, name, input: text };
  const written = text === '' && status !== 'in_progress' ? '{}' : text;
  return { id, type: 'function_call', status, call_id: callId, name, arguments: written };
}

/** What ids and reasoning of one answer look like. */
export class ItemStyle {
  readonly reasoningForm: 'summary_text' | 'reasoning_text';
  readonly #envelope: AnswerEnvelope;

  constructor(envelope: AnswerEnvelope) {
    this.#envelope = envelope;
    this.reasoningForm = reasoningForm(envelope);
  }

  id(kind: 'msg' | 'rs' | 'fc' | 'ctc', index: number): string {
    return itemId(kind, this.#envelope.requestId, index);
  }

  /** Opaque reasoning as the client gets it; `undefined` when it did not ask for it. */
  sealed(opaque: Opaque | undefined): string | undefined {
    const { request, seal } = this.#envelope;
    const isWanted = request.dialect === 'responses' && request.includesEncryptedReasoning;
    return opaque === undefined || !isWanted ? undefined : seal?.wrap(opaque);
  }
}
