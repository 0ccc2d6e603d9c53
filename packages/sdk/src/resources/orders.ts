import { ApiError, NotFoundError } from '../core/error.ts';
import type { PagePromise } from '../core/pagination.ts';
import { randomId } from '../internal/random-id.ts';
import { readOne, readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DataEnvelope, DecimalString, OpenEnum, TimeInput, Timestamp } from './common.ts';

/** What happens when an order would trade with one of the same account. */
export type SelfTradePrevention = 'cancel_newest' | 'cancel_oldest' | 'cancel_both' | 'decrement';

/** Where an order stands; the last four are final. */
export type OrderStatus = OpenEnum<
  'active' | 'partially_filled' | 'filled' | 'cancelled' | 'expired' | 'rejected'
>;

/** An order to place. */
export type PlaceOrderParams = {
  /** Id of the market, or the instrument's symbol. */
  market_id: string;
  side: 'buy' | 'sell';
  type: 'limit' | 'market';
  /** Units. */
  quantity: number;
  /** USD per unit. Mandatory for limit orders; on a market order the worst price that is acceptable. */
  price?: DecimalString | undefined;
  /** Default `gtc`; a market order is `ioc` unless it is `fok`. */
  time_in_force?: 'gtc' | 'ioc' | 'fok' | 'gtd' | 'day' | undefined;
  /** Mandatory for `gtd`: 1 second to 90 days ahead. */
  expire_at?: TimeInput | undefined;
  /** Refuse the order rather than trade at once. */
  post_only?: boolean | undefined;
  self_trade_prevention?: SelfTradePrevention | undefined;
  /** Buys: every fill goes to consumption at once. */
  should_autotransfer?: boolean | undefined;
  /**
   * 1 to 64 characters `A-Z a-z 0-9 . _ : -`, unique per account for ever. It makes repeating safe; one is made up
   * where none is given.
   */
  client_order_id?: string | undefined;
};

/** What to change of an order: at least one member. */
export type AmendOrderParams = {
  /** New total in units, filled ones included. A lower one keeps the order's place in the queue. */
  quantity?: number | undefined;
  price?: DecimalString | undefined;
  time_in_force?: 'gtc' | 'gtd' | 'day' | undefined;
  expire_at?: TimeInput | undefined;
};

/** An order and how far it got. */
export type Order = {
  order_id: string;
  id: string;
  market_id: string;
  market_name: string;
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  /** Absent for consumption keys. */
  trader_id?: string;
  side: 'buy' | 'sell';
  type: 'limit' | 'market';
  status: OrderStatus;
  /** Units, as are the next three. */
  quantity: number;
  size: number;
  filled_quantity: number;
  remaining_quantity: number;
  /** `null` for a market order without one. */
  price: DecimalString | null;
  /** Volume-weighted, `null` before the first fill. */
  average_price: DecimalString | null;
  stop_price: null;
  /** USD so far. */
  fee: DecimalString;
  time_in_force: OpenEnum<'gtc' | 'ioc' | 'fok' | 'gtd' | 'day'>;
  expire_at: Timestamp | null;
  post_only: boolean;
  self_trade_prevention: SelfTradePrevention;
  should_autotransfer: boolean;
  client_order_id: string | null;
  origin: OpenEnum<'user' | 'auto_buy' | 'system'>;
  /** Why it ended; `null` while it has not. */
  closure_reason: string | null;
  closed_at: Timestamp | null;
  submitted_at: Timestamp;
  created_at: Timestamp;
  updated_at: Timestamp;
};

/** `orders.cancel`: the order is ended either way. */
export type CancelResult = {
  already_cancelled: boolean;
  /** The order, when it was cancelled before. */
  order: Order | null;
};

/** Which orders to cancel together: all of the account where nothing is given. */
export type CancelAllParams = { market_id?: string | undefined; side?: 'buy' | 'sell' | undefined };

/** `orders.cancelAll`. */
export type CancelAllResult = {
  cancelled: number;
  /** Absent above 500. */
  order_ids?: string[];
};

/** A dead man's switch: the orders of the scope are cancelled unless it is set again in time. */
export type CancelAllAfterParams = {
  /** 5,000 to 600,000 milliseconds, or 0 to disarm. */
  timeout_ms: number;
  /** Without it the whole account is meant, which has a timer of its own. */
  market_id?: string | undefined;
};

/** State of a dead man's switch. */
export type CancelTimer = {
  armed: boolean;
  timeout_ms: number;
  trigger_at: Timestamp | null;
  server_time: Timestamp;
};

/** Filters and order of `orders.list`; `limit` up to 500. */
export type OrderListParams = CursorParams & {
  market_id?: string | undefined;
  instrument_id?: string | undefined;
  side?: 'buy' | 'sell' | undefined;
  /** `open` means every order that has not ended, `closed` every one that has. Several mean any of them. */
  status?: OrderStatus | readonly OrderStatus[] | 'open' | 'closed' | undefined;
  type?: 'limit' | 'market' | undefined;
  client_order_id?: string | undefined;
  start_datetime?: TimeInput | undefined;
  end_datetime?: TimeInput | undefined;
  order_by?: 'submitted_at' | 'updated_at' | 'price' | undefined;
  order_direction?: 'asc' | 'desc' | undefined;
};

/** Open orders. */
export type OrderCount = { count: number; by_market: { market_id: string; count: number }[] };

const wants = 'signature';
const base = '/v1/orders';

/** Times in a body are ISO 8601; the query string takes care of its own. */
const withTimes = <Body extends { expire_at?: TimeInput | undefined }>(body: Body): object => {
  const { expire_at: expireAt } = body;
  return expireAt instanceof Date ? { ...body, expire_at: expireAt.toISOString() } : body;
};

/** `/v1/orders`. Reading takes a signer or a key with `trade:read`, everything else a signer. */
export class OrdersResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Places an order. What is lost on the way is asked for again under the same client order id, so that one call is
   * never two orders; where the server cannot tell what became of it, the order is looked up by that id.
   * @throws BadRequestError `insufficient_balance`, UnprocessableError when the market's rules refuse it
   */
  async place(params: PlaceOrderParams, options?: RequestOptions): Promise<Order> {
    const clientOrderId = params.client_order_id ?? randomId();
    const body = withTimes({ ...params, client_order_id: clientOrderId });
    const call = { method: 'POST', path: base, body, wants, options } as const;
    try {
      return (await this.#transport.send<DataEnvelope<Order>>({ ...call, repetition: 'keyed' })).data;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'outcome_unknown') throw error;
    }
    const known = await this.#find(clientOrderId, options);
    if (known !== null) return known;
    return (await this.#transport.send<DataEnvelope<Order>>({ ...call, repetition: 'harmless' })).data;
  }

  /** Changes an order in one step. A higher quantity or another price costs its place in the queue. */
  async amend(orderId: string, params: AmendOrderParams, options?: RequestOptions): Promise<Order> {
    const path = `${base}/${encodeURIComponent(orderId)}`;
    const call = { method: 'PUT', path, body: withTimes(params), wants, repetition: 'harmless' } as const;
    return (await this.#transport.send<DataEnvelope<Order>>({ ...call, options })).data;
  }

  /** Cancels an order. One that was cancelled before is no error. @throws ConflictError when it ended otherwise */
  async cancel(orderId: string, options?: RequestOptions): Promise<CancelResult> {
    const path = `${base}/${encodeURIComponent(orderId)}`;
    const call = { method: 'DELETE', path, wants, repetition: 'harmless', options } as const;
    const answer = await this.#transport.send<DataEnvelope<Order> | null>(call);
    return { already_cancelled: answer !== null, order: answer?.data ?? null };
  }

  /** Cancels every open order of the account, of one market, or of one side. */
  async cancelAll(params: CancelAllParams = {}, options?: RequestOptions): Promise<CancelAllResult> {
    const { market_id: market, side } = params;
    const path = market === undefined ? base : `/v1/markets/${encodeURIComponent(market)}/orders`;
    const call = { method: 'DELETE', path, query: { side }, wants, repetition: 'harmless' } as const;
    return (await this.#transport.send<DataEnvelope<CancelAllResult>>({ ...call, options })).data;
  }

  /** Sets, renews or disarms the dead man's switch of the account or of one market. It survives restarts. */
  async cancelAllAfter(params: CancelAllAfterParams, options?: RequestOptions): Promise<CancelTimer> {
    const path = `${base}/cancel-all-after`;
    const call = { method: 'POST', path, body: params, wants, repetition: 'harmless', options } as const;
    return (await this.#transport.send<DataEnvelope<CancelTimer>>(call)).data;
  }

  /** Orders, the latest first. */
  list(params: OrderListParams = {}, options?: RequestOptions): PagePromise<Order> {
    return readPages(this.#transport, { path: base, query: params, wants, options });
  }

  /** One order. @throws NotFoundError `order_not_found` */
  async retrieve(orderId: string, options?: RequestOptions): Promise<Order> {
    const path = `${base}/${encodeURIComponent(orderId)}`;
    return await readOne<Order>(this.#transport, { path, wants, options });
  }

  /** One order by the id that its client gave it. @throws NotFoundError `order_not_found` */
  async retrieveByClientId(clientOrderId: string, options?: RequestOptions): Promise<Order> {
    const path = `${base}/by-client-id/${encodeURIComponent(clientOrderId)}`;
    return await readOne<Order>(this.#transport, { path, wants, options });
  }

  /** How many orders are open, exact at the time of reading. */
  async count(options?: RequestOptions): Promise<OrderCount> {
    return await readOne<OrderCount>(this.#transport, { path: `${base}/count`, wants, options });
  }

  async #find(clientOrderId: string, options?: RequestOptions): Promise<Order | null> {
    try {
      return await this.retrieveByClientId(clientOrderId, options);
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}
