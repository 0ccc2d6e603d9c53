const MINUTE_MS = 60_000;
const SWEEP_AT_SIZE = 10_000;

/** Where a key stands after a request, as the rate-limit headers say it. */
export interface RateStanding {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until the bucket is full. */
  readonly resetSeconds: number;
  /** Whole seconds until another request is allowed, at least 1. */
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A token bucket for each key: a minute's worth of requests at once, refilled evenly. */
export class RateLimiter {
  private readonly perMinute: number;
  private readonly buckets = new Map<string, Bucket>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** Takes one request out of the bucket; undefined when the limit is switched off. */
  take(key: string, nowMs: number): RateStanding | undefined {
    if (this.perMinute <= 0) return undefined;
    const bucket = this.refill(key, nowMs);
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    const msPerToken = MINUTE_MS / this.perMinute;
    return {
      isAllowed,
      limit: this.perMinute,
      remaining: Math.floor(bucket.tokens),
      resetSeconds: Math.ceil(((this.perMinute - bucket.tokens) * msPerToken) / 1000),
      retryAfterSeconds: Math.max(1, Math.ceil(((1 - bucket.tokens) * msPerToken) / 1000)),
    };
  }

  private refill(key: string, nowMs: number): Bucket {
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      if (this.buckets.size >= SWEEP_AT_SIZE) this.sweep(nowMs);
      bucket = { tokens: this.perMinute, atMs: nowMs };
      this.buckets.set(key, bucket);
    }
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.perMinute, bucket.tokens + (elapsedMs * this.perMinute) / MINUTE_MS);
    bucket.atMs = nowMs;
    return bucket;
  }

  /** A bucket untouched for a minute is full again, which is what a missing one means. */
  private sweep(nowMs: number): void {
    for (const [key, bucket] of this.buckets) {
      if (nowMs - bucket.atMs >= MINUTE_MS) this.buckets.delete(key);
    }
  }
}
