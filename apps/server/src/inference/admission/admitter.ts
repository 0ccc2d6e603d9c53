import { TOKENS_PER_UNIT } from '@opengrid/exchange';
import { type GridError, gridError } from '@opengrid/wire';
import type { Caller } from '../../ports/identity.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Buyer } from '../delivery/buyer.ts';
import { type HoldPlan, LiveHold } from './hold.ts';
import { buysAutomatically, purchaseTerms } from './purchase-terms.ts';
import type { ReadRequest } from './read-request.ts';
import type { PurchaseEnd, Replenisher, WaitingPurchase } from './replenisher.ts';

/** A request that was read, with who sent it and where the answer goes. */
export interface Applicant {
  readonly caller: Caller;
  readonly buyer: Buyer;
  readonly read: ReadRequest;
}

export type Admission =
  | { readonly ok: true; readonly hold: LiveHold; readonly unitsBought: number }
  | { readonly ok: false; readonly error: GridError };

/** Finds room for requests: earmarks what is there, buys what is missing. */
export class Admitter {
  private readonly sequencer: Sequencer;
  private readonly replenisher: Replenisher;

  constructor(deps: { sequencer: Sequencer; replenisher: Replenisher }) {
    this.sequencer = deps.sequencer;
    this.replenisher = deps.replenisher;
  }

  /** Undefined: the buyer left meanwhile. */
  async admit(applicant: Applicant, plan: HoldPlan): Promise<Admission | undefined> {
    const { caller, read } = applicant;
    const { earmarks } = this.sequencer;
    const { instrumentNo } = read.instrument;
    const owner = { account: caller.accountNumber, instrument: instrumentNo };
    const isOthersTurn = this.replenisher.isWaitedFor(owner.account, instrumentNo);
    const hold = isOthersTurn ? undefined : LiveHold.open(earmarks, owner, plan);
    if (hold !== undefined) return { ok: true, hold, unitsBought: 0 };
    if (buysAutomatically(caller)) return await this.buyIn(applicant, plan);
    const available = earmarks.freeTokens(owner.account, instrumentNo);
    const context = { required: plan.neededTokens, available };
    return { ok: false, error: gridError('insufficient_balance', { context }) };
  }

  /** Joins a purchase. Undefined: the buyer left meanwhile. */
  private async buyIn({ caller, buyer, read }: Applicant, plan: HoldPlan): Promise<Admission | undefined> {
    const { instrumentNo } = read.instrument;
    const owner = { account: caller.accountNumber, instrument: instrumentNo };
    // A property, since the line may fill it before or after this function goes on.
    const admitted: { hold?: LiveHold | undefined } = {};
    const end = await this.waitFor(buyer, () =>
      this.replenisher.join({
        caller,
        instrumentNo,
        neededTokens: plan.neededTokens,
        maxPriceTicks: read.maxPriceTicks,
        admit: () => {
          admitted.hold = LiveHold.open(this.sequencer.earmarks, owner, plan);
          return admitted.hold !== undefined;
        },
      }),
    );
    if (end === undefined) admitted.hold?.close(0);
    if (end === undefined || !end.ok) return end;
    return admitted.hold === undefined
      ? { ok: false, error: gridError('internal_error') }
      : { ok: true, hold: admitted.hold, unitsBought: end.unitsBought };
  }

  private async waitFor(buyer: Buyer, join: () => WaitingPurchase): Promise<PurchaseEnd | undefined> {
    return await new Promise((resolve) => {
      const waiting = join();
      void waiting.end.then(resolve);
      buyer.onGone = () => {
        waiting.cancel();
        resolve(undefined);
      };
      if (buyer.isGone) buyer.onGone();
    });
  }

  /** The output limit that the whole balance could pay, if that is less than was asked for and the rest cannot be bought. */
  outputLimit(
    caller: Caller,
    read: ReadRequest,
    { plan, hold }: { plan: HoldPlan; hold: LiveHold },
  ): number | undefined {
    const { request } = read;
    const free = hold.tokens + hold.freeTokens - plan.inputTokens;
    const missing = plan.outputTokens - free;
    if (missing <= 0) return undefined;
    // A stream buys, or ends, when it gets there. An answer in one piece cannot: it is told beforehand.
    if (buysAutomatically(caller) && request.stream) return undefined;
    const payable = free + this.purchasableTokens(caller, read, missing);
    if (payable >= plan.outputTokens) return undefined;
    return Math.max(1, Math.floor(payable / request.choiceCount));
  }

  private purchasableTokens(caller: Caller, read: ReadRequest, deficitTokens: number): number {
    if (!buysAutomatically(caller)) return 0;
    const { instrumentNo } = read.instrument;
    const need = { caller, instrumentNo, deficitTokens, requestCeilingTicks: read.maxPriceTicks };
    const decision = purchaseTerms(this.sequencer.exchange, need);
    return decision.ok ? decision.terms.units * TOKENS_PER_UNIT : 0;
  }
}
