import type { Committed } from '../../sequencer/types.ts';
import type { Queryable } from '../../store/database.ts';

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
}

export const ORDER_COLUMNS = `order_seq as "orderSeq", order_id as "orderId", account_number as "accountNumber",
  instrument_no as "instrumentNo", client_order_id as "clientOrderId", side, type, time_in_force as "timeInForce", origin,
  is_post_only as "isPostOnly", self_trade_prevention as "selfTradePrevention", is_autotransfer as "isAutotransfer",
  price_ticks as "priceTicks", quantity_units as "quantityUnits", filled_units as "filledUnits",
  remaining_units as "remainingUnits", filled_value_micros as "filledValueMicros", fee_micros as "feeMicros", status,
  closure_reason as "closureReason", submitted_at_ms as "submittedAtMs", updated_at_ms as "updatedAtMs",
  closed_at_ms as "closedAtMs"`;

/** What can be an id at all. Anything else is not found, without asking the store. */
const ID = /^[A-Za-z0-9._:-]{1,64}$/;

/** An order of this account by its id; another account's is not found. */
export async function findOrder(
  store: Queryable,
  accountNumber: number,
  orderId: string,
): Promise<OrderRecord | undefined> {
  if (!ID.test(orderId)) return undefined;
  const { rows } = await store.query<OrderRecord>({
    name: 'order_by_id',
    text: `select ${ORDER_COLUMNS} from orders where order_id = $1 and account_number = $2`,
    values: [orderId, accountNumber],
  });
  return rows[0];
}

export async function findOrderByClientId(
  store: Queryable,
  accountNumber: number,
  clientOrderId: string,
): Promise<OrderRecord | undefined> {
  if (!ID.test(clientOrderId)) return undefined;
  const { rows } = await store.query<OrderRecord>({
    name: 'order_by_client_id',
    text: `select ${ORDER_COLUMNS} from orders where account_number = $1 and client_order_id = $2`,
    values: [accountNumber, clientOrderId],
  });
  return rows[0];
}

/** The order that a command placed, as of that command. */
export function placedOrder(committed: Committed, clientOrderId: string | null): OrderRecord | undefined {
  const { outcome, orderId, atMs } = committed;
  const event = outcome.events.find((one) => one.type === 'order' && one.order === outcome.order);
  if (event?.type !== 'order' || event.placed === undefined || orderId === undefined) return undefined;
  const { placed } = event;
  const isResting = event.status === 'active' || event.status === 'partially_filled';
  return {
    orderSeq: event.order,
    orderId,
    accountNumber: event.account,
    instrumentNo: event.instrument,
    clientOrderId,
    side: event.side,
    type: placed.type,
    timeInForce: placed.timeInForce,
    origin: placed.origin,
    isPostOnly: placed.postOnly,
    selfTradePrevention: placed.selfTradePrevention,
    isAutotransfer: placed.autotransfer,
    priceTicks: placed.priceTicks,
    quantityUnits: placed.quantityUnits,
    filledUnits: event.filledUnits,
    remainingUnits: event.remainingUnits,
    filledValueMicros: event.filledValueMicros,
    feeMicros: event.feeMicros,
    status: event.status,
    closureReason: event.reason,
    submittedAtMs: atMs,
    updatedAtMs: atMs,
    closedAtMs: isResting ? null : atMs,
  };
}
