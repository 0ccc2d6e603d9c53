import { formatIso, formatMoneyMicros, formatPriceTicks } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import type { OrderRecord } from './order-record.ts';

const MICROS_PER_TICK = 100;

/** Volume-weighted, rounded half up to the tick; null before the first fill. */
export function averagePrice(valueMicros: number, units: number): string | null {
  if (units === 0) return null;
  const divisor = BigInt(2 * MICROS_PER_TICK) * BigInt(units);
  const ticks = (2n * BigInt(valueMicros) + BigInt(MICROS_PER_TICK) * BigInt(units)) / divisor;
  return formatPriceTicks(Number(ticks));
}

/** The order as clients see it. `traderId` is left out for consumption keys. */
export function orderShape(
  order: OrderRecord,
  instrument: Instrument,
  traderId: string | undefined,
): Record<string, unknown> {
  const closedAt = order.closedAtMs === null ? null : formatIso(order.closedAtMs);
  return {
    order_id: order.orderId,
    id: order.orderId,
    market_id: instrument.marketId,
    market_name: `${instrument.symbol}/USD`,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    ...(traderId === undefined ? {} : { trader_id: traderId }),
    side: order.side,
    type: order.type,
    status: order.status,
    quantity: order.quantityUnits,
    size: order.quantityUnits,
    filled_quantity: order.filledUnits,
    remaining_quantity: order.remainingUnits,
    price: order.priceTicks === null ? null : formatPriceTicks(order.priceTicks),
    average_price: averagePrice(order.filledValueMicros, order.filledUnits),
    stop_price: null,
    fee: formatMoneyMicros(order.feeMicros),
    time_in_force: order.timeInForce,
    expire_at: order.expiresAtMs === null ? null : formatIso(order.expiresAtMs),
    post_only: order.isPostOnly,
    self_trade_prevention: order.selfTradePrevention,
    should_autotransfer: order.isAutotransfer,
    client_order_id: order.clientOrderId,
    origin: order.origin,
    closure_reason: order.closureReason,
    closed_at: closedAt,
    submitted_at: formatIso(order.submittedAtMs),
    created_at: formatIso(order.submittedAtMs),
    updated_at: formatIso(order.updatedAtMs),
  };
}
