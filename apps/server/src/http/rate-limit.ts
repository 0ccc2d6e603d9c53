/** What a bucket says of one request. `resetSeconds` counts until the bucket is full again. */
export interface RateDecision {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  updatedAtMs: number;
}

/** Addresses and keys are forgotten after this long without a request. */
const FORGET_AFTER_MS = 600_000;
const SWEEP_EVERY = 10_000;

/** Token buckets by key, in memory only. A capacity of 0 switches the limit off. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();
  private readonly capacity: number;
  private readonly refillPerMs: number;
  private readonly clock: () => number;
  private sinceSweep = 0;

  constructor(options: { capacity: number; refillPerSecond: number; clock?: () => number }) {
    this.capacity = options.capacity;
    this.refillPerMs = options.refillPerSecond / 1000;
    this.clock = options.clock ?? Date.now;
  }

  take(key: string): RateDecision {
    if (this.capacity === 0) {
      return { isAllowed: true, limit: 0, remaining: 0, resetSeconds: 0, retryAfterSeconds: 0 };
    }
    const nowMs = this.clock();
    this.sweepWhenDue(nowMs);
    const bucket = this.refilled(key, nowMs);
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    return {
      isAllowed,
      limit: this.capacity,
      remaining: Math.floor(bucket.tokens),
      resetSeconds: Math.ceil((this.capacity - bucket.tokens) / this.refillPerMs / 1000),
      retryAfterSeconds: isAllowed
        ? 0
        : Math.max(1, Math.ceil((1 - bucket.tokens) / this.refillPerMs / 1000)),
    };
  }

  /** Undoes a `take` that was allowed, for a request that another bucket refused. */
  giveBack(key: string): void {
    const bucket = this.buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(this.capacity, bucket.tokens + 1);
  }

  private refilled(key: string, nowMs: number): Bucket {
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: this.capacity, updatedAtMs: nowMs };
      this.buckets.set(key, bucket);
    }
    const elapsedMs = Math.max(0, nowMs - bucket.updatedAtMs);
    bucket.tokens = Math.min(this.capacity, bucket.tokens + elapsedMs * this.refillPerMs);
    bucket.updatedAtMs = nowMs;
    return bucket;
  }

  private sweepWhenDue(nowMs: number): void {
    this.sinceSweep += 1;
    if (this.sinceSweep < SWEEP_EVERY) return;
    this.sinceSweep = 0;
    for (const [key, bucket] of this.buckets) {
      if (nowMs - bucket.updatedAtMs > FORGET_AFTER_MS) this.buckets.delete(key);
    }
  }
}
