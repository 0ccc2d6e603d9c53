import type { PagePromise } from '../core/pagination.ts';
import { readOne, readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, OpenEnum, TimeInput, Timestamp } from './common.ts';

/** A trade as one of its two parties sees it. The other one is not shown. */
export type Trade = {
  trade_id: string;
  id: string;
  market_id: string;
  market_name: string;
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  /** USD per unit. */
  price: DecimalString;
  /** Units. */
  quantity: number;
  /** USD, six digits, as is `fee`. */
  total_value: DecimalString;
  fee: DecimalString;
  fee_bps: number;
  fee_currency: 'USD';
  /** `maker` on both sides of an auction. */
  liquidity: OpenEnum<'maker' | 'taker'>;
  status: OpenEnum<'settled' | 'reversed'>;
  /** The caller's side and order. */
  side: 'buy' | 'sell';
  order_id: string;
  trading_account_id: string;
  execution_timestamp: Timestamp;
  settlement_timestamp: Timestamp;
  /** Serial numbers of the units that changed hands. */
  units: { from: number; to: number }[];
  /** Dense in its market. */
  sequence: number;
};

/** Filters of `trades.list`; `limit` up to 500. */
export type TradeListParams = CursorParams & {
  market_id?: string | undefined;
  instrument_id?: string | undefined;
  trade_id?: string | undefined;
  order_id?: string | undefined;
  status?: Trade['status'] | undefined;
  start_datetime?: TimeInput | undefined;
  end_datetime?: TimeInput | undefined;
  order_direction?: 'asc' | 'desc' | undefined;
};

/** `/v1/trades`: the caller's own. */
export class TradesResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Own trades, the latest first. */
  list(params: TradeListParams = {}, options?: RequestOptions): PagePromise<Trade> {
    return readPages(this.#transport, { path: '/v1/trades', query: params, wants: 'signature', options });
  }

  /** One own trade. @throws NotFoundError `trade_not_found` */
  async retrieve(tradeId: string, options?: RequestOptions): Promise<Trade> {
    const path = `/v1/trades/${encodeURIComponent(tradeId)}`;
    return await readOne<Trade>(this.#transport, { path, wants: 'signature', options });
  }
}
