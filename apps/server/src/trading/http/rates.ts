import { type RateDecision, TokenBuckets } from '../../http/rate-limit.ts';
import type { TradingSettings } from '../settings.ts';
import type { RateClass } from './route.ts';

/** The buckets of requests with a credential. */
export class TradingRates {
  private readonly orders: TokenBuckets;
  private readonly ordersPerMinute: TokenBuckets;
  private readonly cancels: TokenBuckets;
  private readonly reads: TokenBuckets;

  constructor(settings: TradingSettings, clock: () => number) {
    const bucket = (capacity: number, refillPerSecond: number): TokenBuckets =>
      new TokenBuckets({ capacity, refillPerSecond, clock });
    const orderCapacity = settings.orderRate === 0 ? 0 : settings.orderBurst;
    this.orders = bucket(orderCapacity, settings.orderRate);
    this.ordersPerMinute = bucket(settings.orderRpm, settings.orderRpm / 60);
    this.cancels = bucket(settings.cancelRate, settings.cancelRate);
    this.reads = bucket(settings.signedReadRate, settings.signedReadRate);
  }

  /** Counts a request and tells the tightest bucket. */
  take(rate: RateClass, key: string): RateDecision {
    if (rate === 'cancel') return this.cancels.take(key);
    if (rate === 'read') return this.reads.take(key);
    const [second, minute] = [this.orders.take(key), this.ordersPerMinute.take(key)];
    // What one bucket refuses must not use up the other.
    if (!second.isAllowed && minute.isAllowed) this.ordersPerMinute.giveBack(key);
    if (second.isAllowed && !minute.isAllowed) this.orders.giveBack(key);
    return tightest(second, minute);
  }
}

function tightest(a: RateDecision, b: RateDecision): RateDecision {
  if (a.limit === 0 || b.limit === 0) return a.limit === 0 ? b : a;
  if (a.isAllowed !== b.isAllowed) return a.isAllowed ? b : a;
  return a.remaining <= b.remaining ? a : b;
}
