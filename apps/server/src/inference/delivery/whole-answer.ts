import { performance } from 'node:perf_hooks';
import type {
  Content,
  FailedAnswer,
  FinishReason,
  TokenUsage,
  WholeAnswer as WireAnswer,
} from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';
import { TextTally } from '../metering/text-tally.ts';
import type { AnswerEnd, AnswerFacts, AnswerTail } from './answer.ts';
import type { AttemptFailure, AttemptReader, UpstreamAttempt } from './attempt.ts';

export interface WholeAnswerOptions {
  /** Reads the supplier's body for the buyer's dialect. */
  readonly read: (jsonText: string) => WireAnswer | FailedAnswer;
  readonly answerBytes: number;
  readonly onEnd: (end: AnswerEnd) => void;
}

/** Collects an answer that comes in one piece. */
export class WholeAnswer implements AttemptReader, AnswerFacts, AnswerTail {
  readonly tally = new TextTally();
  private readonly options: WholeAnswerOptions;
  private attempt: UpstreamAttempt | undefined;
  private parts: Buffer[] = [];
  private bytes = 0;
  private isOver = false;
  private answer: WireAnswer | undefined;
  firstContentAt: number | undefined;
  lastContentAt: number | undefined;
  readonly pausedMs = 0;

  constructor(options: WholeAnswerOptions) {
    this.options = options;
  }

  get hasContent(): boolean {
    return this.answer !== undefined;
  }

  get finishReason(): FinishReason | undefined {
    return this.answer?.finishReason;
  }

  get reportedUsage(): TokenUsage | undefined {
    return this.answer?.usage;
  }

  get upstreamModel(): string | undefined {
    return this.answer?.upstreamModel;
  }

  attach(attempt: UpstreamAttempt): void {
    this.attempt = attempt;
  }

  onBytes(bytes: Buffer): void {
    this.lastContentAt = performance.now();
    this.firstContentAt ??= this.lastContentAt;
    this.bytes += bytes.length;
    if (this.bytes > this.options.answerBytes) {
      this.attempt?.reject();
      return;
    }
    this.parts.push(bytes);
  }

  onEnd(): void {
    const [only] = this.parts;
    const body = this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts);
    this.parts = [];
    const answer = this.options.read(body.toString('utf8'));
    if (!answer.ok) {
      const upstreamStatus = this.attempt?.status ?? null;
      this.onFailure({ kind: 'garbage', upstreamStatus });
      return;
    }
    this.answer = answer;
    this.tally.add(openContent(answer.outputText));
    this.end({ kind: 'complete' });
  }

  onFailure(failure: AttemptFailure): void {
    this.end({ kind: 'failed', failure });
  }

  stop(): void {
    this.isOver = true;
    this.parts = [];
  }

  /** The body with the usage that is billed. Only of an answer that is complete. */
  finalText(usage: TokenUsage): Content<string> {
    if (this.answer === undefined) throw new Error('an answer is printed after it is complete');
    return this.answer.print(usage);
  }

  private end(end: AnswerEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.options.onEnd(end);
  }
}
