/** Tries beyond the first that are allowed a second, however few requests there are; and at once. */
const RESERVE_PER_SECOND = 10;
/** At most one request in so many is tried again beyond that. */
const REQUESTS_PER_RETRY = 5;
const MOST = 100;

/**
 * Bounds how much of the load is repetition. When many suppliers fail at once, trying each request again everywhere would
 * multiply the load that broke them.
 */
export class RetryBudget {
  private readonly clock: () => number;
  private readonly reserve = { tries: RESERVE_PER_SECOND, atMs: 0 };
  /** In parts of a try: what one request adds. */
  private earnedParts = 0;

  /** @param clock Unix milliseconds. */
  constructor(clock: () => number) {
    this.clock = clock;
    this.reserve.atMs = clock();
  }

  /** A request begins. */
  earn(): void {
    this.earnedParts = Math.min(MOST * REQUESTS_PER_RETRY, this.earnedParts + 1);
  }

  /** Whether one more try may be made; it is counted if so. */
  spend(): boolean {
    this.refill();
    if (this.reserve.tries >= 1) {
      this.reserve.tries -= 1;
      return true;
    }
    if (this.earnedParts < REQUESTS_PER_RETRY) return false;
    this.earnedParts -= REQUESTS_PER_RETRY;
    return true;
  }

  private refill(): void {
    const nowMs = this.clock();
    const passedMs = Math.max(0, nowMs - this.reserve.atMs);
    this.reserve.atMs = nowMs;
    const refilled = this.reserve.tries + (passedMs * RESERVE_PER_SECOND) / 1_000;
    this.reserve.tries = Math.min(RESERVE_PER_SECOND, refilled);
  }
}
