import { type Earmarks, type Hold, heldTokens } from '@opengrid/exchange';
import type { InferenceSettings } from '../settings.ts';

/** What a request may take, in tokens. */
export interface HoldPlan {
  readonly inputTokens: number;
  /** The most the answer may have: what was asked for, or the instrument's maximum, for every choice. */
  readonly outputTokens: number;
  /** Room without which the request does not start. */
  readonly neededTokens: number;
  /** What is held at first when there is enough. */
  readonly wantedTokens: number;
}

/** Sizes a hold. Requests often ask for far more output than they use, so holds start small and grow. */
export function planHold(
  size: { inputTokens: number; outputTokens: number },
  settings: Pick<InferenceSettings, 'holdStepTokens' | 'startOutputTokens'>,
): HoldPlan {
  const { inputTokens, outputTokens } = size;
  return {
    ...size,
    neededTokens: inputTokens + Math.min(outputTokens, settings.startOutputTokens),
    wantedTokens: inputTokens + Math.min(outputTokens, settings.holdStepTokens),
  };
}

/** The earmarks of one running request. */
export class LiveHold {
  private readonly earmarks: Earmarks;
  readonly hold: Hold;
  tokens: number;
  /** What it may still grow by for another reason than the balance: a limit of the key. */
  private spareTokens: () => number = () => Number.POSITIVE_INFINITY;

  private constructor(earmarks: Earmarks, hold: Hold) {
    this.earmarks = earmarks;
    this.hold = hold;
    this.tokens = heldTokens(hold);
  }

  /** Holds what the plan wants, or what is free if that is enough to start. */
  static open(
    earmarks: Earmarks,
    owner: { account: number; instrument: number },
    plan: HoldPlan,
  ): LiveHold | undefined {
    const free = earmarks.freeTokens(owner.account, owner.instrument);
    if (free < plan.neededTokens) return undefined;
    const hold = earmarks.reserve(owner.account, owner.instrument, Math.min(free, plan.wantedTokens));
    return hold === undefined ? undefined : new LiveHold(earmarks, hold);
  }

  /** Lots of the hold in drawing order, each once: a hold is often many short runs of the same one. */
  get lots(): ReadonlySet<number> {
    const lots = new Set<number>();
    for (const { lot } of this.hold.ranges) lots.add(lot);
    return lots;
  }

  /** Tokens that it could take: free ones of the balance, within its bound. */
  get freeTokens(): number {
    const free = this.earmarks.freeTokens(this.hold.account, this.hold.instrument);
    return Math.max(0, Math.min(free, this.spareTokens()));
  }

  boundBy(spareTokens: () => number): void {
    this.spareTokens = spareTokens;
  }

  /** Whether it may grow by so many tokens, if they were bought. */
  mayGrowBy(tokens: number): boolean {
    return this.spareTokens() >= tokens;
  }

  /** Grows by up to `wantedTokens`, or by what is free if that is at least `neededTokens`. */
  grow(neededTokens: number, wantedTokens: number): boolean {
    const free = this.freeTokens;
    if (free < neededTokens) return false;
    const tokens = Math.min(free, Math.max(neededTokens, wantedTokens));
    if (!this.earmarks.grow(this.hold, tokens)) return false;
    this.tokens += tokens;
    return true;
  }

  /** Takes the first tokens out of the hold to be drawn; the rest is free again. */
  close(usedTokens: number): ReturnType<Earmarks['close']> {
    this.tokens = 0;
    return this.earmarks.close(this.hold, usedTokens);
  }

  spent(draws: ReturnType<Earmarks['close']>): void {
    this.earmarks.spent(this.hold, draws);
  }

  giveBack(draws: ReturnType<Earmarks['close']>): void {
    this.earmarks.giveBack(this.hold, draws);
  }
}
