import type { FinishReason } from '../chat/answer.ts';
import type { JsonObject } from '../json/parse.ts';
import type { AnswerEvent } from './events.ts';
import type { CallKind } from './model.ts';
import type { Opaque } from './seal.ts';

/** One piece of a complete answer. */
export type AnswerPart =
  | { readonly type: 'text'; readonly text: string; readonly logprobs?: readonly JsonObject[] }
  | { readonly type: 'refusal'; readonly text: string }
  | {
      readonly type: 'reasoning';
      readonly text: string;
      /** The parts of a summary, where the supplier gave one; together, with blank lines, they are the text. */
      readonly summary?: readonly string[];
      readonly opaque?: Opaque;
    }
  | { readonly type: 'redacted'; readonly opaque: Opaque }
  /** The text that follows is a message of this phase. */
  | { readonly type: 'phase'; readonly phase: string }
  | {
      readonly type: 'call';
      readonly kind: CallKind;
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
    };

/** A complete answer, put together from its events. */
export interface AnswerParts {
  readonly parts: readonly AnswerPart[];
  readonly finishReason: FinishReason;
  readonly stopSequence?: string;
}

type EventOf<Type extends AnswerEvent['type']> = Extract<AnswerEvent, { type: Type }>;

/** Puts events together. What of one kind follows upon itself is one part, until it ends. */
class PartCollector {
  readonly parts: AnswerPart[] = [];
  readonly #callPlaces = new Map<number, number>();
  #isOpen = false;

  take(event: AnswerEvent): void {
    if (event.type === 'text' || event.type === 'refusal') this.#text(event);
    else if (event.type === 'reasoning') this.#reasoning(event);
    else if (event.type === 'opaque') this.#opaque(event.opaque);
    else if (event.type === 'call') this.#call(event);
    else if (event.type === 'arguments') this.#arguments(event);
    else if (event.type === 'phase') this.#add({ type: 'phase', phase: event.phase });
    else if (event.type === 'part_end') this.#isOpen = false;
  }

  #add(part: AnswerPart): void {
    this.parts.push(part);
    this.#isOpen = true;
  }

  #reasoning({ text, isSummary, isBreak }: EventOf<'reasoning'>): void {
    const open = this.#isOpen ? this.parts.at(-1) : undefined;
    const last = open?.type === 'reasoning' ? open : undefined;
    if (last !== undefined) this.parts.pop();
    const before = last?.summary ?? [];
    const added =
      isBreak === true ? [...before, ''] : [...before.slice(0, -1), `${before.at(-1) ?? ''}${text}`];
    const summary = isSummary === true ? { summary: added } : {};
    this.#add({ type: 'reasoning', text: `${last?.text ?? ''}${text}`, ...summary });
  }

  #text(event: EventOf<'text' | 'refusal'>): void {
    const last = this.parts.at(-1);
    const { type: _type, ...members } = event;
    if (!this.#isOpen || last === undefined || last.type !== event.type) {
      this.#add({ type: event.type, ...members });
      return;
    }
    const added = event.type === 'text' ? event.logprobs : undefined;
    const before = last.type === 'text' ? (last.logprobs ?? []) : [];
    const logprobs = added === undefined ? {} : { logprobs: [...before, ...added] };
    this.parts[this.parts.length - 1] = { ...last, text: last.text + event.text, ...logprobs };
  }

  #opaque(opaque: Opaque): void {
    const last = this.parts.at(-1);
    if (opaque.kind === 'redacted') this.#add({ type: 'redacted', opaque });
    else if (this.#isOpen && last?.type === 'reasoning') {
      this.parts[this.parts.length - 1] = { ...last, opaque };
    } else this.#add({ type: 'reasoning', text: '', opaque });
    this.#isOpen = false;
  }

  #call({ call, kind, id, name }: EventOf<'call'>): void {
    this.#callPlaces.set(call, this.parts.length);
    this.#add({ type: 'call', kind, id, name, arguments: '' });
  }

  #arguments({ call, text }: EventOf<'arguments'>): void {
    const place = this.#callPlaces.get(call) ?? -1;
    const part = this.parts[place];
    if (part?.type === 'call') this.parts[place] = { ...part, arguments: part.arguments + text };
  }
}

/** The parts of an answer whose events are complete. */
export function partsOfAnswer(events: readonly AnswerEvent[]): AnswerParts {
  const collector = new PartCollector();
  for (const event of events) collector.take(event);
  const stop = events.find((event): event is EventOf<'stop'> => event.type === 'stop');
  const { finishReason = 'stop', stopSequence } = stop ?? {};
  const parts = collector.parts;
  return stopSequence === undefined ? { parts, finishReason } : { parts, finishReason, stopSequence };
}
