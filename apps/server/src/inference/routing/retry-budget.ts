/** Tries beyond the first that are always allowed, however few requests there were. */
const RESERVE = 10;
/** At most one request in so many is tried again. */
const REQUESTS_PER_RETRY = 5;
const MOST = 100;

/**
 * Bounds how much of the load is repetition. When many suppliers fail at once, trying each request again everywhere would
 * multiply the load that broke them.
 */
export class RetryBudget {
  /** In parts of a try: what one request adds. */
  private parts = RESERVE * REQUESTS_PER_RETRY;

  /** A request begins. */
  earn(): void {
    this.parts = Math.min(MOST * REQUESTS_PER_RETRY, this.parts + 1);
  }

  /** Whether one more try may be made; it is counted if so. */
  spend(): boolean {
    if (this.parts < REQUESTS_PER_RETRY) return false;
    this.parts -= REQUESTS_PER_RETRY;
    return true;
  }
}
