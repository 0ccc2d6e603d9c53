import { type AnswerPart, partsOfAnswer } from '../conversation/answer-parts.ts';
import type { AnswerEnvelope } from '../conversation/answer-stream.ts';
import type { AnswerEvent } from '../conversation/events.ts';
import type { JsonObject } from '../json/parse.ts';
import type { TokenUsage } from '../usage.ts';
import { incompleteReason, responseObject } from './answer.ts';
import { callItem, ItemStyle, messageItem, reasoningItem, type WrittenPart } from './items-out.ts';
import { usageToResponses } from './usage.ts';

/** Collects output items. Text and refusals that follow upon each other are parts of one message. */
class OutputList {
  readonly items: JsonObject[] = [];
  readonly #style: ItemStyle;
  readonly #status: 'completed' | 'incomplete';
  #message: WrittenPart[] = [];
  #phase: string | undefined;

  constructor(style: ItemStyle, status: 'completed' | 'incomplete') {
    this.#style = style;
    this.#status = status;
  }

  add(part: AnswerPart): void {
    if (part.type === 'text' || part.type === 'refusal') {
      const type = part.type === 'text' ? 'output_text' : 'refusal';
      const logprobs = part.type === 'text' && part.logprobs !== undefined ? { logprobs: part.logprobs } : {};
      this.#message.push({ type, text: part.text, ...logprobs });
      return;
    }
    this.endMessage();
    if (part.type === 'phase') this.#phase = part.phase;
    else if (part.type === 'call') this.#call(part);
    else this.#reasoning(part);
  }

  endMessage(): void {
    if (this.#message.length === 0) return;
    const message = { status: this.#status, parts: this.#message, phase: this.#phase };
    this.items.push(messageItem(this.#style.id('msg', this.items.length), message));
    this.#message = [];
    this.#phase = undefined;
  }

  #call(part: Extract<AnswerPart, { type: 'call' }>): void {
    const id = this.#style.id(part.kind === 'custom' ? 'ctc' : 'fc', this.items.length);
    const { kind, id: callId, name, arguments: text } = part;
    this.items.push(callItem(id, this.#status, { kind, callId, name, text }));
  }

  #reasoning(part: Extract<AnswerPart, { type: 'reasoning' | 'redacted' }>): void {
    const sealed = this.#style.sealed(part.opaque);
    const parts = part.type === 'reasoning' ? this.#reasoningParts(part) : [];
    if (parts.length === 0 && sealed === undefined) return;
    this.items.push(reasoningItem(this.#style.id('rs', this.items.length), parts, sealed));
  }

  #reasoningParts({ text, summary }: Extract<AnswerPart, { type: 'reasoning' }>): readonly WrittenPart[] {
    if (summary !== undefined) return summary.map((paragraph) => ({ type: 'summary_text', text: paragraph }));
    return text === '' ? [] : [{ type: this.#style.reasoningForm, text }];
  }
}

/** Prints a complete answer as a response, with the usage that is billed. */
export function printResponse(
  events: readonly AnswerEvent[],
  envelope: AnswerEnvelope,
  usage: TokenUsage,
): string {
  const { parts, finishReason } = partsOfAnswer(events);
  const reason = incompleteReason(finishReason);
  const status = reason === undefined ? 'completed' : 'incomplete';
  const output = new OutputList(new ItemStyle(envelope), status);
  for (const part of parts) output.add(part);
  output.endMessage();
  const printed = { ...usageToResponses(usage) };
  const reasons = reason === undefined ? {} : { reason };
  return JSON.stringify(
    responseObject(envelope, { status, output: output.items, usage: printed, ...reasons }),
  );
}
