import type { PagePromise } from '../core/pagination.ts';
import { readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, TimeInput, Timestamp } from './common.ts';

/** Length of a candle. Weeks start on Monday, UTC. */
export type Resolution = '1m' | '5m' | '15m' | '30m' | '1h' | '4h' | '1d' | '1w';

/** What was traded in one period. */
export type Candle = {
  market_id: string;
  resolution: Resolution;
  period_start: Timestamp;
  period_end: Timestamp;
  open: DecimalString;
  high: DecimalString;
  low: DecimalString;
  close: DecimalString;
  /** Units. */
  volume: DecimalString;
  /** USD. */
  quote_volume: DecimalString;
  num_trades: number;
  vwap: DecimalString;
};

/** Which candles: at most 5,000 periods. */
export type PriceHistoryParams = CursorParams & {
  market_id: string;
  resolution: Resolution;
  from?: TimeInput | undefined;
  to?: TimeInput | undefined;
  /** Repeat the last close where nothing was traded. */
  fill?: boolean | undefined;
  order_direction?: 'asc' | 'desc' | undefined;
};

/** `/v1/price-histories`. */
export class PriceHistoriesResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Candles, the oldest first. The current one is among them and changes. */
  list(params: PriceHistoryParams, options?: RequestOptions): PagePromise<Candle> {
    const reading = { path: '/v1/price-histories', query: params, wants: 'signature', options } as const;
    return readPages(this.#transport, reading);
  }
}
