/**
 * Commands of the exchange. Each is plain data: integers and enumerated words only, so that the journal can keep it
 * and replay it. Account numbers are random integers given by the edge; instrument numbers are small dense integers.
 */

export type Side = 'buy' | 'sell';
export type OrderType = 'limit' | 'market';
export type TimeInForce = 'gtc' | 'ioc' | 'fok';
export type SelfTradePrevention = 'cancel_newest' | 'cancel_oldest' | 'cancel_both' | 'decrement';
export type OrderOrigin = 'user' | 'auto_buy' | 'system';
export type TradingState = 'open' | 'cancel_only' | 'halted' | 'closed';

/** Rules of one market. Prices in ticks of 100 micro-dollars per unit, sizes in units. */
export interface MarketRules {
  readonly takerBps: number;
  readonly makerBps: number;
  readonly minOrderUnits: number;
  readonly maxOrderUnits: number;
  readonly maxOpenOrders: number;
  readonly marketCollarBps: number;
  readonly limitCollarBps: number;
  readonly autoBuyCollarBps: number;
  /** Configured by the operator; null where there is none. */
  readonly referencePriceTicks: number | null;
}

export interface PlaceOrder {
  readonly kind: 'place_order';
  readonly account: number;
  readonly instrument: number;
  readonly side: Side;
  readonly type: OrderType;
  readonly quantityUnits: number;
  /** Required for limit orders; on market orders "no worse than". */
  readonly priceTicks: number | null;
  readonly timeInForce: TimeInForce;
  readonly postOnly?: boolean;
  readonly selfTradePrevention?: SelfTradePrevention;
  /** Buys: each fill goes to consumption at once. */
  readonly autotransfer?: boolean;
  readonly origin?: OrderOrigin;
  /** Auto-buys of accounts in easy mode have a lower ceiling. */
  readonly easyMode?: boolean;
}

/** A range of tokens inside a lot: offsets from the lot's first token, end exclusive. */
export interface LotRange {
  readonly lot: number;
  readonly from: number;
  readonly to: number;
}

export interface Settle {
  readonly kind: 'settle';
  readonly account: number;
  readonly instrument: number;
  /** Ranges actually consumed; empty for a request that is not billed. */
  readonly draws: readonly LotRange[];
  /** Account of the supplier that answered; 0 when nobody did. */
  readonly servedBy: number;
  /** Issuers whose endpoints failed, refused, were excluded or suspended for this request. */
  readonly failedObligors?: readonly number[];
  /** Posted price of a substitute in ticks per unit; null = the 24 h volume-weighted average price. */
  readonly substitutePriceTicks?: number | null;
}

export type Command =
  | { readonly kind: 'open_account'; readonly account: number }
  | { readonly kind: 'open_market'; readonly instrument: number; readonly rules: MarketRules }
  | { readonly kind: 'configure_market'; readonly instrument: number; readonly rules: MarketRules }
  | { readonly kind: 'set_trading_state'; readonly instrument: number; readonly state: TradingState }
  | {
      readonly kind: 'credit';
      readonly account: number;
      readonly origin: 'promotional' | 'card';
      readonly amountMicros: number;
    }
  | { readonly kind: 'fund_reserve'; readonly amountMicros: number }
  | { readonly kind: 'lock_collateral'; readonly account: number; readonly amountMicros: number }
  | {
      readonly kind: 'issue';
      readonly account: number;
      readonly instrument: number;
      readonly quantityUnits: number;
    }
  | {
      readonly kind: 'transfer_issued';
      readonly account: number;
      readonly instrument: number;
      readonly quantityUnits: number;
    }
  | {
      readonly kind: 'transfer_to_consumption';
      readonly account: number;
      readonly instrument: number;
      readonly quantityUnits: number;
    }
  | PlaceOrder
  | { readonly kind: 'cancel_order'; readonly account: number; readonly order: number }
  | Settle
  | { readonly kind: 'terminate_supplier'; readonly account: number; readonly instrument: number }
  | { readonly kind: 'open_refund'; readonly account: number; readonly amountMicros: number }
  | {
      readonly kind: 'close_refund';
      readonly account: number;
      readonly amountMicros: number;
      readonly outcome: 'succeeded' | 'failed';
    }
  | { readonly kind: 'open_dispute'; readonly account: number; readonly amountMicros: number }
  | {
      readonly kind: 'close_dispute';
      readonly account: number;
      readonly amountMicros: number;
      readonly outcome: 'won' | 'lost';
      readonly processorFeeMicros: number;
      /** Account of the operator, who takes over unopened units of a lost dispute. */
      readonly operator: number;
    };

export type CommandKind = Command['kind'];

/** A command as the journal keeps it: dense sequence, time that never decreases (Unix milliseconds). */
export interface JournalEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly command: Command;
}
