import type { AnswerEnvelope, StreamEnd, StreamWriter } from '../conversation/answer-stream.ts';
import type { AnswerEvent } from '../conversation/events.ts';
import type { Opaque } from '../conversation/seal.ts';
import type { GridError } from '../errors/grid-error.ts';
import type { JsonObject } from '../json/parse.ts';
import type { TokenUsage } from '../usage.ts';
import {
  blockDelta,
  type MessageStop,
  messageStart,
  messagesErrorEvent,
  messagesEvent,
  stopMembers,
} from './answer.ts';
import { usageToMessages } from './usage.ts';

type EventOf<Type extends AnswerEvent['type']> = Extract<AnswerEvent, { type: Type }>;

/** Where the stream stands. Replaced as a whole, so that a step that was withheld can be taken back. */
interface State {
  readonly isStarted: boolean;
  readonly nextIndex: number;
  /** The open block of text or thinking, if any. */
  readonly open?: { readonly kind: 'text' | 'thinking'; readonly index: number };
  /** Blocks of calls that are open: number of the call to index of the block. */
  readonly calls: ReadonlyMap<number, number>;
  readonly stop: MessageStop;
}

const START: State = { isStarted: false, nextIndex: 0, calls: new Map(), stop: { finishReason: 'stop' } };
const FIRST_BLOCK: Readonly<Record<'text' | 'thinking', JsonObject>> = {
  text: { type: 'text', text: '' },
  thinking: { type: 'thinking', thinking: '', signature: '' },
};

/** Prints neutral events as a stream of the Messages dialect. Indices are dense; each block stops once. */
export class MessagesStreamWriter implements StreamWriter {
  readonly #envelope: AnswerEnvelope;
  #state = START;
  #before = START;

  constructor(envelope: AnswerEnvelope) {
    this.#envelope = envelope;
  }

  write(events: readonly AnswerEvent[]): string {
    this.#before = this.#state;
    return events.map((event) => this.#event(event)).join('');
  }

  finish(usage: TokenUsage, end: StreamEnd): string {
    if (end === 'cut') this.#state = { ...this.#before, stop: { finishReason: 'length' } };
    const rest = this.#start() + this.#closeOpen() + this.#closeCalls();
    const delta = stopMembers(this.#state.stop);
    return (
      rest +
      messagesEvent('message_delta', { delta, usage: usageToMessages(usage) }) +
      messagesEvent('message_stop', {})
    );
  }

  fail(error: GridError): string {
    return messagesErrorEvent(error, this.#envelope.requestId);
  }

  #event(event: AnswerEvent): string {
    switch (event.type) {
      case 'start':
        return this.#start();
      case 'text':
        return this.#delta('text', { type: 'text_delta', member: 'text', text: event.text });
      case 'refusal':
        this.#patch({ stop: { ...this.#state.stop, isRefused: true } });
        return this.#delta('text', { type: 'text_delta', member: 'text', text: event.text });
      case 'reasoning':
        return this.#shown(() => this.#thinking('thinking', event.text));
      case 'opaque':
        return this.#shown(() => this.#opaque(event.opaque));
      case 'part_end':
        return this.#closeOpen();
      case 'stop':
        this.#patch({ stop: { ...this.#state.stop, ...event } });
        return '';
      default:
        return this.#callEvent(event);
    }
  }

  #callEvent(event: AnswerEvent): string {
    if (event.type === 'call') return this.#call(event);
    if (event.type === 'arguments') {
      const index = this.#state.calls.get(event.call);
      const delta = { type: 'input_json_delta', member: 'partial_json', text: event.text };
      return index === undefined ? '' : blockDelta(index, delta);
    }
    return event.type === 'call_end' ? this.#closeCall(event.call) : '';
  }

  #patch(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
  }

  #start(): string {
    if (this.#state.isStarted) return '';
    this.#patch({ isStarted: true });
    return messageStart(this.#envelope);
  }

  // Reasoning that was not asked for is not shown; it is billed like all output.
  #shown(print: () => string): string {
    return this.#envelope.request.showsReasoning ? print() : '';
  }

  #beginBlock(block: JsonObject): { index: number; text: string } {
    const index = this.#state.nextIndex;
    this.#patch({ nextIndex: index + 1 });
    return { index, text: messagesEvent('content_block_start', { index, content_block: block }) };
  }

  #thinking(member: 'thinking' | 'signature', text: string): string {
    return this.#delta('thinking', { type: `${member}_delta`, member, text });
  }

  #delta(kind: 'text' | 'thinking', delta: { type: string; member: string; text: string }): string {
    const { open } = this.#state;
    if (open?.kind === kind) return blockDelta(open.index, delta);
    const closed = this.#closeOpen();
    const { index, text } = this.#beginBlock(FIRST_BLOCK[kind]);
    this.#patch({ open: { kind, index } });
    return closed + text + blockDelta(index, delta);
  }

  #opaque(opaque: Opaque): string {
    const { seal } = this.#envelope;
    if (seal === undefined) return '';
    const sealed = seal.wrap(opaque);
    if (opaque.kind === 'signature') {
      return this.#thinking('signature', sealed) + this.#closeOpen();
    }
    const closed = this.#closeOpen();
    const { index, text } = this.#beginBlock({ type: 'redacted_thinking', data: sealed });
    return closed + text + messagesEvent('content_block_stop', { index });
  }

  #call({ call, id, name }: EventOf<'call'>): string {
    const closed = this.#closeOpen();
    const { index, text } = this.#beginBlock({ type: 'tool_use', id, name, input: {} });
    this.#patch({ calls: new Map([...this.#state.calls, [call, index]]) });
    return closed + text;
  }

  #closeOpen(): string {
    const { open, ...rest } = this.#state;
    if (open === undefined) return '';
    this.#state = rest;
    return messagesEvent('content_block_stop', { index: open.index });
  }

  #closeCall(call: number): string {
    const index = this.#state.calls.get(call);
    if (index === undefined) return '';
    this.#patch({ calls: new Map([...this.#state.calls].filter(([number]) => number !== call)) });
    return messagesEvent('content_block_stop', { index });
  }

  #closeCalls(): string {
    return [...this.#state.calls.keys()].map((call) => this.#closeCall(call)).join('');
  }
}
