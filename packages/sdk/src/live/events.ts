import type { ConsumptionAccount, CurrencyAccount, TradingAccount } from '../resources/accounts.ts';
import type { DecimalString, OpenEnum, Timestamp } from '../resources/common.ts';
import type { OrderStatus } from '../resources/orders.ts';
import type { Trade } from '../resources/trades.ts';

/** State of an own order after a command. Quantities are units, as digits. */
export type OrderEvent = {
  order_id: string;
  /** Absent where none was given. */
  client_order_id?: string;
  market_id: string;
  trading_account_id: string;
  side: 'buy' | 'sell';
  order_type: 'limit' | 'market';
  status: OrderStatus;
  original_quantity: string;
  remaining_quantity: string;
  filled_quantity: string;
  /** `"0"` for a market order without one. */
  price: DecimalString;
  /** Absent before the first fill. */
  average_fill_price?: DecimalString;
  time_in_force: string;
  closure_reason: string | null;
  created_at: Timestamp;
  updated_at: Timestamp;
  user_seq: number;
};

/** An own trade. */
export type TradeEvent = Trade & { user_seq: number };

/** Balances: all of them first, then what changed. Rows are those of the three account lists. */
export type BalanceEvent = {
  accounts: (TradingAccount | CurrencyAccount | ConsumptionAccount)[];
  /** Absent on the first one, as are the next two. */
  cause?: OpenEnum<'order' | 'trade' | 'cancel' | 'transfer' | 'consumption' | 'escrow_release' | 'top_up'>;
  ref_id?: string | null;
  user_seq?: number;
};

/** A trade of anybody. */
export type MarketTradeEvent = {
  trade_id: string;
  market_id: string;
  price: DecimalString;
  /** Units, as digits. */
  quantity: string;
  /** The side that came later and took. */
  side: 'buy' | 'sell';
  executed_at: Timestamp;
  sequence: number;
  /** Only where the trade was undone. */
  status?: OpenEnum<'reversed'>;
};

/** Best prices and the last 24 hours, at most ten times a second. */
export type TickerEvent = {
  market_id: string;
  last_price: DecimalString | null;
  bid: DecimalString | null;
  ask: DecimalString | null;
  volume_24h: string;
  /** Absent before the first trade; the next two when nothing was traded in 24 hours. */
  last_quantity?: string;
  high_24h?: DecimalString;
  low_24h?: DecimalString;
  timestamp: Timestamp;
  sequence: number;
};

/** A change of the rules under which a market trades. */
export type MarketStatusEvent = {
  market_id: string;
  trading_state: OpenEnum<'open' | 'post_only' | 'auction' | 'cancel_only' | 'halted' | 'closed'>;
  status: OpenEnum<'active' | 'suspended' | 'inactive'>;
  reason: string | null;
  sequence: number;
  at: Timestamp;
};

/** Events of the account were missed, or may have been: read what matters over REST. */
export type GapEvent = {
  /** `sequence`: a number was left out. `reconnected`: the socket was away for a while. */
  reason: 'sequence' | 'reconnected';
  /** Last event that was seen, null when none was. */
  after: number | null;
  /** First event behind the gap, null when it is not known yet. */
  before: number | null;
};

/** What to call with the events of the account. */
export type UserHandlers = {
  /** `new_order` is the first sight of an order, `order_update` everything later. */
  onOrder?: ((order: OrderEvent, event: 'new_order' | 'order_update') => void) | undefined;
  onTrade?: ((trade: TradeEvent) => void) | undefined;
  onBalance?: ((balance: BalanceEvent) => void) | undefined;
  /** Called before the first event behind the gap. */
  onGap?: ((gap: GapEvent) => void) | undefined;
};
