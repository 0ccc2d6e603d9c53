import type { AmendOrder, Refused } from '@opengrid/exchange';
import type { JsonObject } from '@opengrid/wire';
import { recordedOf, refusal, submit } from '../engine.ts';
import { type ActingCall, fail, invalidField, parseBody, type TradingAnswer } from '../http/route.ts';
import { endedOrder, ownOrder } from './cancel.ts';
import { expiryOf, inRange } from './expiry.ts';
import { amendedOrder, type OrderRecord } from './order-record.ts';
import { AMEND_ORDER, type AmendOrderBody } from './order-schema.ts';
import { instrumentOf, type OrderDeps, type Prepared, requireTrader, shapeFor } from './place.ts';

export interface AmendRequest {
  readonly orderId: string;
  readonly body: JsonObject;
  /** Counts the amend against the limit of its market, which is known only once the order is. @throws GridFailure */
  readonly meter?: (instrumentNo: number) => void;
}

/** Changes a resting order in one step. @throws GridFailure: the order is then as it was. */
export async function amendOrder(
  deps: OrderDeps,
  call: ActingCall,
  request: AmendRequest,
): Promise<TradingAnswer> {
  const act = await prepareAmend(deps, call, request);
  return act();
}

/** Checks a change and finds its order. @throws GridFailure */
export async function prepareAmend(
  deps: OrderDeps,
  call: ActingCall,
  request: AmendRequest,
): Promise<Prepared> {
  requireTrader(call);
  const body = parseBody(AMEND_ORDER, request.body);
  const order = await deps.lookup.findToAmend(call.caller.accountNumber, request.orderId);
  if (order === undefined) throw fail('order_not_found');
  request.meter?.(order.instrumentNo);
  if (order.closedAtMs !== null) throw ended(order);
  const command = commandOf(deps, call, { order, body });
  return () => submitAmend(deps, call, { order, command });
}

/** A copy of a request whose command changed the order: its present state. */
export async function replayAmend(
  deps: OrderDeps,
  call: ActingCall,
  orderId: string,
): Promise<TradingAnswer> {
  const order = await ownOrder(deps, call, orderId);
  return { status: 200, body: { data: shapeFor(call, order, deps.instruments) } };
}

function commandOf(
  deps: OrderDeps,
  call: ActingCall,
  { order, body }: { order: OrderRecord; body: AmendOrderBody },
): AmendOrder {
  const { quantity, price, time_in_force: life, expire_at: expireAtMs } = body;
  const rules = deps.sequencer.exchange.rulesOf(order.instrumentNo);
  if (rules === undefined) throw fail('market_not_found');
  const { minOrderUnits, maxOrderUnits } = rules;
  if (quantity !== undefined && quantity !== null && (quantity < minOrderUnits || quantity > maxOrderUnits))
    throw invalidField('quantity', `takes ${minOrderUnits} to ${maxOrderUnits} units`);
  if ((life ?? null) === null && (expireAtMs ?? null) !== null && order.timeInForce !== 'gtd')
    throw invalidField('expire_at', 'is for gtd alone');
  const expiresAtMs =
    (life ?? null) === null && typeof expireAtMs === 'number'
      ? inRange(expireAtMs, call.nowMs)
      : expiryOf(life ?? '', expireAtMs ?? null, call.nowMs);
  return {
    kind: 'amend_order',
    account: order.accountNumber,
    order: order.orderSeq,
    ...(typeof quantity === 'number' ? { quantityUnits: quantity } : {}),
    ...(typeof price === 'number' ? { priceTicks: price } : {}),
    ...(typeof life === 'string' ? { timeInForce: life } : {}),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}

async function submitAmend(
  deps: OrderDeps,
  call: ActingCall,
  { order, command }: { order: OrderRecord; command: AmendOrder },
): Promise<TradingAnswer> {
  const result = await submit(deps.sequencer, call, { command });
  if (!result.ok) throw await refused(deps, call, { result, order });
  const amended = amendedOrder(order, result);
  if (amended === undefined) throw new Error('an amended order has an event');
  const recorded = { ...recordedOf(result), objectId: order.orderId };
  return { status: 200, body: { data: shapeFor(call, amended, deps.instruments) }, recorded };
}

async function refused(
  deps: OrderDeps,
  call: ActingCall,
  { result, order }: { result: Refused; order: OrderRecord },
): Promise<Error> {
  if (result.code === 'validation_failed')
    return invalidField('quantity', 'must be more than what is filled already');
  const isOver = result.code === 'order_not_found' || result.code === 'order_not_amendable';
  if (!isOver) return refusal(result, instrumentOf(deps.instruments, order));
  return ended(await endedOrder(deps, call, order.orderId));
}

function ended({ status }: OrderRecord): Error {
  return fail('order_not_amendable', { context: { status } });
}
