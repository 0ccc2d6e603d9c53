import type { OrderEvent } from '@opengrid/exchange';
import type { Committed } from '../../sequencer/types.ts';

/** What an amend can change. */
export type PlacedTerms = Pick<OrderRecord, 'quantityUnits' | 'priceTicks' | 'timeInForce' | 'expiresAtMs'>;

/** An order as the store has it. */
export interface OrderRecord {
  readonly orderSeq: number;
  readonly orderId: string;
  readonly accountNumber: number;
  readonly instrumentNo: number;
  readonly clientOrderId: string | null;
  readonly side: string;
  readonly type: string;
  readonly timeInForce: string;
  /** Unix milliseconds; null for an order that does not expire. */
  readonly expiresAtMs: number | null;
  readonly origin: string;
  readonly isPostOnly: boolean;
  readonly selfTradePrevention: string;
  readonly isAutotransfer: boolean;
  readonly priceTicks: number | null;
  readonly quantityUnits: number;
  readonly filledUnits: number;
  readonly remainingUnits: number;
  readonly filledValueMicros: number;
  readonly feeMicros: number;
  readonly status: string;
  readonly closureReason: string | null;
  readonly submittedAtMs: number;
  readonly updatedAtMs: number;
  readonly closedAtMs: number | null;
  /** Where it was read: what the order was placed with, if it was amended since. */
  readonly placed?: PlacedTerms | null;
}

export const ORDER_COLUMNS = `order_seq as "orderSeq", order_id as "orderId", account_number as "accountNumber",
  instrument_no as "instrumentNo", client_order_id as "clientOrderId", side, type, time_in_force as "timeInForce",
  expires_at_ms as "expiresAtMs", origin,
  is_post_only as "isPostOnly", self_trade_prevention as "selfTradePrevention", is_autotransfer as "isAutotransfer",
  price_ticks as "priceTicks", quantity_units as "quantityUnits", filled_units as "filledUnits",
  remaining_units as "remainingUnits", filled_value_micros as "filledValueMicros", fee_micros as "feeMicros", status,
  closure_reason as "closureReason", submitted_at_ms as "submittedAtMs", updated_at_ms as "updatedAtMs",
  closed_at_ms as "closedAtMs"`;

/** The order that a command placed, as of that command. */
export function placedOrder(committed: Committed, clientOrderId: string | null): OrderRecord | undefined {
  const { orderId, atMs } = committed;
  const event = eventOf(committed, committed.outcome.order);
  if (event?.placed === undefined || orderId === undefined) return undefined;
  const { placed } = event;
  return {
    orderSeq: event.order,
    orderId,
    accountNumber: event.account,
    instrumentNo: event.instrument,
    clientOrderId,
    side: event.side,
    type: placed.type,
    timeInForce: placed.timeInForce,
    expiresAtMs: placed.expiresAtMs,
    origin: placed.origin,
    isPostOnly: placed.postOnly,
    selfTradePrevention: placed.selfTradePrevention,
    isAutotransfer: placed.autotransfer,
    priceTicks: placed.priceTicks,
    quantityUnits: placed.quantityUnits,
    submittedAtMs: atMs,
    ...stateOf(event, atMs),
  };
}

/** An order as the command that amended it left it. */
export function amendedOrder(before: OrderRecord, committed: Committed): OrderRecord | undefined {
  const event = eventOf(committed, before.orderSeq);
  if (event?.amended === undefined) return undefined;
  return { ...before, ...event.amended, ...stateOf(event, committed.atMs) };
}

function eventOf({ outcome }: Committed, order: number | undefined): OrderEvent | undefined {
  const event = outcome.events.find((one) => one.type === 'order' && one.order === order);
  return event?.type === 'order' ? event : undefined;
}

/** What an event says of an order, as columns of its record. */
export function stateOf(event: OrderEvent, atMs: number) {
  const isResting = event.status === 'active' || event.status === 'partially_filled';
  return {
    filledUnits: event.filledUnits,
    remainingUnits: event.remainingUnits,
    filledValueMicros: event.filledValueMicros,
    feeMicros: event.feeMicros,
    status: event.status,
    closureReason: event.reason,
    updatedAtMs: atMs,
    closedAtMs: isResting ? null : atMs,
  };
}
