import { performance } from 'node:perf_hooks';
import {
  type AnswerEnvelope,
  type GridError,
  gridError,
  messagesPingEvent,
  openAnswerStream,
  readWholeAnswer,
  reasoningSeal,
  type UpstreamBody,
} from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';
import type { Endpoint, SupplierConduct } from '../../ports/supply.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Call } from '../call.ts';
import { isSpokenWire } from '../routing/eligibility.ts';
import type { EndpointHealth, TryOutcome } from '../routing/endpoint-health.ts';
import type { RetryBudget } from '../routing/retry-budget.ts';
import type { Route } from '../routing/route.ts';
import { upstreamBodyFor } from '../routing/upstream-body.ts';
import type { UpstreamPools } from '../routing/upstream-pools.ts';
import type { InferenceSettings } from '../settings.ts';
import type { TerminalState } from '../terminal.ts';
import type { AnswerEnd, AnswerFacts, AnswerTail } from './answer.ts';
import { type AttemptFailure, UpstreamAttempt } from './attempt.ts';
import type { HoldGuard } from './hold-guard.ts';
import { StreamAnswer } from './stream-answer.ts';
import { WholeAnswer } from './whole-answer.ts';

export interface DeliveryDeps {
  readonly settings: InferenceSettings;
  readonly health: EndpointHealth;
  readonly pools: UpstreamPools;
  readonly retries: RetryBudget;
  readonly conduct: SupplierConduct;
  readonly telemetry: Telemetry;
  readonly clock: () => number;
  /** What the proofs of a supplier's reasoning are sealed with, so that only its endpoint gets them back. */
  readonly reasoningKey: Uint8Array;
}

/** One try at one endpoint. */
export interface Trial {
  readonly endpoint: Endpoint;
  readonly attempt: UpstreamAttempt;
  readonly answer: AnswerFacts & AnswerTail;
  readonly headers: Readonly<Record<string, string>>;
}

/** Statuses by which a supplier says that it has no room. */
const OVERLOAD_STATUSES: ReadonlySet<number | null> = new Set([429, 503, 529]);

/** Has suppliers answer a request: asks one after the other until one does, or until it is too late. */
export class Delivery {
  private readonly call: Call;
  private readonly route: Route;
  private readonly guard: HoldGuard;
  private readonly deps: DeliveryDeps;
  private readonly startedAt = performance.now();
  private connectSpentMs = 0;
  private stopCurrent: ((end: AnswerEnd) => void) | undefined;
  private readonly failures: AttemptFailure[] = [];
  /** Why an endpoint could not be asked at all: its wire has no words for the request. */
  private refusal: GridError | undefined;
  /** Suppliers that were asked and failed. */
  readonly failedAccounts = new Set<number>();
  /** The last try, whose answer counts if there is one. */
  trial: Trial | undefined;
  trialCount = 0;
  /** The exchange ended the answer because the hold was used up. */
  isCut = false;

  constructor(options: { call: Call; route: Route; guard: HoldGuard; deps: DeliveryDeps }) {
    this.call = options.call;
    this.route = options.route;
    this.guard = options.guard;
    this.deps = options.deps;
  }

  /** Resolves when the request has a terminal state. */
  async run(): Promise<void> {
    const { call, deps } = this;
    call.buyer.onGone = () => this.stop('client_gone');
    deps.retries.earn();
    const total = setTimeout(() => this.stop('timeout'), deps.settings.totalMs);
    const keepAlive = call.request.stream
      ? setInterval(() => this.keepAlive(), deps.settings.keepAliveMs)
      : undefined;
    try {
      if (call.buyer.isGone) this.stop('client_gone');
      await this.tryInOrder();
    } finally {
      clearTimeout(total);
      clearInterval(keepAlive);
      call.buyer.onGone = undefined;
      this.guard.cancel();
    }
  }

  /** Ends the request from outside: the buyer left, time is up, the program stops. */
  stop(state: TerminalState): void {
    if (!this.call.terminal.end(state)) return;
    this.stopCurrent?.({ kind: 'stopped' });
  }

  /** What the buyer is told when the request failed. Fixed texts only: suppliers quote prompts in theirs. */
  get error(): GridError {
    const { state } = this.call.terminal;
    if (this.failures.length === 0 && this.refusal !== undefined) return this.refusal;
    if (state === 'timeout') return gridError('upstream_timeout');
    if (state !== 'supplier_error') return gridError('internal_error');
    if (this.failures.length > 0 && this.failures.every(({ kind }) => kind === 'invalid_request')) {
      return gridError('invalid_request', { message: 'The supplier refused the request as invalid.' });
    }
    const isOverload = ({ kind, upstreamStatus }: AttemptFailure) =>
      kind === 'refused' && OVERLOAD_STATUSES.has(upstreamStatus);
    const isBusy = this.failures.length > 0 && this.failures.every(isOverload);
    return gridError(isBusy ? 'no_capacity' : 'upstream_error');
  }

  private async tryInOrder(): Promise<void> {
    const { terminal } = this.call;
    for (const endpoint of this.route.candidates) {
      if (!terminal.isRunning || !this.mayTryAgain()) break;
      // Other requests may have filled or broken it since the route was made.
      if (this.deps.health.unfitness(endpoint, this.deps.clock()) !== undefined) continue;
      await this.tryWithAndWithoutReasoning(endpoint);
    }
    if (terminal.isRunning) terminal.end(this.failureState());
  }

  /** A supplier may refuse the proofs of earlier reasoning although it made them: then it is asked once more without. */
  private async tryWithAndWithoutReasoning(endpoint: Endpoint): Promise<void> {
    const full = this.bodyFor(endpoint);
    if (full === undefined) return;
    const end = await this.tryEndpoint(endpoint, full);
    if (end?.kind !== 'failed' || end.failure.upstreamStatus !== 400) return this.conclude(end);
    const bare = this.bodyFor(endpoint, { withoutReasoning: true });
    const isSame = bare === undefined || openContent(bare.json) === openContent(full.json);
    const again = isSame || !this.mayTryAgain() ? undefined : await this.tryEndpoint(endpoint, bare);
    return this.conclude(again ?? end);
  }

  private conclude(end: AnswerEnd | undefined): void {
    if (end === undefined) return;
    this.isCut = end.kind === 'cut';
    if (end.kind === 'complete' || end.kind === 'cut') this.call.terminal.end('completed');
    else if (end.kind === 'failed') this.fail(end.failure);
  }

  /** Undefined for an endpoint whose wire cannot carry the request. */
  private bodyFor(endpoint: Endpoint, terms: { withoutReasoning?: boolean } = {}): UpstreamBody | undefined {
    const { request, outputLimit: maxOutputTokens, instrument } = this.call;
    const defaultMaxOutputTokens = instrument.specification.maxOutputTokens;
    const seal = reasoningSeal(this.deps.reasoningKey, endpoint.endpointId);
    const body = upstreamBodyFor(request, endpoint, {
      maxOutputTokens,
      defaultMaxOutputTokens,
      seal,
      ...terms,
    });
    if (body.ok) return body.value;
    this.refusal ??= body.error;
    return undefined;
  }

  private mayTryAgain(): boolean {
    const { settings } = this.deps;
    return this.trialCount < settings.attempts && this.connectLeftMs() > 0 && this.firstByteLeftMs() > 0;
  }

  private connectLeftMs(): number {
    return this.deps.settings.connectBudgetMs - this.connectSpentMs;
  }

  private firstByteLeftMs(): number {
    return this.deps.settings.firstByteMs - (performance.now() - this.startedAt);
  }

  private async tryEndpoint(endpoint: Endpoint, body: UpstreamBody): Promise<AnswerEnd | undefined> {
    const { health, pools, retries, clock, settings } = this.deps;
    const target = pools.target(endpoint);
    if (target === undefined) return undefined;
    if (this.trialCount > 0 && !retries.spend()) return undefined;
    this.trialCount += 1;
    health.start(endpoint);
    const startedAt = performance.now();
    const end = await new Promise<AnswerEnd>((resolve) => {
      const headers = withIgnoredParams(this.call.headers, body.ignoredParams);
      const answer = this.newAnswer(endpoint, headers, resolve);
      const attempt = new UpstreamAttempt(answer, {
        connectMs: this.connectLeftMs(),
        firstByteMs: this.firstByteLeftMs(),
        idleMs: settings.idleMs,
      });
      answer.attach(attempt);
      this.trial = { endpoint, attempt, answer, headers };
      this.stopCurrent = (stopped) => {
        answer.stop();
        attempt.abandon();
        resolve(stopped);
      };
      const accept = this.call.request.stream ? 'text/event-stream' : 'application/json';
      attempt.start({ ...target, endpoint, body: body.json, accept, anthropic: this.call.anthropic });
    });
    this.stopCurrent = undefined;
    health.end(endpoint, outcomeOf(end), clock());
    this.report(endpoint, end, startedAt);
    return end;
  }

  private newAnswer(
    endpoint: Endpoint,
    headers: Readonly<Record<string, string>>,
    onEnd: (end: AnswerEnd) => void,
  ): StreamAnswer | WholeAnswer {
    const { call, guard, deps } = this;
    const { wire } = endpoint;
    if (!isSpokenWire(wire)) throw new Error('only endpoints whose wire is spoken are asked');
    const envelope = this.envelopeFor(endpoint);
    const { answerBytes } = deps.settings;
    if (!call.request.stream) {
      const read = (jsonText: string) => readWholeAnswer(wire, jsonText, envelope);
      return new WholeAnswer({ read, answerBytes, onEnd });
    }
    const stream = openAnswerStream(wire, envelope);
    call.buyer.printFault = (error) => stream.fail(error);
    return new StreamAnswer({ stream, buyer: call.buyer, guard, headers, answerBytes, onEnd });
  }

  private envelopeFor({ servedModel, endpointId }: Endpoint): AnswerEnvelope {
    const { call } = this;
    return {
      requestId: call.requestId,
      createdSeconds: Math.floor(call.createdAtMs / 1000),
      servedModel,
      inputTokens: call.plan.inputTokens,
      request: call.request,
      seal: reasoningSeal(this.deps.reasoningKey, endpointId),
    };
  }

  private fail(failure: AttemptFailure): void {
    this.failures.push(failure);
    this.blame(failure);
    const account = this.trial?.endpoint.supplierAccount;
    if (account !== undefined && failure.kind !== 'invalid_request') this.failedAccounts.add(account);
    if (failure.kind === 'unreachable' || failure.kind === 'refused') {
      this.connectSpentMs = performance.now() - this.startedAt;
    }
    // Nobody can take over an answer that the buyer has the beginning of.
    if (this.trial?.answer.hasContent === true) this.call.terminal.end(this.failureState());
  }

  /** What the client caused, and having no room, is no fault of an endpoint. */
  private blame({ kind, upstreamStatus }: AttemptFailure): void {
    const { trial } = this;
    if (trial === undefined || kind === 'invalid_request' || upstreamStatus === 429) return;
    const { instrumentNo } = this.call.instrument;
    const { endpoint } = trial;
    this.deps.conduct.note({ endpoint, instrumentNo, isBad: true, billedTokens: 0, excessTokens: 0 });
  }

  private failureState(): TerminalState {
    const last = this.failures.at(-1);
    return last?.kind === 'timeout' ? 'timeout' : 'supplier_error';
  }

  private keepAlive(): void {
    const headers = this.trial?.headers ?? this.call.headers;
    if (!this.call.terminal.isRunning) return;
    // Before its first event a stream of any dialect has nothing but comments.
    const hasPing = this.call.request.dialect === 'messages' && this.trial?.answer.hasContent === true;
    if (hasPing) this.call.buyer.keepAlive(headers, messagesPingEvent());
    else this.call.buyer.keepAlive(headers);
  }

  private report(endpoint: Endpoint, end: AnswerEnd, startedAt: number): void {
    const { trial, call, deps } = this;
    const ttftMs = trial === undefined ? null : ttftMsOf(trial);
    deps.telemetry.delivery({
      requestId: call.requestId,
      endpointId: endpoint.endpointId,
      supplierId: endpoint.supplierId,
      instrument: call.instrument.symbol,
      outcome: deliveryOutcome(end, call.terminal.state),
      upstreamStatus: trial?.attempt.status ?? null,
      ttftMs,
      outputTokens: ttftMs === null ? null : (trial?.answer.tally.tokens ?? null),
      durationMs: performance.now() - startedAt,
    });
  }
}

function withIgnoredParams(
  headers: Readonly<Record<string, string>>,
  ignoredParams: readonly string[],
): Readonly<Record<string, string>> {
  return ignoredParams.length === 0
    ? headers
    : { ...headers, 'x-grid-ignored-params': ignoredParams.join(', ') };
}

/** How long an endpoint that has no room is left alone, where it does not say; and at most. */
const REST_MS = { usual: 1_000, longest: 60_000 };

function outcomeOf(end: AnswerEnd): TryOutcome {
  if (end.kind === 'failed' && end.failure.kind === 'refused' && end.failure.upstreamStatus === 429) {
    const restMs = Math.min(REST_MS.longest, end.failure.retryAfterMs ?? REST_MS.usual);
    return { kind: 'overloaded', restMs };
  }
  if (end.kind === 'failed') return end.failure.kind === 'invalid_request' ? 'neutral' : 'failure';
  return end.kind === 'stopped' ? 'neutral' : 'success';
}

function deliveryOutcome(end: AnswerEnd, state: TerminalState | undefined): TerminalState {
  if (end.kind === 'complete' || end.kind === 'cut') return 'completed';
  if (end.kind === 'failed') return end.failure.kind === 'timeout' ? 'timeout' : 'supplier_error';
  return state ?? 'gateway_error';
}

/** Dispatch to the first content or reasoning byte, in milliseconds; null where there was none. */
export function ttftMsOf(trial: Trial): number | null {
  const { dispatchedAt } = trial.attempt;
  const { firstContentAt } = trial.answer;
  return dispatchedAt === undefined || firstContentAt === undefined ? null : firstContentAt - dispatchedAt;
}

/** Output tokens a second between the first and the last content, without what the exchange paused. */
export function tokensPerSecondOf(trial: Trial, outputTokens: number): number | null {
  const { firstContentAt, lastContentAt, pausedMs } = trial.answer;
  if (firstContentAt === undefined || lastContentAt === undefined) return null;
  const spanMs = lastContentAt - firstContentAt - pausedMs;
  return spanMs <= 0 ? null : (outputTokens * 1000) / spanMs;
}
