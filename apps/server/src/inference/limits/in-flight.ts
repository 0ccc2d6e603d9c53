/** Counts what runs at once for each account. */
export class InFlightLimiter {
  private readonly limit: number;
  private readonly counts = new Map<number, number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Enters a request; false when the account has its full number running. Balance every true with {@link leave}. */
  enter(account: number): boolean {
    const count = this.counts.get(account) ?? 0;
    if (this.limit > 0 && count >= this.limit) return false;
    this.counts.set(account, count + 1);
    return true;
  }

  leave(account: number): void {
    const count = (this.counts.get(account) ?? 0) - 1;
    if (count > 0) this.counts.set(account, count);
    else this.counts.delete(account);
  }
}
