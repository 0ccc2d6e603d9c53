import type { AnswerEnvelope, StreamEnd, StreamWriter } from '../conversation/answer-stream.ts';
import type { AnswerEvent } from '../conversation/events.ts';
import type { Opaque } from '../conversation/seal.ts';
import { openAiErrorBody } from '../errors/envelopes.ts';
import type { GridError } from '../errors/grid-error.ts';
import type { JsonObject } from '../json/parse.ts';
import { encodeEvent } from '../sse/encode.ts';
import type { TokenUsage } from '../usage.ts';
import { incompleteReason, responseObject } from './answer.ts';
import {
  callItem,
  type ItemStatus,
  ItemStyle,
  messageItem,
  type PartType,
  partObject,
  reasoningItem,
  type WrittenCall,
  type WrittenPart,
} from './items-out.ts';
import { usageToResponses } from './usage.ts';

type EventOf<Type extends AnswerEvent['type']> = Extract<AnswerEvent, { type: Type }>;

/** The item that text goes to: a message or reasoning. Its last part is the open one, if any is open. */
interface OpenItem {
  readonly kind: 'msg' | 'rs';
  readonly index: number;
  readonly id: string;
  readonly parts: readonly WrittenPart[];
  readonly isPartOpen: boolean;
  readonly phase?: string | undefined;
  /** Log probabilities of the open part, the last ones first: lists would be copied for every token. */
  readonly logprobs?: LogprobChain | undefined;
}

interface LogprobChain {
  readonly entries: readonly JsonObject[];
  readonly before: LogprobChain | undefined;
}

function logprobsOf(chain: LogprobChain | undefined): readonly JsonObject[] {
  const lists: (readonly JsonObject[])[] = [];
  for (let link = chain; link !== undefined; link = link.before) lists.push(link.entries);
  return lists.reverse().flat();
}

interface OpenCall extends WrittenCall {
  readonly index: number;
  readonly id: string;
}

/** Where the stream stands. Replaced as a whole, so that a step that was withheld can be taken back. */
interface State {
  readonly isStarted: boolean;
  readonly sequence: number;
  readonly nextIndex: number;
  readonly open?: OpenItem | undefined;
  readonly calls: ReadonlyMap<number, OpenCall>;
  /** Finished items by their place. */
  readonly done: ReadonlyMap<number, JsonObject>;
  readonly reason?: string | undefined;
  /** The phase of the message to come. */
  readonly phase?: string | undefined;
}

const START: State = { isStarted: false, sequence: 0, nextIndex: 0, calls: new Map(), done: new Map() };
const LENGTH = 'max_output_tokens';
/** The names of the events for each kind of part: its beginning and end, and its text. */
const PART_EVENTS: Readonly<Record<PartType, { part: string; text: string; index: string }>> = {
  output_text: { part: 'content_part', text: 'output_text', index: 'content_index' },
  refusal: { part: 'content_part', text: 'refusal', index: 'content_index' },
  reasoning_text: { part: 'content_part', text: 'reasoning_text', index: 'content_index' },
  summary_text: { part: 'reasoning_summary_part', text: 'reasoning_summary_text', index: 'summary_index' },
};

/** Prints neutral events as a stream of the Responses dialect. Sequence numbers and indices are dense. */
export class ResponsesStreamWriter implements StreamWriter {
  readonly #envelope: AnswerEnvelope;
  readonly #style: ItemStyle;
  #state = START;
  #before = START;

  constructor(envelope: AnswerEnvelope) {
    this.#envelope = envelope;
    this.#style = new ItemStyle(envelope);
  }

  write(events: readonly AnswerEvent[]): string {
    this.#before = this.#state;
    return events.map((event) => this.#event(event)).join('');
  }

  finish(usage: TokenUsage, end: StreamEnd): string {
    if (end === 'cut') this.#state = { ...this.#before, reason: LENGTH };
    const { reason } = this.#state;
    const status = reason === undefined ? 'completed' : 'incomplete';
    const rest = this.#start() + this.#closeOpen(status) + this.#closeCalls(status);
    const output = [...this.#state.done].sort(([left], [right]) => left - right).map(([, item]) => item);
    const reasons = reason === undefined ? {} : { reason };
    const printed = { ...usageToResponses(usage) };
    const response = responseObject(this.#envelope, { status, output, usage: printed, ...reasons });
    return rest + this.#emit(`response.${status}`, { response });
  }

  // The official client looks for `error`; others read the members beside it.
  fail(error: GridError): string {
    const { error: body } = openAiErrorBody(error);
    const { code, message, param } = body;
    return this.#emit('error', { code, message, param, error: body });
  }

  #event(event: AnswerEvent): string {
    switch (event.type) {
      case 'start':
        return this.#start();
      case 'text':
        return this.#delta('output_text', event.text, event.logprobs);
      case 'refusal':
        return this.#delta('refusal', event.text);
      case 'reasoning':
        return this.#reasoning(event);
      case 'opaque':
        return this.#opaque(event.opaque);
      case 'part_end':
        return this.#closePart();
      case 'phase':
        return this.#phase(event.phase);
      case 'stop':
        this.#patch({ reason: incompleteReason(event.finishReason) });
        return '';
      default:
        return this.#callEvent(event);
    }
  }

  #callEvent(event: AnswerEvent): string {
    if (event.type === 'call') return this.#call(event);
    if (event.type === 'arguments') return this.#arguments(event.call, event.text);
    return event.type === 'call_end' ? this.#closeCall(event.call, 'completed') : '';
  }

  #patch(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
  }

  #emit(type: string, members: JsonObject): string {
    const { sequence } = this.#state;
    this.#patch({ sequence: sequence + 1 });
    return encodeEvent(type, JSON.stringify({ type, ...members, sequence_number: sequence }));
  }

  #start(): string {
    if (this.#state.isStarted) return '';
    this.#patch({ isStarted: true });
    const response = responseObject(this.#envelope, { status: 'in_progress', output: [], usage: null });
    return this.#emit('response.created', { response }) + this.#emit('response.in_progress', { response });
  }

  /** Begins the item of a kind, after ending one of the other kind. */
  #openItem(kind: OpenItem['kind']): string {
    if (this.#state.open?.kind === kind) return '';
    const closed = this.#closeOpen('completed');
    const index = this.#state.nextIndex;
    const id = this.#style.id(kind, index);
    const phase = kind === 'msg' ? this.#state.phase : undefined;
    const message = { status: 'in_progress', parts: [], phase } as const;
    const item = kind === 'msg' ? messageItem(id, message) : reasoningItem(id, [], undefined);
    const added = this.#emit('response.output_item.added', { output_index: index, item });
    const open = { kind, index, id, parts: [], isPartOpen: false, phase };
    this.#patch({ nextIndex: index + 1, open, phase: phase === undefined ? this.#state.phase : undefined });
    return closed + added;
  }

  #phase(phase: string): string {
    const closed = this.#closeOpen('completed');
    this.#patch({ phase });
    return closed;
  }

  #openPart(type: PartType): string {
    const { open } = this.#state;
    if (open === undefined || (open.isPartOpen && open.parts.at(-1)?.type === type)) return '';
    const closed = this.#closePart();
    const part = { type, text: '' };
    this.#patch({ open: { ...open, parts: [...open.parts, part], isPartOpen: true } });
    const place = this.#place(type);
    return (
      closed + this.#emit(`response.${PART_EVENTS[type].part}.added`, { ...place, part: partObject(part) })
    );
  }

  #place(type: PartType): JsonObject {
    const { open } = this.#state;
    const last = (open?.parts.length ?? 1) - 1;
    return { item_id: open?.id, output_index: open?.index, [PART_EVENTS[type].index]: last };
  }

  #delta(type: PartType, text: string, logprobs?: readonly JsonObject[]): string {
    const isReasoning = type === 'summary_text' || type === 'reasoning_text';
    const opened = this.#openItem(isReasoning ? 'rs' : 'msg') + this.#openPart(type);
    const { open } = this.#state;
    const part = open?.parts.at(-1);
    if (open === undefined || part === undefined) return opened;
    const grown = { ...part, text: part.text + text };
    const chain = logprobs === undefined ? open.logprobs : { entries: logprobs, before: open.logprobs };
    this.#patch({ open: { ...open, parts: [...open.parts.slice(0, -1), grown], logprobs: chain } });
    const shown = type === 'output_text' ? { logprobs: logprobs ?? [] } : {};
    const members = { ...this.#place(type), delta: text, ...shown };
    return opened + this.#emit(`response.${PART_EVENTS[type].text}.delta`, members);
  }

  // What a supplier gave as a summary stays one; other reasoning takes the form the client asked for.
  #reasoning(event: EventOf<'reasoning'>): string {
    const form = event.isSummary === true ? 'summary_text' : this.#style.reasoningForm;
    const isBreak = event.isBreak === true && form === 'summary_text';
    return isBreak ? this.#closePart() : this.#delta(form, event.text);
  }

  #closePart(): string {
    const { open } = this.#state;
    const last = open?.parts.at(-1);
    if (open === undefined || last === undefined || !open.isPartOpen) return '';
    const logprobs = logprobsOf(open.logprobs);
    const part = logprobs.length === 0 ? last : { ...last, logprobs };
    const place = this.#place(part.type);
    const names = PART_EVENTS[part.type];
    const written = part.type === 'refusal' ? { refusal: part.text } : { text: part.text };
    const shown = part.type === 'output_text' ? { logprobs } : {};
    const done = this.#emit(`response.${names.text}.done`, { ...place, ...written, ...shown });
    const parts = [...open.parts.slice(0, -1), part];
    this.#patch({ open: { ...open, parts, isPartOpen: false, logprobs: undefined } });
    return done + this.#emit(`response.${names.part}.done`, { ...place, part: partObject(part) });
  }

  #opaque(opaque: Opaque): string {
    const sealed = this.#style.sealed(opaque);
    if (sealed === undefined) return this.#closeReasoning(undefined);
    return this.#openItem('rs') + this.#closeReasoning(sealed);
  }

  #closeReasoning(sealed: string | undefined): string {
    if (this.#state.open?.kind !== 'rs') return '';
    const closed = this.#closePart();
    const { open } = this.#state;
    if (open === undefined) return closed;
    return (
      closed + this.#itemDone(open.index, reasoningItem(open.id, open.parts, sealed), { open: undefined })
    );
  }

  #closeOpen(status: ItemStatus): string {
    if (this.#state.open?.kind === 'rs') return this.#closeReasoning(undefined);
    const closed = this.#closePart();
    const { open } = this.#state;
    if (open === undefined) return closed;
    return (
      closed +
      this.#itemDone(open.index, messageItem(open.id, { status, parts: open.parts, phase: open.phase }), {
        open: undefined,
      })
    );
  }

  #itemDone(index: number, item: JsonObject, change: Partial<State>): string {
    this.#patch({ ...change, done: new Map([...this.#state.done, [index, item]]) });
    return this.#emit('response.output_item.done', { output_index: index, item });
  }

  #call({ call, kind, id: callId, name }: EventOf<'call'>): string {
    const closed = this.#closeOpen('completed');
    const index = this.#state.nextIndex;
    const id = this.#style.id(kind === 'custom' ? 'ctc' : 'fc', index);
    const begun = { kind, callId, name, text: '', index, id };
    this.#patch({ nextIndex: index + 1, calls: new Map([...this.#state.calls, [call, begun]]) });
    const item = callItem(id, 'in_progress', begun);
    return closed + this.#emit('response.output_item.added', { output_index: index, item });
  }

  #arguments(call: number, delta: string): string {
    const open = this.#state.calls.get(call);
    if (open === undefined) return '';
    this.#patch({ calls: new Map([...this.#state.calls, [call, { ...open, text: open.text + delta }]]) });
    const name = open.kind === 'custom' ? 'custom_tool_call_input' : 'function_call_arguments';
    return this.#emit(`response.${name}.delta`, { item_id: open.id, output_index: open.index, delta });
  }

  #closeCall(call: number, status: ItemStatus): string {
    const open = this.#state.calls.get(call);
    if (open === undefined) return '';
    const item = callItem(open.id, status, open);
    const place = { item_id: open.id, output_index: open.index };
    const done =
      open.kind === 'custom'
        ? this.#emit('response.custom_tool_call_input.done', { ...place, input: item.input })
        : this.#emit('response.function_call_arguments.done', {
            ...place,
            name: open.name,
            arguments: item.arguments,
          });
    const calls = new Map([...this.#state.calls].filter(([number]) => number !== call));
    return done + this.#itemDone(open.index, item, { calls });
  }

  #closeCalls(status: ItemStatus): string {
    return [...this.#state.calls.keys()].map((call) => this.#closeCall(call, status)).join('');
  }
}
