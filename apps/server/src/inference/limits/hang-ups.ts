const MINUTE_MS = 60_000;

/**
 * Remembers clients that left before anything could be billed. Each such request cost a supplier work and nobody money, so
 * an account that does it all the time is held off for a while.
 */
export class HangUpLimiter {
  private readonly perMinute: number;
  private readonly times = new Map<number, number[]>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  record(account: number, nowMs: number): void {
    if (this.perMinute <= 0) return;
    const recent = this.recent(account, nowMs);
    recent.push(nowMs);
    this.times.set(account, recent);
  }

  /** Whole seconds to wait, or undefined when the account may go on. */
  retryAfterSeconds(account: number, nowMs: number): number | undefined {
    if (!this.times.has(account)) return undefined;
    const recent = this.recent(account, nowMs);
    if (recent.length === 0) this.times.delete(account);
    if (recent.length <= this.perMinute) return undefined;
    // The count is back at the limit when the oldest of the excess is a minute old.
    const oldest = recent[recent.length - this.perMinute - 1]!;
    return Math.max(1, Math.ceil((oldest + MINUTE_MS - nowMs) / 1000));
  }

  private recent(account: number, nowMs: number): number[] {
    const times = this.times.get(account) ?? [];
    return times.filter((atMs) => atMs > nowMs - MINUTE_MS);
  }
}
