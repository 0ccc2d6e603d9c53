/**
 * Commands of the exchange. Each is plain data: integers and enumerated words only, so that the journal can keep it
 * and replay it. Account numbers are random integers given by the edge; instrument numbers are small dense integers.
 */

export type Side = 'buy' | 'sell';
export type OrderType = 'limit' | 'market';
/** `day` is `gtd` until the next midnight UTC, which the edge works out: the exchange keeps the label only. */
export type TimeInForce = 'gtc' | 'ioc' | 'fok' | 'gtd' | 'day';
/** Lives of orders that may rest. */
export type RestingTime = Extract<TimeInForce, 'gtc' | 'gtd' | 'day'>;
export type SelfTradePrevention = 'cancel_newest' | 'cancel_oldest' | 'cancel_both' | 'decrement';
export type OrderOrigin = 'user' | 'auto_buy' | 'system';
export type TradingState = 'open' | 'post_only' | 'auction' | 'cancel_only' | 'halted' | 'closed';

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
  /** Unix milliseconds, later than the command. Given for `gtd` and `day`, and for nothing else. */
  readonly expiresAtMs?: number;
  readonly postOnly?: boolean;
  readonly selfTradePrevention?: SelfTradePrevention;
  /** Buys: each fill goes to consumption at once. */
  readonly autotransfer?: boolean;
  readonly origin?: OrderOrigin;
  /** Auto-buys of accounts in easy mode have a lower ceiling. */
  readonly easyMode?: boolean;
}

/**
 * Changes a resting order in one step; at least one member says how. A smaller quantity keeps the order's place in its
 * queue; a larger one or another price loses it and may trade at once, under every rule of a new order.
 */
export interface AmendOrder {
  readonly kind: 'amend_order';
  readonly account: number;
  readonly order: number;
  /** The new total, what was filled included. */
  readonly quantityUnits?: number;
  readonly priceTicks?: number;
  readonly timeInForce?: RestingTime;
  /** Unix milliseconds. Needed with `gtd` and `day`; alone it moves the end of an order that has one. */
  readonly expiresAtMs?: number;
}

/** Why orders are cancelled together. All but `bulk_cancel` are the system's, and work in every trading state. */
export type CancelReason =
  | 'bulk_cancel'
  | 'mode_switched'
  | 'key_revoked'
  | 'account_suspended'
  | 'cancel_on_disconnect'
  | 'admin';

/** Cancels the resting orders of an account that fit every given member. That there are none is no refusal. */
export interface CancelOrders {
  readonly kind: 'cancel_orders';
  readonly account: number;
  readonly instrument?: number;
  readonly side?: Side;
  /** Only these; numbers that are not resting orders of the account are passed over. */
  readonly orders?: readonly number[];
  readonly reason: CancelReason;
}

/** A run of whole units of a lot, by serial, inclusive on both ends. */
export interface LotUnits {
  readonly lot: number;
  readonly unitFrom: number;
  readonly unitTo: number;
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
  | {
      readonly kind: 'set_trading_state';
      readonly instrument: number;
      readonly state: TradingState;
      /** Length of the auction that this begins, 30 s unless given. An auction after a halt takes 30 s at least. */
      readonly auctionMs?: number;
    }
  /** The operator's freeze, beside what disputes do. Suspending cancels every resting order of the account. */
  | { readonly kind: 'set_standing'; readonly account: number; readonly suspended: boolean }
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
  /** Brings whole units back to trading. Each run is the undrawn end of its lot, and no lot is named twice. */
  | {
      readonly kind: 'transfer_to_trading';
      readonly account: number;
      readonly instrument: number;
      readonly runs: readonly LotUnits[];
    }
  /** Takes unsold units that are still in issuance out of the world, newest serials first. */
  | {
      readonly kind: 'retire_issued';
      readonly account: number;
      readonly instrument: number;
      readonly quantityUnits: number;
    }
  | PlaceOrder
  | AmendOrder
  | CancelOrders
  | { readonly kind: 'cancel_order'; readonly account: number; readonly order: number }
  /** Replaces the dead man's switch of the account, or of the account in one market. 0 disarms it. */
  | {
      readonly kind: 'arm_cancel_timer';
      readonly account: number;
      readonly instrument?: number;
      /** 5,000 to 600,000, or 0. */
      readonly timeoutMs: number;
    }
  /** Does what is due at the command's time: see `Exchange.nextDueMs`. */
  | { readonly kind: 'elapse' }
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
