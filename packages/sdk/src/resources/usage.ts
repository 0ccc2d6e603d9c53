import type { PagePromise } from '../core/pagination.ts';
import { readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, OpenEnum, TimeInput, Timestamp } from './common.ts';

/** Tokens of one request; `null` until known. Cached and reasoning tokens are part of input and output. */
export type ReceiptUsage = {
  input_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  reasoning_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  cached_input_tokens: number | null;
};

/** Tokens that one request drew from one lot. Prices are `null` when the lot has no cost basis. */
export type LotDraw = {
  lot_id: string | null;
  trade_id: string | null;
  /** First and last serial of the units, inclusive. */
  unit_from: number;
  unit_to: number;
  /** Who owes the units; `null` for a managed supplier. */
  supplier_id: string | null;
  supplier: string;
  acquisition_price_per_unit: DecimalString | null;
  acquisition_price_per_token: DecimalString | null;
  tokens: number;
  /** USD, up to ten digits, exact. */
  subtotal: DecimalString | null;
};

/** What a request cost: the exact sum of its draws, trade fees excluded. */
export type ReceiptCost = {
  amount: DecimalString | null;
  currency: 'USD';
  status: OpenEnum<'pending' | 'reconciled' | 'unpriced' | 'cancelled'>;
  effective_price_per_token: DecimalString | null;
  metering_policy_version: string;
  reconciled_at: Timestamp | null;
  /** On single receipts only, in draw order. */
  breakdown?: LotDraw[];
};

/** The record of one inference request: tokens, money, timing, never content. */
export type Receipt = {
  request_id: string;
  status: OpenEnum<'pending' | 'reconciled' | 'error'>;
  requested_model: string;
  serving_model: string | null;
  endpoint: string;
  api_key_id: string | null;
  created_at: Timestamp;
  usage: ReceiptUsage;
  usage_source: OpenEnum<'supplier' | 'partial' | 'estimated'> | null;
  cost: ReceiptCost;
  /** Measured by the exchange. */
  timing: { ttft_ms: number | null; tokens_per_second: number | null; duration_ms: number | null };
  /** `null` where the installation does not know it any more. */
  instrument_id: string | null;
  spec_version: number;
  /** Who answered; `null` when nobody did. */
  served_by: {
    supplier_id: string | null;
    supplier: string | null;
    substituted: boolean;
    qualification: Qualified | null;
  } | null;
  in_spec: boolean | null;
  spec_waived: boolean;
  stream: boolean;
  finish_reason: string | null;
  error_code: string | null;
};

type Qualified = OpenEnum<'probed' | 'waived'>;

/** Filters and order of `usage.list`. */
export type UsageListParams = CursorParams & {
  from?: TimeInput | undefined;
  to?: TimeInput | undefined;
  status?: Receipt['status'] | undefined;
  cost_status?: ReceiptCost['status'] | undefined;
  /** Requested instrument. */
  model?: string | undefined;
  api_key_id?: string | undefined;
  order_by?: 'inserted_at' | 'total_tokens' | undefined;
  order_direction?: 'asc' | 'desc' | undefined;
};

/** Money of several requests. Unpriced tokens are counted, never turned into money. */
export type UsageCost = {
  reconciled_amount: DecimalString | null;
  currency: 'USD';
  reconciled_requests: number;
  pending_requests: number;
  unpriced_requests: number;
  cancelled_requests: number;
  unpriced_tokens: number;
};

/** Sums over several requests. */
export type UsageTotals = {
  request_count: number;
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
  cost: UsageCost;
};

/** Sums over a range of time. */
export type UsageSummary = {
  totals: UsageTotals;
  group_by: 'day' | 'model' | 'api_key' | null;
  from: Timestamp;
  to: Timestamp;
  /** Absent without `group_by`. `key` is the day, the symbol or the key id. */
  buckets?: (UsageTotals & { key: string | null })[];
};

/** Range and grouping of `usage.summary`; at most 31 days, by default the last 30. */
export type UsageSummaryParams = {
  from?: TimeInput | undefined;
  to?: TimeInput | undefined;
  group_by?: 'day' | 'model' | 'api_key' | undefined;
  api_key_id?: string | undefined;
};

/** `/v1/usage`. Needs a key with the scope `usage:read`. */
export class UsageResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Receipts of the account, newest first, without their draws. */
  list(params: UsageListParams = {}, options?: RequestOptions): PagePromise<Receipt> {
    return readPages(this.#transport, { path: '/v1/usage', query: params, options });
  }

  /** One receipt with its draws. @throws NotFoundError `receipt_not_found` */
  async retrieve(requestId: string, options?: RequestOptions): Promise<Receipt> {
    const path = `/v1/usage/${encodeURIComponent(requestId)}`;
    return await this.#transport.get<Receipt>(path, undefined, options);
  }

  /** Sums over a range. @throws UnprocessableError `window_too_large` */
  async summary(params?: UsageSummaryParams, options?: RequestOptions): Promise<UsageSummary> {
    return await this.#transport.get<UsageSummary>('/v1/usage/summary', params, options);
  }
}
