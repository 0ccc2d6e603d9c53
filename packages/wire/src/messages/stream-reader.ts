import { EventLog } from '../conversation/event-log.ts';
import type { AnswerEvent, StreamReader } from '../conversation/events.ts';
import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
import { finishReasonOfStop } from './answer.ts';
import { usageFromMessages } from './usage.ts';

/** Which kind of block each kind of delta belongs to. */
const BLOCK_OF_DELTA: ReadonlyMap<unknown, string> = new Map([
  ['text_delta', 'text'],
  ['citations_delta', 'text'],
  ['thinking_delta', 'thinking'],
  ['signature_delta', 'thinking'],
  ['input_json_delta', 'tool_use'],
]);

const KNOWN_BLOCKS: ReadonlySet<unknown> = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use']);

/** A block while it is open. A call has its number, and its arguments may come with its start. */
interface OpenBlock {
  readonly type: unknown;
  readonly call?: number;
  readonly input?: unknown;
  signature: string;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reads the stream of a supplier on the Anthropic wire. */
export class MessagesStreamReader implements StreamReader {
  readonly #log: EventLog;
  readonly #blocks = new Map<unknown, OpenBlock>();
  // Counters are cumulative: what a later event has replaces what an earlier one had.
  #usage: JsonObject = {};
  #hasStarted = false;

  constructor(callIdStem: string) {
    this.#log = new EventLog(callIdStem);
  }

  push(data: string): readonly AnswerEvent[] {
    return this.pushParsed(parseSupplierJson(data));
  }

  /** Takes an event that was parsed before; `undefined` for what is no JSON object. */
  pushParsed(event: JsonObject | undefined): readonly AnswerEvent[] {
    if (event === undefined) this.#log.fail('malformed');
    else this.#event(event);
    return this.#log.take();
  }

  /** Unlike others, servers of this wire always say that a message has stopped. */
  end(): readonly AnswerEvent[] {
    if (!this.#log.isOver) this.#log.fail('malformed');
    return this.#log.take();
  }

  #event(event: JsonObject): undefined {
    if (event.type === 'ping') return;
    if (event.type === 'error') return this.#log.fail('upstream_error');
    if (event.type === 'message_start') return this.#start(event);
    // Anything before the start is no message; kinds of events nobody knows are let pass after it.
    if (!this.#hasStarted) return this.#log.fail('malformed');
    if (event.type === 'content_block_start') this.#beginBlock(event);
    else if (event.type === 'content_block_delta') this.#delta(event);
    else if (event.type === 'content_block_stop') this.#endBlock(event.index);
    else if (event.type === 'message_delta') this.#stop(event);
    else if (event.type === 'message_stop') this.#log.done();
  }

  #start(event: JsonObject): undefined {
    if (this.#hasStarted || !isJsonObject(event.message)) return this.#log.fail('malformed');
    this.#hasStarted = true;
    this.#noteUsage(event.message.usage);
    this.#log.start(event.message.model);
  }

  #noteUsage(usage: unknown): void {
    if (!isJsonObject(usage)) return;
    const told = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) };
  }

  #beginBlock(event: JsonObject): undefined {
    const block = event.content_block;
    if (!isJsonObject(block) || this.#blocks.has(event.index)) return this.#log.fail('malformed');
    if (block.type === 'tool_use') {
      const call = this.#log.call({ id: textOf(block.id), name: textOf(block.name) });
      this.#blocks.set(event.index, { type: block.type, call, input: block.input, signature: '' });
      return;
    }
    this.#blocks.set(event.index, { type: block.type, signature: textOf(block.signature) });
    if (block.type === 'text') this.#log.text(textOf(block.text));
    else if (block.type === 'thinking') this.#log.reasoning(textOf(block.thinking));
    else if (block.type === 'redacted_thinking') {
      this.#log.opaque({ kind: 'redacted', value: textOf(block.data) });
    }
  }

  #delta(event: JsonObject): undefined {
    const block = this.#blocks.get(event.index);
    const delta = event.delta;
    if (block === undefined || !isJsonObject(delta)) return this.#log.fail('malformed');
    // Blocks and deltas of kinds nobody knows are let pass; what is known must belong together.
    const owner = BLOCK_OF_DELTA.get(delta.type);
    const isKnown = owner !== undefined && KNOWN_BLOCKS.has(block.type);
    if (isKnown && owner !== block.type) return this.#log.fail('malformed');
    if (!KNOWN_BLOCKS.has(block.type)) return;
    if (delta.type === 'text_delta') this.#log.text(textOf(delta.text));
    else if (delta.type === 'thinking_delta') this.#log.reasoning(textOf(delta.thinking));
    else if (delta.type === 'signature_delta') block.signature += textOf(delta.signature);
    else if (delta.type === 'input_json_delta' && block.call !== undefined) {
      this.#log.callArguments(block.call, textOf(delta.partial_json));
    }
  }

  #endBlock(index: unknown): undefined {
    const block = this.#blocks.get(index);
    if (block === undefined) return this.#log.fail('malformed');
    this.#blocks.delete(index);
    if (block.call !== undefined) this.#endCall(block.call, block.input);
    else if (block.type === 'thinking' && block.signature !== '') {
      this.#log.opaque({ kind: 'signature', value: block.signature });
    } else this.#log.partEnd();
  }

  #endCall(call: number, input: unknown): void {
    const isGiven = isJsonObject(input) && Object.keys(input).length > 0;
    if (isGiven && !this.#log.isArgued(call)) this.#log.callArguments(call, JSON.stringify(input));
    this.#log.callEnd(call);
  }

  #stop(event: JsonObject): void {
    this.#noteUsage(event.usage);
    const delta = isJsonObject(event.delta) ? event.delta : {};
    this.#log.usage(usageFromMessages(this.#usage));
    if (typeof delta.stop_reason !== 'string') return;
    const sequence = typeof delta.stop_sequence === 'string' ? delta.stop_sequence : undefined;
    this.#log.stop(finishReasonOfStop(delta.stop_reason), sequence);
  }
}

/** Reads a supplier's complete answer on the Anthropic wire. */
export function readMessagesAnswer(jsonText: string, callIdStem: string): readonly AnswerEvent[] {
  const log = new EventLog(callIdStem);
  const message = parseSupplierJson(jsonText);
  if (message === undefined) log.fail('malformed');
  else if (message.type === 'error') log.fail('upstream_error');
  else if (!Array.isArray(message.content) || typeof message.stop_reason !== 'string') log.fail('malformed');
  else readMessage(message, message.content, log);
  log.done();
  return log.take();
}

function readMessage(message: JsonObject, content: readonly unknown[], log: EventLog): undefined {
  log.start(message.model);
  for (const block of content) if (isJsonObject(block)) readBlock(block, log);
  log.usage(usageFromMessages(message.usage));
  const sequence = typeof message.stop_sequence === 'string' ? message.stop_sequence : undefined;
  log.stop(finishReasonOfStop(message.stop_reason), sequence);
}

function readBlock(block: JsonObject, log: EventLog): void {
  if (block.type === 'text') log.text(textOf(block.text));
  else if (block.type === 'redacted_thinking') log.opaque({ kind: 'redacted', value: textOf(block.data) });
  else if (block.type === 'thinking') {
    log.reasoning(textOf(block.thinking));
    log.opaque({ kind: 'signature', value: textOf(block.signature) });
  } else if (block.type === 'tool_use') {
    const call = log.call({ id: textOf(block.id), name: textOf(block.name) });
    log.callArguments(call, JSON.stringify(block.input ?? {}));
    log.callEnd(call);
  }
  log.partEnd();
}
