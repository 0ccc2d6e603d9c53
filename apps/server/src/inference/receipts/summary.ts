import { formatDecimal } from '@opengrid/wire';
import type { SummaryRow } from './rows.ts';

const MAX_BUCKETS = 100;

/** Sums of some receipts; money exact, in units of 10^-10 USD. */
class Bucket {
  private requests = 0;
  private inputTokens = 0;
  private outputTokens = 0;
  private cost = 0n;
  private pricedTokens = 0;
  private reconciled = 0;
  private pending = 0;
  private unpriced = 0;
  private cancelled = 0;
  private unpricedTokens = 0;

  get totalTokens(): number {
    return this.inputTokens + this.outputTokens;
  }

  add(row: SummaryRow): void {
    this.requests += row.request_count;
    this.inputTokens += row.input_tokens;
    this.outputTokens += row.output_tokens;
    this.cost += BigInt(row.cost_e10);
    this.pricedTokens += row.priced_tokens;
    this.reconciled += row.reconciled_requests;
    this.unpriced += row.unpriced_requests;
    this.cancelled += row.cancelled_requests;
    this.unpricedTokens += row.unpriced_tokens;
  }

  addPending(): void {
    this.requests += 1;
    this.pending += 1;
  }

  print(): Record<string, unknown> {
    return {
      request_count: this.requests,
      input_tokens: this.inputTokens,
      output_tokens: this.outputTokens,
      total_tokens: this.totalTokens,
      cost: {
        // Tokens without a price are never turned into money: without any priced token there is no amount.
        reconciled_amount: this.pricedTokens === 0 ? null : formatDecimal(this.cost),
        currency: 'USD',
        reconciled_requests: this.reconciled,
        pending_requests: this.pending,
        unpriced_requests: this.unpriced,
        cancelled_requests: this.cancelled,
        unpriced_tokens: this.unpricedTokens,
      },
    };
  }
}

export type GroupBy = 'day' | 'model' | 'api_key';

/** Adds up a summary, day by day. */
export class Summary {
  private readonly groupBy: GroupBy | null;
  private readonly totals = new Bucket();
  private readonly buckets = new Map<string | null, Bucket>();

  constructor(groupBy: GroupBy | null) {
    this.groupBy = groupBy;
  }

  /** @param day `2026-01-01`. */
  add(day: string, row: SummaryRow): void {
    this.totals.add(row);
    if (this.groupBy !== null) this.bucket(this.groupBy === 'day' ? day : row.key).add(row);
  }

  addPending(keys: Readonly<Record<GroupBy, string | null>>): void {
    this.totals.addPending();
    if (this.groupBy !== null) this.bucket(keys[this.groupBy]).addPending();
  }

  print(window: { from: string; to: string }): Record<string, unknown> {
    const head = { totals: this.totals.print(), group_by: this.groupBy, ...window };
    return this.groupBy === null ? head : { ...head, buckets: this.printBuckets() };
  }

  private printBuckets(): readonly Record<string, unknown>[] {
    const buckets = [...this.buckets];
    if (this.groupBy === 'day') buckets.sort(([a], [b]) => (a ?? '').localeCompare(b ?? ''));
    else buckets.sort(([, a], [, b]) => b.totalTokens - a.totalTokens);
    return buckets.slice(0, MAX_BUCKETS).map(([key, bucket]) => ({ key, ...bucket.print() }));
  }

  private bucket(key: string | null): Bucket {
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      bucket = new Bucket();
      this.buckets.set(key, bucket);
    }
    return bucket;
  }
}
