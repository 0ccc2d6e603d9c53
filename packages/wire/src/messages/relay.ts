import type { FinishReason } from '../chat/answer.ts';
import {
  type AnswerEnvelope,
  type AnswerStream,
  type FailedAnswer,
  type StreamEnd,
  type StreamStep,
  stepOf,
  type WholeAnswer,
  wholeAnswerOf,
} from '../conversation/answer-stream.ts';
import type { Opaque } from '../conversation/seal.ts';
import type { GridError } from '../errors/grid-error.ts';
import { isJsonObject, type JsonObject, parseSupplierJson } from '../json/parse.ts';
import type { TokenUsage } from '../usage.ts';
import {
  messageHead,
  messageStart,
  messagesErrorEvent,
  messagesEvent,
  messagesPingEvent,
  stopMembers,
} from './answer.ts';
import { MessagesStreamReader, readMessagesAnswer } from './stream-reader.ts';
import { usageToMessages } from './usage.ts';

/** Members of each kind of block that reach the client. Kinds that are not listed do not. */
const BLOCK_FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['text', ['text', 'citations']],
  ['thinking', ['thinking', 'signature']],
  ['redacted_thinking', ['data']],
  ['tool_use', ['id', 'name', 'input', 'caller']],
]);
const DELTA_FIELDS: ReadonlyMap<unknown, string> = new Map([
  ['text_delta', 'text'],
  ['citations_delta', 'citation'],
  ['thinking_delta', 'thinking'],
  ['input_json_delta', 'partial_json'],
]);
const REASONING: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

/** What of a block reaches the client; `undefined` for a kind it does not get. Proofs are sealed apart. */
function shownBlock(block: JsonObject, envelope: AnswerEnvelope): JsonObject | undefined {
  const fields = BLOCK_FIELDS.get(block.type);
  const isHidden = REASONING.has(block.type) && !envelope.request.showsReasoning;
  if (fields === undefined || isHidden) return undefined;
  const members = fields.filter((name) => block[name] !== undefined).map((name) => [name, block[name]]);
  return { type: block.type, ...Object.fromEntries(members) };
}

function sealed(opaque: Opaque, { seal }: AnswerEnvelope): string {
  return opaque.value === '' || seal === undefined ? '' : seal.wrap(opaque);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

interface RelayedBlock {
  readonly index: number;
  readonly type: unknown;
  signature: string;
}

/**
 * Relays a stream of the Anthropic wire to a client of the same dialect. A reader checks it and tells what
 * it holds; each event is then printed again with our envelope and the supplier's content.
 */
export class MessagesRelay implements AnswerStream {
  readonly #envelope: AnswerEnvelope;
  readonly #reader: MessagesStreamReader;
  /** Open blocks by the supplier's index. Ours leave out what the client does not get. */
  #open: ReadonlyMap<unknown, RelayedBlock> = new Map();
  #openBefore: ReadonlyMap<unknown, RelayedBlock> = new Map();
  #nextIndex = 0;
  #isStarted = false;
  #wasStarted = false;
  #stop: JsonObject = stopMembers({ finishReason: 'stop' });
  isComplete = false;

  constructor(envelope: AnswerEnvelope) {
    this.#envelope = envelope;
    this.#reader = new MessagesStreamReader(`toolu_${envelope.requestId}`);
  }

  push(data: string): StreamStep {
    const event = parseSupplierJson(data);
    const events = this.#reader.pushParsed(event);
    this.#openBefore = this.#open;
    this.#wasStarted = this.#isStarted;
    const failed = events.some(({ type }) => type === 'error');
    const stop = events.find((event) => event.type === 'stop');
    if (stop !== undefined) this.#noteStop(stop.finishReason, stop.stopSequence);
    return stepOf(events, failed || event === undefined ? '' : this.#print(event));
  }

  end(): StreamStep {
    return stepOf(this.#reader.end(), '');
  }

  finish(usage: TokenUsage, end: StreamEnd): string {
    if (end === 'cut') {
      this.#open = this.#openBefore;
      this.#isStarted = this.#wasStarted;
      this.#stop = stopMembers({ finishReason: 'length' });
    }
    const start = this.#isStarted ? '' : messageStart(this.#envelope);
    const stops = [...this.#open.values()].map(({ index }) => messagesEvent('content_block_stop', { index }));
    const delta = { delta: this.#stop, usage: usageToMessages(usage) };
    return start + stops.join('') + messagesEvent('message_delta', delta) + messagesEvent('message_stop', {});
  }

  fail(error: GridError): string {
    return messagesErrorEvent(error, this.#envelope.requestId);
  }

  #noteStop(finishReason: FinishReason, stopSequence: string | undefined): void {
    this.isComplete = true;
    this.#stop = stopMembers(stopSequence === undefined ? { finishReason } : { finishReason, stopSequence });
  }

  // The last delta and the stop wait for the settlement, in `finish`.
  #print(event: JsonObject): string {
    switch (event.type) {
      case 'message_start':
        this.#isStarted = true;
        return messageStart(this.#envelope);
      case 'ping':
        return this.#isStarted ? messagesPingEvent() : '';
      case 'content_block_start':
        return this.#beginBlock(event.index, event.content_block as JsonObject);
      case 'content_block_delta':
        return this.#delta(this.#open.get(event.index), event.delta as JsonObject);
      case 'content_block_stop':
        return this.#endBlock(event.index);
      default:
        return '';
    }
  }

  #beginBlock(upstreamIndex: unknown, block: JsonObject): string {
    const shown = shownBlock(block, this.#envelope);
    if (shown === undefined) return '';
    const index = this.#nextIndex;
    this.#nextIndex += 1;
    const relayed = { index, type: block.type, signature: textOf(block.signature) };
    this.#open = new Map([...this.#open, [upstreamIndex, relayed]]);
    const data = { kind: 'redacted', value: textOf(block.data) } as const;
    const proof = {
      ...(shown.signature === undefined ? {} : { signature: '' }),
      ...(shown.data === undefined ? {} : { data: sealed(data, this.#envelope) }),
    };
    return messagesEvent('content_block_start', { index, content_block: { ...shown, ...proof } });
  }

  #delta(block: RelayedBlock | undefined, delta: JsonObject): string {
    if (block === undefined) return '';
    // A signature may come in pieces; its seal covers the whole.
    if (delta.type === 'signature_delta') block.signature += textOf(delta.signature);
    const member = DELTA_FIELDS.get(delta.type);
    if (member === undefined) return '';
    const shown = { type: delta.type, [member]: delta[member] };
    return messagesEvent('content_block_delta', { index: block.index, delta: shown });
  }

  #endBlock(upstreamIndex: unknown): string {
    const block = this.#open.get(upstreamIndex);
    if (block === undefined) return '';
    this.#open = new Map([...this.#open].filter(([index]) => index !== upstreamIndex));
    const { index } = block;
    const signature = sealed({ kind: 'signature', value: block.signature }, this.#envelope);
    const delta = { type: 'signature_delta', signature };
    const proof = signature === '' ? '' : messagesEvent('content_block_delta', { index, delta });
    return proof + messagesEvent('content_block_stop', { index });
  }
}

function relayedBlock(block: unknown, envelope: AnswerEnvelope): readonly JsonObject[] {
  const shown = isJsonObject(block) ? shownBlock(block, envelope) : undefined;
  if (shown === undefined) return [];
  const value = textOf(shown.type === 'thinking' ? shown.signature : shown.data);
  if (shown.type === 'thinking')
    return [{ ...shown, signature: sealed({ kind: 'signature', value }, envelope) }];
  if (shown.type !== 'redacted_thinking') return [shown];
  return [{ ...shown, data: sealed({ kind: 'redacted', value }, envelope) }];
}

/** Relays a complete answer of the Anthropic wire to a client of the same dialect. */
export function relayMessagesAnswer(jsonText: string, envelope: AnswerEnvelope): WholeAnswer | FailedAnswer {
  const events = readMessagesAnswer(jsonText, `toolu_${envelope.requestId}`);
  const stop = events.find((event) => event.type === 'stop');
  return wholeAnswerOf(events, (usage) => {
    const { content } = parseSupplierJson(jsonText) as { content: readonly unknown[] };
    return JSON.stringify({
      ...messageHead(envelope),
      content: content.flatMap((block) => relayedBlock(block, envelope)),
      ...stopMembers(stop ?? { finishReason: 'stop' }),
      usage: usageToMessages(usage),
    });
  });
}
