import type { PagePromise } from '../core/pagination.ts';
import { readOne, readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, OpenEnum, Timestamp } from './common.ts';

/** Limits of orders in a market; collars in basis points of the reference price. */
export type OrderControls = {
  tick_size: DecimalString;
  lot_size: number;
  min_order_size: number;
  max_order_size: number;
  market_collar_bps: number;
  limit_collar_bps: number;
  auto_buy_collar_bps: number;
  /** `null` when the operator has configured none. */
  reference_price: DecimalString | null;
  max_open_orders: number;
};

/** Whether the endpoints behind an instrument were probed or let in by the operator's word. */
export type Qualification = OpenEnum<'probed' | 'waived' | 'mixed'>;

/** The order book of one instrument, as configured. */
export type Market = {
  market_id: string;
  id: string;
  /** `text-standard/USD`. */
  name: string;
  symbol: string;
  description: string;
  market_type: OpenEnum<'spot'>;
  status: 'active' | 'suspended' | 'inactive';
  trading_state: OpenEnum<'open' | 'post_only' | 'auction' | 'cancel_only' | 'halted' | 'closed'>;
  associated_instruments: string[];
  instruments: { instrument_id: string; instrument_type: string; symbol: string; name: string }[];
  order_controls: OrderControls;
  /** `null` while nobody serves the instrument. */
  qualification: Qualification | null;
  fees: { maker_bps: number; taker_bps: number };
  created_at: Timestamp;
  updated_at: Timestamp;
};

/** Best prices, last trade and the last 24 hours. Money in USD per unit. */
export type Ticker = {
  market_id: string;
  symbol: string;
  last_price: DecimalString | null;
  /** Units. */
  last_trade_quantity: number | null;
  last_trade_timestamp: Timestamp | null;
  highest_bid: DecimalString | null;
  lowest_ask: DecimalString | null;
  bid: DecimalString | null;
  ask: DecimalString | null;
  /** Units, 0 when none. */
  volume_24h: number;
  timestamp: Timestamp;
  sequence: number;
  /** Absent, as the following, when nothing was traded in 24 hours. */
  high_24h?: DecimalString;
  low_24h?: DecimalString;
  quote_volume_24h?: DecimalString;
  price_change_24h?: DecimalString;
  price_change_percent_24h?: DecimalString;
};

/** One price of a book. */
export type BookLevel = {
  price: DecimalString;
  /** Units at this price. */
  quantity: number;
  size: number;
  order_count: number;
  /** Units from the best price down to this one. */
  total: number;
};

/** An order book, best price first on both sides. */
export type OrderBook = {
  market_id: string;
  symbol: string;
  /** Grows with every change of the book. */
  sequence: number;
  timestamp: Timestamp;
  bids: BookLevel[];
  asks: BookLevel[];
  /** Equal to `bids` and `asks`, in the older spelling. */
  buy: BookLevel[];
  sell: BookLevel[];
  /** CRC-32 over the ten best levels of each side. */
  checksum: number;
};

/** A trade as everybody sees it: no party, order or unit. */
export type PublicTrade = {
  trade_id: string;
  id: string;
  /** Dense in its market. */
  sequence: number;
  market_id: string;
  market_name: string;
  instrument_id: string;
  instrument_symbol: string;
  instrument_name: string;
  price: DecimalString;
  /** Units. */
  quantity: number;
  /** USD, six digits. */
  total_value: DecimalString;
  /** The side that came later and took. */
  side: 'buy' | 'sell';
  status: OpenEnum<'settled' | 'reversed'>;
  execution_timestamp: Timestamp;
  timestamp: Timestamp;
  settlement_timestamp: Timestamp;
};

/** The last 24 hours of a market. */
export type MarketStats = {
  market_id: string;
  symbol: string;
  /** USD per unit; `null` when nothing was traded, as the following. */
  open: DecimalString | null;
  high: DecimalString | null;
  low: DecimalString | null;
  close: DecimalString | null;
  current_price: DecimalString | null;
  /** Units. */
  volume: DecimalString;
  volume_24h: number;
  volume_24h_tokens: DecimalString;
  /** USD, as is `quote_volume`. */
  volume_24h_value: DecimalString;
  quote_volume: DecimalString;
  num_trades: number;
  price_change_24h: DecimalString | null;
  price_change_24h_percent: DecimalString | null;
  high_24h: DecimalString | null;
  low_24h: DecimalString | null;
  vwap_24h: DecimalString | null;
  vwap_7d: DecimalString | null;
  period_start: Timestamp;
  period_end: Timestamp;
};

/** `/v1/markets`. Public. A market is named by its id or its instrument's symbol, in any letter case. */
export class MarketsResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All markets. */
  list(params: CursorParams = {}, options?: RequestOptions): PagePromise<Market> {
    return readPages(this.#transport, { path: '/v1/markets', query: params, options });
  }

  /** One market. @throws NotFoundError `market_not_found` */
  async retrieve(market: string, options?: RequestOptions): Promise<Market> {
    return await readOne<Market>(this.#transport, { path: pathOf(market), options });
  }

  /** Best prices and 24-hour figures. */
  async ticker(market: string, options?: RequestOptions): Promise<Ticker> {
    return await readOne<Ticker>(this.#transport, { path: pathOf(market, '/ticker'), options });
  }

  /** More figures of the last 24 hours. */
  async stats(market: string, options?: RequestOptions): Promise<MarketStats> {
    return await readOne<MarketStats>(this.#transport, { path: pathOf(market, '/stats'), options });
  }

  /** The book down to `depth` levels a side, 1 to 100, default 20. */
  async orderbook(market: string, params?: { depth?: number }, options?: RequestOptions): Promise<OrderBook> {
    const reading = { path: pathOf(market, '/orderbook'), query: params, options };
    return await readOne<OrderBook>(this.#transport, reading);
  }

  /** Trades of everybody, newest first. */
  trades(market: string, params: CursorParams = {}, options?: RequestOptions): PagePromise<PublicTrade> {
    return readPages(this.#transport, { path: pathOf(market, '/trades'), query: params, options });
  }
}

const pathOf = (market: string, rest = ''): string => `/v1/markets/${encodeURIComponent(market)}${rest}`;
