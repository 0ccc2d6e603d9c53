import { performance } from 'node:perf_hooks';
import {
  type AnswerStream,
  Content,
  type FinishReason,
  type SseEvent,
  SseParser,
  type StreamStep,
  type TokenUsage,
} from '@opengrid/wire';
import { TextTally } from '../metering/text-tally.ts';
import type { AnswerEnd, AnswerFacts, AnswerTail } from './answer.ts';
import type { AttemptFailure, AttemptReader, UpstreamAttempt } from './attempt.ts';
import type { Buyer } from './buyer.ts';
import type { HoldGuard } from './hold-guard.ts';

export interface StreamAnswerOptions {
  /** The way from the supplier's dialect to the buyer's. */
  readonly stream: AnswerStream;
  readonly buyer: Buyer;
  readonly guard: HoldGuard;
  readonly headers: Readonly<Record<string, string>>;
  /** Most text of an answer: what was written is kept until it is counted, and some suppliers never end. */
  readonly answerBytes: number;
  readonly onEnd: (end: AnswerEnd) => void;
}

/** Relays one attempt's events to the buyer: rewrites, counts, holds back until there is content. */
export class StreamAnswer implements AttemptReader, AnswerFacts, AnswerTail {
  readonly tally = new TextTally();
  private readonly options: StreamAnswerOptions;
  private readonly parser = new SseParser();
  private readonly stream: AnswerStream;
  private attempt: UpstreamAttempt | undefined;
  private queue: SseEvent[] = [];
  /** What was rewritten and not yet written. Before the first content it may still be thrown away. */
  private output = '';
  private isBlocked = false;
  private isUpstreamOver = false;
  private isOver = false;
  private isCut = false;
  hasContent = false;
  finishReason: FinishReason | undefined;
  reportedUsage: TokenUsage | undefined;
  upstreamModel: string | undefined;
  firstContentAt: number | undefined;
  lastContentAt: number | undefined;
  pausedMs = 0;

  constructor(options: StreamAnswerOptions) {
    this.options = options;
    this.stream = options.stream;
  }

  /** Joins the reader with its source. */
  attach(attempt: UpstreamAttempt): void {
    this.attempt = attempt;
  }

  onBytes(bytes: Buffer): void {
    const batch = this.parser.push(bytes);
    this.take(batch.events);
    if (batch.error !== undefined) this.attempt?.reject();
  }

  onEnd(): void {
    this.isUpstreamOver = true;
    this.take(this.parser.end().events);
  }

  /** What has not been written by now never will be: another supplier may still answer from the start. */
  onFailure(failure: AttemptFailure): void {
    this.end({ kind: 'failed', failure });
  }

  /** The request ended elsewhere: nothing more is written or told. */
  stop(): void {
    this.isOver = true;
    this.queue = [];
  }

  finalText(usage: TokenUsage): Content<string> {
    return Content.of(this.output + this.stream.finish(usage, this.isCut ? 'cut' : 'complete'));
  }

  private take(events: readonly SseEvent[]): void {
    if (this.isBlocked) this.queue.push(...events);
    else this.work(events);
  }

  private work(events: readonly SseEvent[]): void {
    for (let index = 0; index < events.length && !this.isOver; index += 1) {
      const step = this.stream.push(events[index]!.data);
      if (step.error !== undefined) {
        this.rejectUpstream();
        return;
      }
      if (step.hasContent && !this.options.guard.covers(this.tally.tokensWith(step.textDelta))) {
        this.block(step, events.slice(index + 1));
        return;
      }
      this.accept(step);
      if (this.tally.byteLength > this.options.answerBytes) {
        this.rejectUpstream();
        return;
      }
      if (step.isDone) {
        this.finish();
        return;
      }
    }
    if (this.isOver) return;
    if (this.isUpstreamOver) this.close();
    else this.flush();
    if (!this.isOver && this.options.buyer.isCongested) this.awaitBuyer();
  }

  /** The supplier closed. Some leave out the event that ends their stream. */
  private close(): void {
    const step = this.stream.end();
    if (step.error === undefined) this.accept(step);
    this.flush();
    if (step.error === undefined) this.finish();
    else this.breakOff();
  }

  private accept(step: StreamStep): void {
    if (step.hasContent) this.noteContent(step.textDelta);
    if (step.finishReason !== undefined) this.finishReason ??= step.finishReason;
    if (step.usage !== undefined) this.reportedUsage = step.usage;
    if (step.upstreamModel !== undefined) this.upstreamModel = step.upstreamModel;
    this.output += step.output;
  }

  private noteContent(text: string): void {
    this.lastContentAt = performance.now();
    this.firstContentAt ??= this.lastContentAt;
    this.tally.add(text);
  }

  private flush(): void {
    if (this.firstContentAt === undefined || this.output === '') return;
    this.options.buyer.startStream(this.options.headers);
    this.options.buyer.write(this.output);
    this.output = '';
    this.hasContent = true;
  }

  private finish(): void {
    if (!this.stream.isComplete) {
      this.breakOff();
      return;
    }
    // What is left to write waits for the settlement, in finalText.
    if (this.firstContentAt !== undefined) this.flush();
    this.attempt?.finish();
    this.end({ kind: 'complete' });
  }

  /** An answer that stopped in the middle is no answer, however politely the connection was closed. */
  private breakOff(): void {
    if (!this.isUpstreamOver) {
      this.rejectUpstream();
      return;
    }
    const upstreamStatus = this.attempt?.status ?? null;
    this.onFailure({ kind: this.hasContent ? 'broken' : 'garbage', upstreamStatus });
  }

  private rejectUpstream(): void {
    const upstreamStatus = this.attempt?.status ?? null;
    this.attempt?.abandon();
    this.onFailure({ kind: 'garbage', upstreamStatus });
  }

  /** The hold does not cover the next event: the supplier waits until it does, or the answer ends before it. */
  private block(step: StreamStep, rest: readonly SseEvent[]): void {
    this.flush();
    this.isBlocked = true;
    this.queue = [...rest];
    const since = this.pause();
    void this.options.guard.extend(this.tally, step.textDelta).then((isCovered) => {
      this.isBlocked = false;
      if (this.isOver) return;
      if (!isCovered) return this.cut();
      this.accept(step);
      this.unpause(since);
      const queued = this.queue;
      this.queue = [];
      this.work(queued);
    });
  }

  private cut(): void {
    this.isCut = true;
    this.finishReason = 'length';
    this.attempt?.abandon();
    this.end({ kind: 'cut' });
  }

  private awaitBuyer(): void {
    const since = this.pause();
    this.options.buyer.onceDrained(() => this.unpause(since));
  }

  private pause(): number {
    this.attempt?.pause();
    return performance.now();
  }

  private unpause(since: number): void {
    this.pausedMs += performance.now() - since;
    if (!this.isBlocked) this.attempt?.resume();
  }

  private end(end: AnswerEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.options.onEnd(end);
  }
}
