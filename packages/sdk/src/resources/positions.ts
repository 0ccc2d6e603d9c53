import type { PagePromise } from '../core/pagination.ts';
import { readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, OpenEnum, Timestamp } from './common.ts';

/** What is held of one instrument, trading and consumption together, and what it cost. */
export type Position = {
  id: string;
  user_account_id: string;
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  status: OpenEnum<'open' | 'closed'>;
  /** Whole units. */
  quantity: number;
  /** USD per unit, fees excluded. */
  average_cost: DecimalString | null;
  total_cost: DecimalString;
  current_market_value: DecimalString | null;
  last_trade_price: DecimalString | null;
  opened_at: Timestamp | null;
  closed_at: Timestamp | null;
  inserted_at: Timestamp;
  updated_at: Timestamp;
};

/** Filters of `positions.list`. */
export type PositionListParams = CursorParams & {
  instrument_id?: string | undefined;
  instrument_name?: string | undefined;
  status?: 'open' | 'closed' | undefined;
};

/** `/v1/positions`. */
export class PositionsResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(params: PositionListParams = {}, options?: RequestOptions): PagePromise<Position> {
    return readPages(this.#transport, { path: '/v1/positions', query: params, wants: 'signature', options });
  }
}
