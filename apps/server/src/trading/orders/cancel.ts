import { gridError } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import { fail, type TradingAnswer, type TradingCall } from '../http/route.ts';
import type { TradingSettings } from '../settings.ts';
import { findOrder, type OrderRecord } from './order-record.ts';
import { type OrderDeps, shapeFor } from './place.ts';

const CANCELLED: TradingAnswer = { status: 204 };

export interface CancelDeps extends OrderDeps {
  readonly settings: TradingSettings;
}

/** Cancels one order. Cancelling again is fine. */
export async function cancelOrder(deps: CancelDeps, call: TradingCall): Promise<TradingAnswer> {
  if (call.caller.mode === 'easy') throw fail('auto_mode_trading_restricted');
  const order = await ownOrder(deps, call);
  if (order.closedAtMs !== null) return endedAnswer(deps, call, order);
  const command = { kind: 'cancel_order', account: order.accountNumber, order: order.orderSeq } as const;
  const result = await submit(deps.sequencer, call, { command });
  if (result.ok) return { ...CANCELLED, recorded: recordedOf(result) };
  if (result.code !== 'order_not_found') throw refusal(result, instrumentOf(deps, order));
  // It ended between the read and the command: the store says how, as soon as that command is durable.
  return endedAnswer(deps, call, await settledOrder(deps, call));
}

/** A copy of a request whose command cancelled the order. */
export async function replayCancel(deps: CancelDeps, call: TradingCall): Promise<TradingAnswer> {
  await ownOrder(deps, call);
  return CANCELLED;
}

async function ownOrder(deps: OrderDeps, call: TradingCall): Promise<OrderRecord> {
  const { order_id: orderId = '' } = call.params;
  const order = await findOrder(deps.database, call.caller.accountNumber, orderId);
  if (order === undefined) throw fail('order_not_found');
  return order;
}

const SETTLE_TRIES = 50;
const SETTLE_PAUSE_MS = 20;

/** The engine is ahead of the store by at most one commit. */
async function settledOrder(deps: OrderDeps, call: TradingCall): Promise<OrderRecord> {
  for (let attempt = 0; attempt < SETTLE_TRIES; attempt += 1) {
    const order = await ownOrder(deps, call);
    if (order.closedAtMs !== null) return order;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
  }
  throw fail('engine_unavailable');
}

function instrumentOf({ instruments }: OrderDeps, order: OrderRecord): Instrument {
  const instrument = instruments.byNumber(order.instrumentNo);
  if (instrument === undefined) throw new Error('an order names an instrument of the catalogue');
  return instrument;
}

function endedAnswer(deps: CancelDeps, call: TradingCall, order: OrderRecord): TradingAnswer {
  if (order.status !== 'cancelled') {
    throw fail('order_not_cancellable', { context: { status: order.status } });
  }
  const isStrict = call.query.get('strict') === 'true' || call.headers['x-grid-strict'] === 'true';
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
