import { gridError } from '@opengrid/wire';
import { recordedOf, refusal, submit } from '../engine.ts';
import { type ActingCall, fail, type TradingAnswer } from '../http/route.ts';
import type { TradingSettings } from '../settings.ts';
import type { OrderRecord } from './order-record.ts';
import { instrumentOf, type OrderDeps, type Prepared, requireTrader, shapeFor } from './place.ts';

const CANCELLED: TradingAnswer = { status: 204 };

export interface CancelDeps extends OrderDeps {
  readonly settings: TradingSettings;
}

export interface CancelRequest {
  readonly orderId: string;
  /** Answer `order_already_cancelled` with 409. */
  readonly isStrict: boolean;
}

/** Cancels one order. Cancelling again is fine. @throws GridFailure */
export async function cancelOrder(
  deps: CancelDeps,
  call: ActingCall,
  request: CancelRequest,
): Promise<TradingAnswer> {
  const act = await prepareCancel(deps, call, request);
  return act();
}

/** Finds the order of a cancel. @throws GridFailure */
export async function prepareCancel(
  deps: CancelDeps,
  call: ActingCall,
  request: CancelRequest,
): Promise<Prepared> {
  requireTrader(call);
  const order = await ownOrder(deps, call, request.orderId);
  if (order.closedAtMs === null) return () => submitCancel(deps, call, { ...request, order });
  const answer = endedAnswer(deps, call, { ...request, order });
  return async () => answer;
}

async function submitCancel(
  deps: CancelDeps,
  call: ActingCall,
  request: CancelRequest & { order: OrderRecord },
): Promise<TradingAnswer> {
  const { order } = request;
  const command = { kind: 'cancel_order', account: order.accountNumber, order: order.orderSeq } as const;
  const result = await submit(deps.sequencer, call, { command });
  if (result.ok) return { ...CANCELLED, recorded: recordedOf(result) };
  if (result.code !== 'order_not_found') throw refusal(result, instrumentOf(deps.instruments, order));
  // It ended between the read and the command: the store says how, as soon as that command is durable.
  return endedAnswer(deps, call, { ...request, order: await endedOrder(deps, call, request.orderId) });
}

/** A copy of a request whose command cancelled the order. */
export async function replayCancel(
  deps: OrderDeps,
  call: ActingCall,
  orderId: string,
): Promise<TradingAnswer> {
  await ownOrder(deps, call, orderId);
  return CANCELLED;
}

/** The caller's order. @throws GridFailure `order_not_found`, also for another account's. */
export async function ownOrder(deps: OrderDeps, call: ActingCall, orderId: string): Promise<OrderRecord> {
  const order = await deps.lookup.find(call.caller.accountNumber, orderId);
  if (order === undefined) throw fail('order_not_found');
  return order;
}

const SETTLE_TRIES = 50;
const SETTLE_PAUSE_MS = 20;

/** An order that the engine has ended, once that is durable: the engine is ahead of the store by at most one commit. */
export async function endedOrder(deps: OrderDeps, call: ActingCall, orderId: string): Promise<OrderRecord> {
  for (let attempt = 0; attempt < SETTLE_TRIES; attempt += 1) {
    const order = await ownOrder(deps, call, orderId);
    if (order.closedAtMs !== null) return order;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
  }
  throw fail('engine_unavailable');
}

function endedAnswer(
  deps: CancelDeps,
  call: ActingCall,
  { order, isStrict }: { order: OrderRecord; isStrict: boolean },
): TradingAnswer {
  if (order.status !== 'cancelled') {
    throw fail('order_not_cancellable', { context: { status: order.status } });
  }
  const status = isStrict ? 409 : deps.settings.alreadyCancelledStatus;
  if (status === 409) throw fail('order_already_cancelled');
  const error = gridError('order_already_cancelled');
  if (status === 500) return { status, body: { errors: { ...legacyErrors(error.code) } } };
  return { status: 200, body: { data: shapeFor(call, order, deps.instruments), already_cancelled: true } };
}

/** Old clients take a 500 with this detail for success. */
function legacyErrors(code: string): Record<string, string> {
  return { detail: code, message: 'The order has already been cancelled.', code };
}
