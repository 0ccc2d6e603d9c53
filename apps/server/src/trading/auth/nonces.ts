/** A timestamp is good for 30 s to either side, so a nonce must be known a little longer than a minute. */
const REMEMBER_MS = 90_000;

/** Nonces of verified signatures, per key, for 90 seconds. */
export class Nonces {
  private readonly clock: () => number;
  /** Insertion order is time order, so forgetting starts at the front. */
  private readonly seen = new Map<string, number>();

  constructor(clock: () => number = Date.now) {
    this.clock = clock;
  }

  /** Marks a nonce as used; false when it was used before. */
  take(keyId: string, nonce: string): boolean {
    const nowMs = this.clock();
    this.forget(nowMs);
    const key = `${keyId}:${nonce}`;
    if (this.seen.has(key)) return false;
    this.seen.set(key, nowMs);
    return true;
  }

  private forget(nowMs: number): void {
    for (const [key, atMs] of this.seen) {
      if (nowMs - atMs < REMEMBER_MS) return;
      this.seen.delete(key);
    }
  }
}
