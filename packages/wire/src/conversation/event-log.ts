import type { AnswerError, FinishReason } from '../chat/answer.ts';
import type { JsonObject } from '../json/parse.ts';
import type { TokenUsage } from '../usage.ts';
import type { AnswerEvent } from './events.ts';
import type { CallKind } from './model.ts';
import type { Opaque } from './seal.ts';

/** A call as it begins. An id or name that the supplier left out is empty. */
export interface NewCall {
  readonly id: string;
  readonly name: string;
  readonly kind?: CallKind;
}

/**
 * Where the readers of all dialects put what they read. It keeps the grammar that writers rely on,
 * whatever a supplier sends: one start, dense numbers of calls, one stop, one end, and nothing after it.
 */
export class EventLog {
  readonly #callIdStem: string;
  #events: AnswerEvent[] = [];
  readonly #openCalls: boolean[] = [];
  readonly #isArgued: boolean[] = [];
  #hasStarted = false;
  #hasStopped = false;
  #isOver = false;

  /** @param callIdStem begins the id of a call that the supplier gave none. */
  constructor(callIdStem: string) {
    this.#callIdStem = callIdStem;
  }

  get hasStopped(): boolean {
    return this.#hasStopped;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(upstreamModel: unknown): void {
    if (this.#hasStarted || this.#isOver) return;
    this.#hasStarted = true;
    this.#events.push(
      typeof upstreamModel === 'string' ? { type: 'start', upstreamModel } : { type: 'start' },
    );
  }

  text(text: string, logprobs?: readonly JsonObject[]): void {
    if (text === '') return;
    this.#part(logprobs === undefined ? { type: 'text', text } : { type: 'text', text, logprobs });
  }

  reasoning(text: string): void {
    if (text !== '') this.#part({ type: 'reasoning', text });
  }

  summary(text: string): void {
    if (text !== '') this.#part({ type: 'reasoning', text, isSummary: true });
  }

  summaryBreak(): void {
    this.#part({ type: 'reasoning', text: '\n\n', isSummary: true, isBreak: true });
  }

  refusal(text: string): void {
    if (text !== '') this.#part({ type: 'refusal', text });
  }

  opaque(opaque: Opaque): void {
    if (opaque.value !== '') this.#part({ type: 'opaque', opaque });
  }

  phase(phase: string): void {
    this.#part({ type: 'phase', phase });
  }

  partEnd(): void {
    this.#part({ type: 'part_end' });
  }

  /** Begins a call and gives its number. */
  call({ id, name, kind = 'function' }: NewCall): number {
    const call = this.#openCalls.length;
    this.#openCalls.push(true);
    this.#isArgued.push(false);
    this.#part({ type: 'call', call, kind, id: id === '' ? `${this.#callIdStem}_${call}` : id, name });
    return call;
  }

  /** A piece of a call. After its end it makes the answer malformed: the client has the call as whole. */
  callArguments(call: number, text: string): undefined {
    if (text === '') return;
    if (this.#openCalls[call] !== true) return this.fail('malformed');
    this.#isArgued[call] = true;
    this.#part({ type: 'arguments', call, text });
  }

  /** Whether a call has had a piece of its arguments. */
  isArgued(call: number): boolean {
    return this.#isArgued[call] === true;
  }

  callEnd(call: number): void {
    if (this.#openCalls[call] !== true) return;
    this.#openCalls[call] = false;
    this.#part({ type: 'call_end', call });
  }

  usage(usage: TokenUsage | undefined): void {
    if (usage === undefined || this.#isOver) return;
    this.start(undefined);
    this.#events.push({ type: 'usage', usage });
  }

  stop(finishReason: FinishReason, stopSequence?: string): void {
    if (this.#hasStopped || this.#isOver) return;
    this.#openCalls.forEach((isOpen, call) => {
      if (isOpen) this.callEnd(call);
    });
    this.start(undefined);
    this.#hasStopped = true;
    // Some suppliers end an answer that calls tools like any other; clients look for the calls' own reason.
    const isCalling = finishReason === 'stop' && this.#openCalls.length > 0;
    const stop = { type: 'stop', finishReason: isCalling ? 'tool_calls' : finishReason } as const;
    this.#events.push(stopSequence === undefined ? stop : { ...stop, stopSequence });
  }

  /** The upstream says that this was all. Without a stop it was not. */
  done(): undefined {
    if (this.#isOver) return;
    if (!this.#hasStopped) return this.fail('malformed');
    this.#isOver = true;
    this.#events.push({ type: 'done' });
  }

  fail(error: AnswerError): undefined {
    if (this.#isOver) return;
    this.start(undefined);
    this.#isOver = true;
    this.#events.push({ type: 'error', error });
  }

  /** Hands over what was logged since the last time. */
  take(): readonly AnswerEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  // Some suppliers repeat the last piece beside the usage: what follows the stop says nothing new.
  #part(event: AnswerEvent): void {
    if (this.#isOver || this.#hasStopped) return;
    this.start(undefined);
    this.#events.push(event);
  }
}
