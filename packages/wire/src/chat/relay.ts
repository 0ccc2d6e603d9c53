import type {
  AnswerEnvelope,
  AnswerStream,
  FailedAnswer,
  StreamEnd,
  StreamStep,
  WholeAnswer,
} from '../conversation/answer-stream.ts';
import type { GridError } from '../errors/grid-error.ts';
import type { TokenUsage } from '../usage.ts';
import { rewriteChatCompletion } from './response.ts';
import { ChatStreamRewriter, doneEvent, errorEvent } from './stream.ts';
import { chatEnvelope } from './stream-writer.ts';

const CLOSED: StreamStep = { output: '', hasContent: false, textDelta: '', isDone: true };

/** Relays a stream of chat completion chunks, with the interface that all pairs of dialects share. */
export class ChatRelay implements AnswerStream {
  readonly #rewriter: ChatStreamRewriter;
  readonly #includeUsage: boolean;

  constructor(envelope: AnswerEnvelope) {
    this.#rewriter = new ChatStreamRewriter(chatEnvelope(envelope));
    this.#includeUsage = envelope.request.includeUsage;
  }

  get isComplete(): boolean {
    return this.#rewriter.isComplete;
  }

  push(data: string): StreamStep {
    return this.#rewriter.push(data);
  }

  end(): StreamStep {
    return this.isComplete ? CLOSED : { ...CLOSED, isDone: false, error: 'malformed' };
  }

  finish(usage: TokenUsage, end: StreamEnd): string {
    const rest = end === 'cut' ? this.#rewriter.finishOpenChoices('length') : '';
    return rest + (this.#includeUsage ? this.#rewriter.finalUsageChunk(usage) : '') + doneEvent();
  }

  fail(error: GridError): string {
    return errorEvent(error);
  }
}

/** Relays a complete chat completion. */
export function relayChatAnswer(jsonText: string, envelope: AnswerEnvelope): WholeAnswer | FailedAnswer {
  return rewriteChatCompletion(jsonText, chatEnvelope(envelope));
}
