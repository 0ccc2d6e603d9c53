import type { HoldPlan, LiveHold } from '../admission/hold.ts';
import type { PurchaseRequest, Replenisher, WaitingPurchase } from '../admission/replenisher.ts';
import { toleratedTokens } from '../metering/bill.ts';
import type { ExactCounter } from '../metering/exact-counter.ts';
import type { TextTally } from '../metering/text-tally.ts';
import type { InferenceSettings } from '../settings.ts';

/** An exact count that corrects the estimate by less than this is the last one. */
const WORTHWHILE_CORRECTION_TOKENS = 32;

export interface HoldGuardOptions {
  readonly plan: HoldPlan;
  readonly hold: LiveHold;
  readonly settings: Pick<InferenceSettings, 'holdStepTokens' | 'countTolerancePercent'>;
  readonly counter: ExactCounter;
  readonly replenisher: Replenisher;
  /** What a purchase is asked with; undefined where nothing is bought automatically. */
  readonly purchase: Omit<PurchaseRequest, 'neededTokens' | 'admit'> | undefined;
}

/** Sees to it that no more is delivered than is held, and that a hold grows in time. */
export class HoldGuard {
  private readonly options: HoldGuardOptions;
  private readonly ceilingTokens: number;
  private waiting: WaitingPurchase | undefined;
  private isExact = false;
  /** The request has ended: a hold that is closed must not grow any more. */
  private isOver = false;
  unitsBought = 0;

  constructor(options: HoldGuardOptions) {
    this.options = options;
    const { plan, settings } = options;
    // A supplier's report may be above our count; the tolerance is held as well.
    this.ceilingTokens = toleratedTokens(
      plan.inputTokens + plan.outputTokens,
      settings.countTolerancePercent,
    );
  }

  /** Whether an answer of so many output tokens is held, growing from free tokens when it comes near the end. */
  covers(outputTokens: number): boolean {
    const { hold, settings } = this.options;
    const total = this.total(outputTokens);
    if (toleratedTokens(total, settings.countTolerancePercent) <= hold.tokens) return true;
    this.growFromFree(total);
    return total <= hold.tokens;
  }

  /** Makes the hold cover a settled total as far as free tokens go. */
  growTo(totalTokens: number): void {
    const { hold } = this.options;
    const missing = totalTokens - hold.tokens;
    if (missing > 0) hold.grow(1, missing);
  }

  /**
   * Makes the hold cover what was delivered, buying where the account does so: an answer that comes in one piece cannot be
   * stopped on its way to buy for it, and a supplier's report comes at the very end.
   */
  async obtain(totalTokens: number): Promise<void> {
    this.growTo(totalTokens);
    await this.buy(totalTokens - this.options.hold.tokens);
  }

  /**
   * The slow way, while the supplier waits: counts exactly, and buys where the account does so.
   * @returns false when the answer must end here.
   */
  async extend(tally: TextTally, nextText: string): Promise<boolean> {
    if (await this.coversExactly(tally, nextText)) return true;
    if (this.isOver) return false;
    const needed = this.total(tally.tokensWith(nextText)) - this.options.hold.tokens;
    return await this.buy(needed);
  }

  /** The request has ended: leaves the line for a purchase, and joins none later. */
  cancel(): void {
    this.isOver = true;
    this.waiting?.cancel();
  }

  /** Joins a purchase until that many more tokens are held. */
  async buy(neededTokens: number): Promise<boolean> {
    const { purchase, replenisher, hold } = this.options;
    if (purchase === undefined || neededTokens <= 0) return neededTokens <= 0;
    if (!hold.mayGrowBy(neededTokens)) return false;
    const admit = () => hold.grow(neededTokens, this.stepTokens());
    this.waiting = replenisher.join({ ...purchase, neededTokens, admit });
    const end = await this.waiting.end;
    this.waiting = undefined;
    if (end.ok) this.unitsBought += end.unitsBought;
    return end.ok;
  }

  private async coversExactly(tally: TextTally, nextText: string): Promise<boolean> {
    if (this.isExact) return false;
    const estimate = tally.tokens;
    const exact = await this.options.counter.count(tally.text);
    this.isExact = exact === undefined || estimate - exact < WORTHWHILE_CORRECTION_TOKENS;
    if (exact === undefined || exact >= estimate || this.isOver) return false;
    tally.calibrate(exact);
    return this.covers(tally.tokensWith(nextText));
  }

  private total(outputTokens: number): number {
    const { plan } = this.options;
    return plan.inputTokens + Math.min(outputTokens, plan.outputTokens);
  }

  private growFromFree(total: number): void {
    const { hold } = this.options;
    const step = this.stepTokens();
    if (step > 0) hold.grow(Math.max(1, total - hold.tokens), step);
  }

  private stepTokens(): number {
    const { hold, settings } = this.options;
    return Math.max(0, Math.min(settings.holdStepTokens, this.ceilingTokens - hold.tokens));
  }
}
