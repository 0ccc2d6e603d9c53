import { type InferenceRequest, inputTokensOf, totalTokensOf } from '@opengrid/wire';
import type { EndpointCapabilities } from '../../ports/supply.ts';
import type { AnswerFacts } from '../delivery/answer.ts';
import { type Bill, countedUsage, limitUsage, toleratedTokens } from './bill.ts';
import type { ExactCounter } from './exact-counter.ts';
import { formatTokens, inputText } from './input-text.ts';
import type { Report } from './usage-drift.ts';

/** Reasoning that is not shown is taken for at most this many times the visible output, and this on top. */
const HIDDEN_REASONING = { factor: 8, tokens: 2_048 };

export interface BillOptions {
  readonly counter: ExactCounter;
  readonly tolerancePercent: number;
  readonly capabilities: EndpointCapabilities;
}

/** One answer, measured: our own count of both sides, first by estimate, exactly where money depends on it. */
export class Measurement {
  private readonly request: InferenceRequest;
  private readonly answer: AnswerFacts;
  private readonly estimatedInput: number;
  private readonly options: BillOptions;

  constructor(
    subject: { request: InferenceRequest; answer: AnswerFacts; estimatedInput: number },
    options: BillOptions,
  ) {
    this.request = subject.request;
    this.answer = subject.answer;
    this.estimatedInput = subject.estimatedInput;
    this.options = options;
  }

  /** The bill of a complete answer: the supplier's report as far as our own count bears it out. */
  async whole(): Promise<Bill> {
    const usage = await this.reported();
    if (usage !== undefined) return { usage, source: 'supplier', report: this.judge(usage) };
    return { usage: await this.counted(), source: 'estimated' };
  }

  /** The bill of an answer that was cut: what was written to the buyer, and its input. */
  async part(): Promise<Bill> {
    return { usage: (await this.reported()) ?? (await this.counted()), source: 'partial' };
  }

  private async reported(): Promise<Bill['usage'] | undefined> {
    const report = this.answer.reportedUsage;
    if (report === undefined) return undefined;
    const input = await this.inputLimit(inputTokensOf(report));
    const output = await this.outputLimit(report.output);
    return limitUsage(report, { input, output });
  }

  private judge(limited: Bill['usage']): Report {
    const report = this.answer.reportedUsage;
    return report !== undefined && totalTokensOf(limited) < totalTokensOf(report) ? 'beyond' : 'within';
  }

  private async counted(): Promise<Bill['usage']> {
    return countedUsage(await this.exactInput(), await this.exactOutput());
  }

  private async inputLimit(reported: number): Promise<number> {
    const estimated = toleratedTokens(this.estimatedInput, this.options.tolerancePercent);
    if (reported <= estimated) return reported;
    return toleratedTokens(await this.exactInput(), this.options.tolerancePercent);
  }

  private async outputLimit(reported: number): Promise<number> {
    const { tolerancePercent } = this.options;
    const estimated = toleratedTokens(this.withHidden(this.answer.tally.tokens), tolerancePercent);
    if (reported <= estimated) return reported;
    return toleratedTokens(this.withHidden(await this.exactOutput()), tolerancePercent);
  }

  private withHidden(visible: number): number {
    const { efforts, reasoningText } = this.options.capabilities;
    const isHidden = efforts.length > 0 && !reasoningText;
    return isHidden ? visible * HIDDEN_REASONING.factor + HIDDEN_REASONING.tokens : visible;
  }

  private async exactInput(): Promise<number> {
    // Images have no text to count; their estimate stays.
    if (this.request.imageCount > 0) return this.estimatedInput;
    const exact = await this.options.counter.count(inputText(this.request));
    return exact === undefined ? this.estimatedInput : exact + formatTokens(this.request);
  }

  private async exactOutput(): Promise<number> {
    const { tally } = this.answer;
    return (await this.options.counter.count(tally.text)) ?? tally.tokens;
  }
}
