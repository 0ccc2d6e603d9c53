import type {
  OrderOrigin,
  OrderType,
  RestingTime,
  SelfTradePrevention,
  Side,
  TimeInForce,
  TradingState,
} from './commands.ts';
import type { Leg } from './ledger.ts';

export type OrderStatus = 'active' | 'partially_filled' | 'filled' | 'cancelled' | 'expired' | 'rejected';

export type ClosureReason =
  | 'filled'
  | 'user_cancel'
  | 'bulk_cancel'
  | 'cancel_all_after'
  | 'cancel_on_disconnect'
  | 'key_revoked'
  | 'mode_switched'
  | 'ioc_unfilled'
  | 'fok_unfillable'
  | 'price_protection'
  | 'self_trade_prevented'
  | 'expired'
  | 'post_only_would_cross'
  | 'price_outside_collar'
  | 'no_reference_price'
  | 'open_order_limit'
  | 'market_halted'
  | 'market_closed'
  | 'account_suspended'
  | 'admin';

/** The state of an order after the command: one event an order and command, whatever the number of fills. */
export interface OrderEvent {
  readonly type: 'order';
  readonly order: number;
  readonly account: number;
  readonly instrument: number;
  readonly side: Side;
  readonly status: OrderStatus;
  readonly reason: ClosureReason | null;
  readonly filledUnits: number;
  readonly remainingUnits: number;
  /** Sum over fills of quantity x price. */
  readonly filledValueMicros: number;
  readonly feeMicros: number;
  /** Present on the event that first shows the order. */
  readonly placed?: {
    readonly type: OrderType;
    readonly quantityUnits: number;
    readonly priceTicks: number | null;
    readonly timeInForce: TimeInForce;
    /** Unix milliseconds; null for an order that does not expire. */
    readonly expiresAtMs: number | null;
    readonly postOnly: boolean;
    readonly selfTradePrevention: SelfTradePrevention;
    readonly autotransfer: boolean;
    readonly origin: OrderOrigin;
  };
  /** What an amend made of the order, on the event of that amend. */
  readonly amended?: {
    readonly quantityUnits: number;
    readonly priceTicks: number;
    readonly timeInForce: RestingTime;
    readonly expiresAtMs: number | null;
  };
}

/** A run of unit serials, inclusive on both ends. */
export interface UnitRange {
  readonly from: number;
  readonly to: number;
}

export interface TradeEvent {
  readonly type: 'trade';
  readonly trade: number;
  readonly instrument: number;
  /** Dense per market, public. */
  readonly marketTrade: number;
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly buyer: number;
  readonly seller: number;
  readonly buyOrder: number;
  readonly sellOrder: number;
  /** Side of the order that took; in an auction that of the newer order. */
  readonly aggressor: Side;
  /** Whether an auction made it: then both sides pay the maker's fee, and neither order took. */
  readonly isAuction: boolean;
  readonly buyerFeeMicros: number;
  readonly sellerFeeMicros: number;
  readonly units: readonly UnitRange[];
  /** Units left out of volume-weighted prices because two accounts trade too much with each other. */
  readonly excludedUnits: number;
}

/**
 * Two orders of one account met and did not trade: no trade, no volume. What became of them is in their own events, of which
 * one that only shrinks says nothing else of it.
 */
export interface SelfTradePreventedEvent {
  readonly type: 'self_trade_prevented';
  readonly instrument: number;
  readonly account: number;
  /** The order that came in; in an auction the newer one. */
  readonly incomingOrder: number;
  readonly restingOrder: number;
  readonly prevention: SelfTradePrevention;
}

export interface LevelEvent {
  readonly type: 'level';
  readonly instrument: number;
  readonly side: Side;
  readonly priceTicks: number;
  /** Absolute quantity after the command; 0 = the level is gone. */
  readonly quantityUnits: number;
  readonly orderCount: number;
}

/** A lot in a consumption account. `trade` 0 and `priceTicks` null: tokens without a cost basis. */
export interface LotEvent {
  readonly type: 'lot';
  readonly lot: number;
  readonly account: number;
  readonly instrument: number;
  readonly trade: number;
  readonly priceTicks: number | null;
  readonly issuer: number;
  /** Order of drawing inside the account: acquisition first, then first unit. */
  readonly acquisition: number;
  readonly unitFrom: number;
  readonly unitTo: number;
  readonly tokensTotal: number;
  readonly tokensRemaining: number;
  readonly status: 'open' | 'exhausted' | 'moved' | 'bought_back';
  /** Whether this event is the first sight of the lot. */
  readonly opened: boolean;
}

/** Tokens drawn from one lot by a settlement, in draw order. */
export interface DrawEvent {
  readonly type: 'draw';
  readonly lot: number;
  readonly trade: number;
  readonly issuer: number;
  readonly unitFrom: number;
  readonly unitTo: number;
  readonly tokens: number;
  readonly priceTicks: number | null;
  /** What the delivery released from the escrow of the drawn units. */
  readonly releasedMicros: number;
  /** What whoever served was paid, released escrow included. */
  readonly paidMicros: number;
}

/** A settlement ended; numbers receipts densely per account. */
export interface SettledEvent {
  readonly type: 'settled';
  readonly account: number;
  readonly instrument: number;
  readonly receipt: number;
  readonly tokens: number;
}

/** Escrow of one primary fill after the command. */
export interface EscrowEvent {
  readonly type: 'escrow';
  readonly range: number;
  readonly issuer: number;
  readonly instrument: number;
  readonly trade: number;
  readonly unitFrom: number;
  readonly unitTo: number;
  readonly escrowMicros: number;
  readonly tokensTotal: number;
  readonly tokensDelivered: number;
  readonly releasedMicros: number;
  readonly closed: boolean;
}

export interface MarketEvent {
  readonly type: 'market';
  readonly instrument: number;
  readonly state: TradingState;
  /** Unix milliseconds at which the auction ends by itself; null in every other state. */
  readonly endsAtMs: number | null;
  readonly opened: boolean;
}

/** A dead man's switch after the command. */
export interface TimerEvent {
  readonly type: 'timer';
  readonly account: number;
  /** null: the orders of every market. */
  readonly instrument: number | null;
  /** Unix milliseconds; null: disarmed, or gone off. */
  readonly triggersAtMs: number | null;
}

/** A run of units that was taken out of the world unsold. */
export interface RetiredEvent {
  readonly type: 'retired';
  readonly account: number;
  readonly instrument: number;
  readonly unitFrom: number;
  readonly unitTo: number;
}

export type ExchangeEvent =
  | {
      readonly type: 'account';
      readonly account: number;
      readonly suspended: boolean;
      readonly opened: boolean;
    }
  | MarketEvent
  | OrderEvent
  | TradeEvent
  | SelfTradePreventedEvent
  | LevelEvent
  | LotEvent
  | DrawEvent
  | SettledEvent
  | EscrowEvent
  | TimerEvent
  | RetiredEvent
  | {
      readonly type: 'issued';
      readonly account: number;
      readonly instrument: number;
      readonly unitFrom: number;
      readonly unitTo: number;
    }
  | {
      readonly type: 'transferred';
      readonly account: number;
      readonly instrument: number;
      readonly direction: 'issuance_to_trading' | 'trading_to_consumption' | 'consumption_to_trading';
      readonly origin: 'user' | 'auto_transfer' | 'auto_buy';
      readonly quantityUnits: number;
    };

/** The engine sequence that a market reached. */
export interface MarketSequence {
  readonly instrument: number;
  readonly sequence: number;
}

/** Why a command was refused. Nothing changed and nothing is recorded. */
export type RefusalCode =
  | 'account_not_found'
  | 'account_exists'
  | 'account_suspended'
  | 'market_not_found'
  | 'market_exists'
  | 'market_not_open'
  | 'validation_failed'
  | 'insufficient_balance'
  | 'order_not_found'
  /** The order is not resting any more. */
  | 'order_not_amendable'
  | 'post_only_would_cross'
  | 'price_outside_collar'
  | 'transfer_not_allowed'
  | 'lot_not_available'
  | 'supplier_not_approved';

export type Outcome =
  | {
      readonly ok: true;
      readonly events: readonly ExchangeEvent[];
      readonly legs: readonly Leg[];
      /** Engine sequence of the market the command names after the command; 0 where it names none. */
      readonly marketSeq: number;
      /** Every market that the command changed, by instrument: a suspension can end orders in many. */
      readonly marketSequences: readonly MarketSequence[];
      /** Sequence number of the order that was placed, where one was. */
      readonly order?: number;
    }
  | {
      readonly ok: false;
      readonly code: RefusalCode;
      readonly context?: Readonly<Record<string, number | string>>;
    };

export type Accepted = Extract<Outcome, { ok: true }>;
export type Refused = Extract<Outcome, { ok: false }>;
