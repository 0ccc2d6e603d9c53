import type { Settle } from '@opengrid/exchange';
import { type GridError, inputTokensOf, type TokenUsage, totalTokensOf } from '@opengrid/wire';
import type { SupplierConduct } from '../../ports/supply.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import {
  EngineOverloaded,
  OutcomeUnknown,
  type ReceiptFacts,
  type Sequencer,
} from '../../sequencer/types.ts';
import { engineError } from '../admission/replenisher.ts';
import type { Call } from '../call.ts';
import { type Delivery, tokensPerSecondOf, ttftMsOf } from '../delivery/delivery.ts';
import type { HoldGuard } from '../delivery/hold-guard.ts';
import type { InferenceSettings } from '../settings.ts';
import type { TerminalState } from '../terminal.ts';
import { type Bill, fitToHold, limitUsage, NO_USAGE } from './bill.ts';
import type { ExactCounter } from './exact-counter.ts';
import { isInSpec } from './in-spec.ts';
import { Measurement } from './measure-bill.ts';
import type { UsageDrift } from './usage-drift.ts';

export interface SettlementDeps {
  readonly sequencer: Sequencer;
  readonly telemetry: Telemetry;
  readonly settings: InferenceSettings;
  readonly counter: ExactCounter;
  readonly drift: UsageDrift;
  readonly conduct: SupplierConduct;
  readonly clock: () => number;
}

export interface SettlementSubject {
  readonly call: Call;
  readonly delivery: Delivery;
  readonly guard: HoldGuard;
  readonly unableObligors: readonly number[];
}

/** What was settled. With an error nothing was billed. */
export interface Settled {
  readonly state: TerminalState;
  readonly usage: TokenUsage;
  readonly isBilled: boolean;
  readonly error?: GridError;
}

const SETTLE_RETRY_PAUSE_MS = 50;
const ERROR_CODES: Partial<Record<TerminalState, string>> = {
  supplier_error: 'upstream_error',
  timeout: 'upstream_timeout',
  gateway_error: 'internal_error',
};

/** Turns the end of a request into one durable command. Called once a request. */
export async function settleRequest(deps: SettlementDeps, subject: SettlementSubject): Promise<Settled> {
  const { call } = subject;
  call.terminal.beginSettlement();
  const bill = boundBill(await billOf(deps, subject), call.plan.outputTokens);
  if (bill !== undefined && call.terminal.state === 'completed') {
    await subject.guard.obtain(totalTokensOf(bill.usage));
  }
  // A buyer of a whole answer who left while it was counted gets nothing and pays nothing.
  if (!call.request.stream && call.buyer.isGone) call.terminal.correct('client_gone');
  const settlement = new Settlement(deps, subject, bill);
  const settled = await settlement.submit();
  call.terminal.settled();
  return settled;
}

/** What was delivered, measured; undefined when the end of the request leaves nothing to bill. */
async function billOf(deps: SettlementDeps, subject: SettlementSubject): Promise<Bill | undefined> {
  const { call, delivery } = subject;
  const { trial } = delivery;
  const { state } = call.terminal;
  if (trial === undefined) return undefined;
  const wasCutShort = state === 'client_gone' && call.request.stream && trial.answer.hasContent;
  if (state !== 'completed' && !wasCutShort) return undefined;
  const measurement = new Measurement(
    { request: call.request, answer: trial.answer, estimatedInput: call.plan.inputTokens },
    {
      counter: deps.counter,
      tolerancePercent: deps.settings.countTolerancePercent,
      capabilities: trial.endpoint.capabilities,
    },
  );
  const bill = await (wasCutShort || delivery.isCut ? measurement.part() : measurement.whole());
  if (bill.report !== undefined) deps.drift.note(trial.endpoint.endpointId, bill.report);
  return bill;
}

/** What a supplier sends beyond the limit it was given is not billed. */
function boundBill(bill: Bill | undefined, outputTokens: number): Bill | undefined {
  if (bill === undefined) return undefined;
  const limits = { input: Number.POSITIVE_INFINITY, output: outputTokens };
  return { ...bill, usage: limitUsage(bill.usage, limits) };
}

class Settlement {
  private readonly deps: SettlementDeps;
  private readonly subject: SettlementSubject;
  private readonly bill: Bill | undefined;
  private readonly heldTokens: number;
  private readonly obligors: ReadonlySet<number>;

  constructor(deps: SettlementDeps, subject: SettlementSubject, bill: Bill | undefined) {
    this.deps = deps;
    this.subject = subject;
    const { hold } = subject.call;
    this.bill = bill === undefined ? undefined : this.fit(bill);
    this.heldTokens = hold.tokens;
    this.obligors = new Set([...hold.lots].map((lot) => deps.sequencer.exchange.issuerOfLot(lot) ?? 0));
  }

  /** What is beyond all that can be held is not billed. */
  private fit(bill: Bill): Bill {
    const { guard, call } = this.subject;
    guard.growTo(totalTokensOf(bill.usage));
    return { ...bill, usage: fitToHold(bill.usage, call.hold.tokens) };
  }

  async submit(): Promise<Settled> {
    const { call } = this.subject;
    const isInSpecification = this.measureSpec();
    const isVoid =
      isInSpecification === false && this.subject.delivery.trial?.endpoint.qualification === 'probed';
    const usage = this.billedUsage(isVoid);
    this.noteConduct({ isBad: isInSpecification === false, billedTokens: usage && totalTokensOf(usage) });
    const draws = call.hold.close(usage === undefined ? 0 : totalTokensOf(usage));
    const receipt = this.receipt(usage, { isInSpecification, isVoid });
    const error = await this.commit(this.command(draws), receipt, draws);
    const state = call.terminal.state ?? 'gateway_error';
    if (error !== undefined) return { state, usage: NO_USAGE, isBilled: false, error };
    return { state, usage: usage ?? this.shownUsage(), isBilled: draws.length > 0 };
  }

  /** What failed was noted with its try; here it is what was delivered. */
  private noteConduct({
    isBad,
    billedTokens = 0,
  }: {
    isBad: boolean;
    billedTokens: number | undefined;
  }): void {
    const { call, delivery } = this.subject;
    if (call.terminal.state !== 'completed' || delivery.trial === undefined) return;
    const { endpoint, answer } = delivery.trial;
    const reported = answer.reportedUsage === undefined ? 0 : totalTokensOf(answer.reportedUsage);
    const measured = this.bill === undefined ? 0 : totalTokensOf(this.bill.usage);
    const excessTokens = this.bill?.report === 'beyond' ? Math.max(0, reported - measured) : 0;
    const { instrumentNo } = call.instrument;
    this.deps.conduct.note({ endpoint, instrumentNo, isBad, billedTokens, excessTokens });
  }

  private billedUsage(isVoid: boolean): TokenUsage | undefined {
    const { call } = this.subject;
    const isBillable = call.terminal.state === 'completed' || call.terminal.state === 'client_gone';
    // Whether a whole answer was delivered is not known before it is settled; one whose buyer has left is not.
    const isLost = call.terminal.state === 'client_gone' && !call.request.stream;
    return isBillable && !isVoid && !isLost ? this.bill?.usage : undefined;
  }

  /** A delivery out of specification is not billed, but the buyer still sees what it was. */
  private shownUsage(): TokenUsage {
    return this.bill?.usage ?? NO_USAGE;
  }

  private measureSpec(): boolean | null {
    const { call, delivery } = this.subject;
    const { trial } = delivery;
    if (trial === undefined || this.bill === undefined || call.terminal.state !== 'completed') return null;
    const { usage } = this.bill;
    return isInSpec(call.instrument, trial.endpoint, {
      inputTokens: inputTokensOf(usage),
      outputTokens: usage.output,
      ttftMs: ttftMsOf(trial),
      tokensPerSecond: call.request.stream ? tokensPerSecondOf(trial, usage.output) : null,
      upstreamModel: trial.answer.upstreamModel,
    });
  }

  private command(draws: Settle['draws']): Settle {
    const { call, delivery, unableObligors } = this.subject;
    const failed = [...new Set([...unableObligors, ...delivery.failedAccounts])];
    const endpoint = delivery.trial?.endpoint;
    return {
      kind: 'settle',
      account: call.caller.accountNumber,
      instrument: call.instrument.instrumentNo,
      draws,
      servedBy: draws.length === 0 ? 0 : (endpoint?.supplierAccount ?? 0),
      failedObligors: failed.filter((account) => this.obligors.has(account)),
      substitutePriceTicks: endpoint?.substitution.priceTicks ?? null,
    };
  }

  private receipt(
    usage: TokenUsage | undefined,
    spec: { isInSpecification: boolean | null; isVoid: boolean },
  ): ReceiptFacts {
    const { call, delivery } = this.subject;
    const { state } = call.terminal;
    const isError = spec.isVoid || (state !== 'completed' && state !== 'client_gone');
    const trial = this.servedTrial();
    const shown = usage ?? (spec.isVoid ? this.shownUsage() : undefined);
    const endpoint = trial?.endpoint;
    return {
      requestId: call.requestId,
      createdAtMs: call.createdAtMs,
      firstByteAtMs: this.firstByteAtMs(),
      endedAtMs: this.deps.clock(),
      specVersion: call.instrument.specVersion,
      requestedModel: call.instrument.symbol,
      servingModel: endpoint?.servedModel ?? null,
      route: call.route,
      keyId: call.caller.keyId,
      status: isError ? 'error' : 'reconciled',
      errorCode: spec.isVoid ? 'out_of_spec' : ((state && ERROR_CODES[state]) ?? null),
      finishReason: this.finishReason(),
      isStream: call.request.stream,
      inputTokens: shown === undefined ? null : inputTokensOf(shown),
      outputTokens: shown?.output ?? null,
      reasoningTokens: shown?.reasoning ?? null,
      cacheReadTokens: shown?.cacheRead ?? null,
      cacheWriteTokens: shown === undefined ? null : shown.cacheWrite5m + shown.cacheWrite1h,
      usageSource: shown === undefined ? null : (this.bill?.source ?? null),
      ttftMs: trial === undefined ? null : ttftMsOf(trial),
      tokensPerSecond:
        trial === undefined || shown === undefined ? null : tokensPerSecondOf(trial, shown.output),
      supplierId: endpoint?.supplierId ?? null,
      endpointId: endpoint?.endpointId ?? null,
      attemptCount: delivery.trialCount,
      isSubstituted: endpoint !== undefined && !this.obligors.has(endpoint.supplierAccount),
      qualification: endpoint?.qualification ?? null,
      isInSpec: spec.isInSpecification,
      isSpecWaived: endpoint?.qualification === 'waived',
      heldTokens: this.heldTokens,
    };
  }

  /** The try whose answer reached the buyer, or would have. */
  private servedTrial(): Delivery['trial'] {
    const { trial } = this.subject.delivery;
    return trial?.answer.hasContent === true || this.bill !== undefined ? trial : undefined;
  }

  private firstByteAtMs(): number | null {
    const first = this.subject.delivery.trial?.answer.firstContentAt;
    return first === undefined ? null : Math.round(this.deps.clock() - (performance.now() - first));
  }

  private finishReason(): string | null {
    const { call, delivery } = this.subject;
    if (call.terminal.state === 'client_gone') return 'client_disconnect';
    return call.terminal.state === 'completed' ? (delivery.trial?.answer.finishReason ?? null) : null;
  }

  /** @returns the error the buyer is told when the settlement did not happen. */
  private async commit(
    command: Settle,
    receipt: ReceiptFacts,
    draws: Settle['draws'],
  ): Promise<GridError | undefined> {
    const { hold } = this.subject.call;
    try {
      const outcome = await this.submitPatiently(command, receipt);
      if (outcome.ok) {
        hold.spent([...draws]);
        return undefined;
      }
      this.deps.telemetry.system({ event: 'settlement_refused', fields: { code: outcome.code } });
      hold.giveBack([...draws]);
      return engineError(undefined);
    } catch (error) {
      this.deps.telemetry.fault('inference.settlement', error);
      // What may have been drawn stays out of reach until the state is read again.
      if (!(error instanceof OutcomeUnknown)) hold.giveBack([...draws]);
      return engineError(undefined);
    }
  }

  /** A full queue empties again; what was delivered is worth waiting for. */
  private async submitPatiently(command: Settle, receipt: ReceiptFacts): ReturnType<Sequencer['submit']> {
    const giveUpAtMs = performance.now() + this.deps.settings.settleRetryMs;
    for (;;) {
      try {
        return await this.deps.sequencer.submit(command, { receipt });
      } catch (error) {
        const mayRetry = error instanceof EngineOverloaded && performance.now() < giveUpAtMs;
        if (!mayRetry) throw error;
        await new Promise((resolve) => setTimeout(resolve, SETTLE_RETRY_PAUSE_MS));
      }
    }
  }
}
