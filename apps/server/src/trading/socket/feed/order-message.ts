import { formatIso, formatPriceTicks } from '@opengrid/wire';
import type { Instrument } from '../../../ports/catalogue.ts';
import { type AccountOwner, accountIdOf } from '../../accounts/account-ids.ts';
import type { OrderRecord } from '../../orders/order-record.ts';
import { averagePrice } from '../../orders/order-shape.ts';

/** `payload.data` of `new_order` and `order_update`. Quantities are strings here. */
export function orderMessage(
  order: OrderRecord,
  { instrument, owner, userSeq }: { instrument: Instrument; owner: AccountOwner; userSeq: number },
): Record<string, unknown> {
  const average = averagePrice(order.filledValueMicros, order.filledUnits);
  return {
    order_id: order.orderId,
    ...(order.clientOrderId === null ? {} : { client_order_id: order.clientOrderId }),
    market_id: instrument.marketId,
    trading_account_id: accountIdOf('trading_account', owner, order.instrumentNo),
    side: order.side,
    order_type: order.type,
    status: order.status,
    original_quantity: String(order.quantityUnits),
    remaining_quantity: String(order.remainingUnits),
    filled_quantity: String(order.filledUnits),
    price: order.priceTicks === null ? '0' : formatPriceTicks(order.priceTicks),
    ...(average === null ? {} : { average_fill_price: average }),
    created_at: formatIso(order.submittedAtMs),
    updated_at: formatIso(order.updatedAtMs),
    time_in_force: order.timeInForce,
    closure_reason: order.closureReason,
    user_seq: userSeq,
  };
}
