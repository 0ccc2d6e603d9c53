import type { AnswerError, FinishReason } from '../chat/answer.ts';
import type { ChatStreamStep } from '../chat/stream.ts';
import { Content } from '../content.ts';
import type { GridError } from '../errors/grid-error.ts';
import type { TokenUsage } from '../usage.ts';
import { type AnswerEvent, outputTextOf, type StreamReader } from './events.ts';
import type { InferenceRequest } from './request.ts';
import type { ReasoningSeal } from './seal.ts';

/** What one upstream event became for the client. `output` and `textDelta` are content. */
export type StreamStep = ChatStreamStep;

/** What the exchange puts in the place of a supplier's envelope, on any surface. */
export interface AnswerEnvelope {
  readonly requestId: string;
  readonly createdSeconds: number;
  /** The registered name of the model that serves. */
  readonly servedModel: string;
  /** The exchange's estimate, for the surfaces that tell the input before the answer. */
  readonly inputTokens: number;
  readonly request: InferenceRequest;
  /** Wraps opaque reasoning; without it the client gets none. */
  readonly seal?: ReasoningSeal;
}

/** How a stream ends well: the answer is whole, or the exchange ended it for want of tokens. */
export type StreamEnd = 'complete' | 'cut';

/** The way of one answer from a supplier's stream to the client's, the same for every pair of dialects. */
export interface AnswerStream {
  /** Takes the data of one upstream event. */
  push(data: string): StreamStep;
  /** The upstream closed. Some suppliers leave out the event that ends their stream. */
  end(): StreamStep;
  /** The answer has its stop. Less, when the upstream is done, is a broken delivery. */
  readonly isComplete: boolean;
  /**
   * The last events, with the usage that is billed, for after the settlement. `cut` means that the output
   * of the last step was withheld: what is open is ended, with `length` as the reason. Throws when the
   * usage breaks its sums.
   */
  finish(usage: TokenUsage, end: StreamEnd): string;
  /** The event of a fault after the status was sent. The stream then closes without an end. */
  fail(error: GridError): string;
}

/** Prints neutral events in one dialect. */
export interface StreamWriter {
  write(events: readonly AnswerEvent[]): string;
  finish(usage: TokenUsage, end: StreamEnd): string;
  fail(error: GridError): string;
}

/** A complete answer that waits for its settled usage. */
export interface WholeAnswer {
  readonly ok: true;
  /** The supplier's report; absent when there was none or it made no sense. */
  readonly usage?: TokenUsage;
  readonly finishReason: FinishReason;
  /** Everything the model wrote, for counting tokens. */
  readonly outputText: Content<string>;
  readonly upstreamModel?: string;
  /** Prints the body with the usage that is billed. Throws when the usage breaks its sums. */
  readonly print: (usage: TokenUsage) => Content<string>;
}

/** An answer that cannot be delivered. */
export interface FailedAnswer {
  readonly ok: false;
  readonly error: AnswerError;
}

/** What neutral events say beside what the client gets of them. */
export function stepOf(events: readonly AnswerEvent[], output: string): StreamStep {
  let textDelta = '';
  const facts: { -readonly [Name in keyof StreamStep]?: StreamStep[Name] } = {};
  for (const event of events) {
    textDelta += outputTextOf(event);
    if (event.type === 'start' && event.upstreamModel !== undefined)
      facts.upstreamModel = event.upstreamModel;
    else if (event.type === 'usage') facts.usage = event.usage;
    else if (event.type === 'stop') facts.finishReason = event.finishReason;
    else if (event.type === 'error') facts.error = event.error;
  }
  const isDone = events.some(({ type }) => type === 'done');
  return { ...facts, output, textDelta, hasContent: textDelta !== '', isDone };
}

/** A stream from one dialect into another: read into neutral events, written from them. */
export class TranslatedStream implements AnswerStream {
  readonly #reader: StreamReader;
  readonly #writer: StreamWriter;
  isComplete = false;

  constructor(reader: StreamReader, writer: StreamWriter) {
    this.#reader = reader;
    this.#writer = writer;
  }

  push(data: string): StreamStep {
    return this.#step(this.#reader.push(data));
  }

  end(): StreamStep {
    return this.#step(this.#reader.end());
  }

  finish(usage: TokenUsage, end: StreamEnd): string {
    return this.#writer.finish(usage, end);
  }

  fail(error: GridError): string {
    return this.#writer.fail(error);
  }

  #step(events: readonly AnswerEvent[]): StreamStep {
    const [first] = events;
    // Nearly every step is one piece of text.
    if (events.length === 1 && first?.type === 'text' && first.text !== '') {
      return { output: this.#writer.write(events), textDelta: first.text, hasContent: true, isDone: false };
    }
    // Of a step that fails the client gets nothing, so the writer must not count it as printed.
    if (events.some(({ type }) => type === 'error')) return stepOf(events, '');
    if (events.some(({ type }) => type === 'stop')) this.isComplete = true;
    return stepOf(events, this.#writer.write(events));
  }
}

/** A complete answer from neutral events. `print` makes the body of the client's dialect. */
export function wholeAnswerOf(
  events: readonly AnswerEvent[],
  print: (usage: TokenUsage) => string,
): WholeAnswer | FailedAnswer {
  const { error, finishReason, usage, upstreamModel, textDelta } = stepOf(events, '');
  if (error !== undefined || finishReason === undefined) return { ok: false, error: error ?? 'malformed' };
  return {
    ok: true,
    finishReason,
    outputText: Content.of(textDelta),
    print: (billed) => Content.of(print(billed)),
    ...(usage === undefined ? {} : { usage }),
    ...(upstreamModel === undefined ? {} : { upstreamModel }),
  };
}
