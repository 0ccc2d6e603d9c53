import { partsOfAnswer } from '../conversation/answer-parts.ts';
import type { AnswerEnvelope, StreamEnd, StreamWriter } from '../conversation/answer-stream.ts';
import type { AnswerEvent } from '../conversation/events.ts';
import type { GridError } from '../errors/grid-error.ts';
import { chatCompletionId } from '../ids.ts';
import type { JsonObject } from '../json/parse.ts';
import { type TokenUsage, usageToOpenAi } from '../usage.ts';
import type { ChatEnvelope, FinishReason } from './answer.ts';
import { doneEvent, errorEvent } from './stream.ts';

type EventOf<Type extends AnswerEvent['type']> = Extract<AnswerEvent, { type: Type }>;

/** The part of an envelope that chat completions show. */
export function chatEnvelope(envelope: AnswerEnvelope): ChatEnvelope {
  const { requestId, createdSeconds, servedModel } = envelope;
  return { completionId: chatCompletionId(requestId), createdSeconds, servedModel };
}

function head(envelope: AnswerEnvelope, object: string): JsonObject {
  const { completionId, createdSeconds, servedModel } = chatEnvelope(envelope);
  return {
    id: completionId,
    object,
    created: createdSeconds,
    model: servedModel,
    service_tier: 'default',
    system_fingerprint: null,
  };
}

/** What of the stream was printed. Replaced as a whole, so that a step that was withheld can be taken back. */
interface State {
  readonly hasRole: boolean;
  /** Calls that have had a piece of their arguments. */
  readonly argued: ReadonlySet<number>;
  readonly finishReason: FinishReason;
}

const START: State = { hasRole: false, argued: new Set(), finishReason: 'stop' };

/** Prints neutral events as a stream of chat completion chunks. */
export class ChatStreamWriter implements StreamWriter {
  readonly #prefix: string;
  readonly #includeUsage: boolean;
  #state = START;
  #before = START;

  constructor(envelope: AnswerEnvelope) {
    this.#prefix = `data: ${JSON.stringify(head(envelope, 'chat.completion.chunk')).slice(0, -1)},"choices":`;
    this.#includeUsage = envelope.request.includeUsage;
  }

  write(events: readonly AnswerEvent[]): string {
    this.#before = this.#state;
    return events.map((event) => this.#event(event)).join('');
  }

  finish(usage: TokenUsage, end: StreamEnd): string {
    if (end === 'cut') this.#state = { ...this.#before, finishReason: 'length' };
    const last = this.#chunk({}, { finish_reason: this.#state.finishReason });
    const report = `${this.#prefix}[],"usage":${JSON.stringify(usageToOpenAi(usage))}}\n\n`;
    return last + (this.#includeUsage ? report : '') + doneEvent();
  }

  fail(error: GridError): string {
    return errorEvent(error);
  }

  #event(event: AnswerEvent): string {
    switch (event.type) {
      case 'text': {
        const { text, logprobs } = event;
        return this.#chunk(
          { content: text },
          logprobs === undefined ? {} : { logprobs: { content: logprobs } },
        );
      }
      case 'reasoning':
        return this.#chunk({ reasoning_content: event.text });
      case 'refusal':
        return this.#chunk({ refusal: event.text });
      case 'call': {
        const { call: index, id, name } = event;
        return this.#chunk({
          tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
        });
      }
      case 'arguments':
        return this.#arguments(event);
      case 'call_end':
        return this.#endCall(event);
      case 'stop':
        this.#state = { ...this.#state, finishReason: event.finishReason };
        return '';
      default:
        return '';
    }
  }

  #arguments({ call, text }: { call: number; text: string }): string {
    if (!this.#state.argued.has(call)) {
      this.#state = { ...this.#state, argued: new Set([...this.#state.argued, call]) };
    }
    return this.#chunk({ tool_calls: [{ index: call, function: { arguments: text } }] });
  }

  // Clients of this dialect parse the arguments: of a call without any they are an empty object.
  #endCall({ call }: EventOf<'call_end'>): string {
    return this.#state.argued.has(call) ? '' : this.#arguments({ call, text: '{}' });
  }

  #chunk(delta: JsonObject, members: JsonObject = {}): string {
    const role = this.#state.hasRole ? {} : { role: 'assistant' };
    this.#state = { ...this.#state, hasRole: true };
    const choice = { index: 0, delta: { ...role, ...delta }, finish_reason: null, ...members };
    return `${this.#prefix}${JSON.stringify([choice])}}\n\n`;
  }
}

/** Prints a complete answer as a chat completion, with the usage that is billed. */
export function printChatCompletion(
  events: readonly AnswerEvent[],
  envelope: AnswerEnvelope,
  usage: TokenUsage,
): string {
  const { parts, finishReason } = partsOfAnswer(events);
  const textOf = (type: 'text' | 'refusal' | 'reasoning') => {
    const texts = parts.flatMap((part) => (part.type === type ? [part.text] : []));
    return texts.length === 0 ? null : texts.join('');
  };
  const calls = parts.flatMap((part) => {
    if (part.type !== 'call') return [];
    const called = { name: part.name, arguments: part.arguments === '' ? '{}' : part.arguments };
    return [{ id: part.id, type: 'function', function: called }];
  });
  const logprobs = parts.flatMap((part) => (part.type === 'text' ? (part.logprobs ?? []) : []));
  const reasoning = textOf('reasoning');
  const message = {
    role: 'assistant',
    content: textOf('text'),
    ...(reasoning === null ? {} : { reasoning_content: reasoning }),
    refusal: textOf('refusal'),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const shown = logprobs.length === 0 ? null : { content: logprobs };
  return JSON.stringify({
    ...head(envelope, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: shown, finish_reason: finishReason }],
    usage: usageToOpenAi(usage),
  });
}
