import { EventLog } from '../conversation/event-log.ts';
import type { AnswerEvent, StreamReader } from '../conversation/events.ts';
import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
import { finishReasonOfIncomplete } from './answer.ts';
import { usageFromResponses } from './usage.ts';

/** What of an output item was read from its pieces; what was not is read from the item when it is done. */
interface OpenItem {
  readonly type: unknown;
  readonly call?: number;
  hasText: boolean;
  /** The part that the last piece belonged to. */
  part: string;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function logprobsOf(value: unknown): readonly JsonObject[] | undefined {
  const entries = listOf(value);
  return entries.length === 0 ? undefined : entries;
}

function isCall(item: JsonObject): boolean {
  return item.type === 'function_call' || item.type === 'custom_tool_call';
}

function argumentsOf(item: JsonObject): string {
  return textOf(item.type === 'function_call' ? item.arguments : item.input);
}

/** Reads output items, from pieces or whole. */
class ItemLog {
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  begin(item: JsonObject): OpenItem {
    if (item.type === 'message' && typeof item.phase === 'string') this.#log.phase(item.phase);
    const open = { type: item.type, hasText: false, part: '' };
    if (!isCall(item)) return open;
    const kind = item.type === 'function_call' ? 'function' : 'custom';
    return { ...open, call: this.#log.call({ id: textOf(item.call_id), name: textOf(item.name), kind }) };
  }

  end(item: JsonObject, open: OpenItem): void {
    if (open.call !== undefined) {
      if (!this.#log.isArgued(open.call)) this.#log.callArguments(open.call, argumentsOf(item));
      this.#log.callEnd(open.call);
    } else if (item.type === 'message') this.#endMessage(item, open);
    else if (item.type === 'reasoning') this.#endReasoning(item, open);
  }

  #endMessage(item: JsonObject, open: OpenItem): void {
    for (const part of open.hasText ? [] : listOf(item.content)) {
      if (part.type === 'refusal') this.#log.refusal(textOf(part.refusal));
      else this.#log.text(textOf(part.text), logprobsOf(part.logprobs));
      this.#log.partEnd();
    }
    this.#log.partEnd();
  }

  // Encrypted reasoning beside a text proves it; alone, it is the reasoning.
  #endReasoning(item: JsonObject, open: OpenItem): void {
    if (!open.hasText) this.#wholeReasoning(item);
    const isShown = open.hasText || [...listOf(item.content), ...listOf(item.summary)].length > 0;
    const kind = isShown ? 'signature' : 'redacted';
    this.#log.opaque({ kind, value: textOf(item.encrypted_content) });
    this.#log.partEnd();
  }

  #wholeReasoning(item: JsonObject): void {
    const content = listOf(item.content);
    for (const part of content) this.#log.reasoning(textOf(part.text));
    for (const [index, part] of (content.length > 0 ? [] : listOf(item.summary)).entries()) {
      if (index > 0) this.#log.summaryBreak();
      this.#log.summary(textOf(part.text));
    }
  }
}

/** How the last event of a response ended it. */
function endResponse(response: JsonObject, log: EventLog): void {
  log.usage(usageFromResponses(response.usage));
  const details = isJsonObject(response.incomplete_details) ? response.incomplete_details : {};
  const isIncomplete = response.status === 'incomplete';
  log.stop(isIncomplete ? finishReasonOfIncomplete(details.reason) : 'stop');
  log.done();
}

/** Reads the stream of a supplier on the Responses wire. */
export class ResponsesStreamReader implements StreamReader {
  readonly #log: EventLog;
  readonly #items: ItemLog;
  readonly #open = new Map<unknown, OpenItem>();
  #itemCount = 0;

  constructor(callIdStem: string) {
    this.#log = new EventLog(callIdStem);
    this.#items = new ItemLog(this.#log);
  }

  push(data: string): readonly AnswerEvent[] {
    // Some servers of this wire end like those of chat completions; by then all is said.
    const event = data === '[DONE]' ? {} : parseSupplierJson(data);
    if (event === undefined) this.#log.fail('malformed');
    else this.#event(event);
    return this.#log.take();
  }

  /** Servers of this wire always say how a response ended. */
  end(): readonly AnswerEvent[] {
    if (!this.#log.isOver) this.#log.fail('malformed');
    return this.#log.take();
  }

  #event(event: JsonObject): undefined {
    const response = isJsonObject(event.response) ? event.response : {};
    switch (event.type) {
      case 'error':
      case 'response.failed':
        return this.#log.fail('upstream_error');
      case 'response.created':
      case 'response.in_progress':
        return this.#log.start(response.model) as undefined;
      case 'response.completed':
      case 'response.incomplete':
        return this.#end(response);
      case 'response.output_item.added':
        return this.#begin(event);
      case 'response.output_item.done':
        return this.#endItem(event);
      default:
        return this.#piece(event);
    }
  }

  #begin(event: JsonObject): undefined {
    if (!isJsonObject(event.item) || this.#open.has(event.output_index)) return this.#log.fail('malformed');
    this.#itemCount += 1;
    this.#open.set(event.output_index, this.#items.begin(event.item));
  }

  #endItem(event: JsonObject): undefined {
    if (!isJsonObject(event.item)) return this.#log.fail('malformed');
    const open = this.#open.get(event.output_index) ?? this.#items.begin(event.item);
    this.#itemCount += this.#open.delete(event.output_index) ? 0 : 1;
    this.#items.end(event.item, open);
  }

  #piece(event: JsonObject): undefined {
    const piece = PIECES.get(event.type);
    if (piece === undefined) return;
    const open = this.#open.get(event.output_index);
    if (open === undefined || typeof event.delta !== 'string') return this.#log.fail('malformed');
    if (piece === 'arguments') {
      if (open.call !== undefined) this.#log.callArguments(open.call, event.delta);
      return;
    }
    this.#separate(open, `${piece} ${event.content_index ?? ''} ${event.summary_index ?? ''}`, piece);
    open.hasText = true;
    if (piece === 'text') this.#log.text(event.delta, logprobsOf(event.logprobs));
    else if (piece === 'refusal') this.#log.refusal(event.delta);
    else if (piece === 'summary') this.#log.summary(event.delta);
    else this.#log.reasoning(event.delta);
  }

  // Parts of a summary are paragraphs of one reasoning; parts of a message are parts elsewhere, too.
  #separate(open: OpenItem, part: string, piece: string): void {
    if (open.part !== '' && open.part !== part) {
      if (piece === 'summary') this.#log.summaryBreak();
      else this.#log.partEnd();
    }
    open.part = part;
  }

  // Some servers send a complete response and no pieces of it.
  #end(response: JsonObject): undefined {
    this.#log.start(response.model);
    const whole = this.#itemCount === 0 ? listOf(response.output) : [];
    for (const item of whole) this.#items.end(item, this.#items.begin(item));
    endResponse(response, this.#log);
  }
}

const PIECES: ReadonlyMap<unknown, 'text' | 'refusal' | 'summary' | 'reasoning' | 'arguments'> = new Map([
  ['response.output_text.delta', 'text'],
  ['response.refusal.delta', 'refusal'],
  ['response.reasoning_summary_text.delta', 'summary'],
  ['response.reasoning_text.delta', 'reasoning'],
  ['response.function_call_arguments.delta', 'arguments'],
  ['response.custom_tool_call_input.delta', 'arguments'],
]);

/** Reads a supplier's complete answer on the Responses wire. */
export function readResponsesAnswer(jsonText: string, callIdStem: string): readonly AnswerEvent[] {
  const log = new EventLog(callIdStem);
  const response = parseSupplierJson(jsonText);
  const isEnded = response?.status === 'completed' || response?.status === 'incomplete';
  const isFailed = response?.status === 'failed' || isJsonObject(response?.error);
  if (isFailed) log.fail('upstream_error');
  else if (response === undefined || !isEnded || !Array.isArray(response.output)) log.fail('malformed');
  else {
    log.start(response.model);
    const items = new ItemLog(log);
    for (const item of listOf(response.output)) items.end(item, items.begin(item));
    endResponse(response, log);
  }
  return log.take();
}
