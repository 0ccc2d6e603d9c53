import type { PlaceOrder } from '@opengrid/exchange';
import { type ErrorCode, type GridError, gridError } from '@opengrid/wire';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import { fail, invalidField, parseBody, type TradingAnswer, type TradingCall } from '../http/route.ts';
import { findOrder, findOrderByClientId, type OrderRecord, placedOrder } from './order-record.ts';
import { PLACE_ORDER, type PlaceOrderBody } from './order-schema.ts';
import { orderShape } from './order-shape.ts';

export interface OrderDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
}

/** Reasons of rejected orders that the catalogue of errors spells in another way. */
const REJECTIONS: ReadonlyMap<string | null, ErrorCode> = new Map<string | null, ErrorCode>([
  ['market_halted', 'market_not_open'],
  ['market_closed', 'market_not_open'],
  ['post_only_would_cross', 'post_only_would_cross'],
  ['price_outside_collar', 'price_outside_collar'],
  ['no_reference_price', 'no_reference_price'],
  ['open_order_limit', 'open_order_limit'],
]);

/** Places orders, each client order id once for ever. */
export class OrderPlacement {
  private readonly deps: OrderDeps;
  /** Orders on their way to the store by account and client order id: a second one waits for the first. */
  private readonly inFlight = new Map<string, Promise<unknown>>();

  constructor(deps: OrderDeps) {
    this.deps = deps;
  }

  async place(call: TradingCall): Promise<TradingAnswer> {
    if (call.caller.mode === 'easy') throw fail('auto_mode_trading_restricted');
    const body = parseBody(PLACE_ORDER, call.body);
    const instrument = this.deps.instruments.find(body.market_id);
    if (instrument === undefined) throw fail('market_not_found');
    const command = this.commandOf(call, body, instrument);
    const clientOrderId = body.client_order_id ?? null;
    if (clientOrderId === null) return this.submit(call, command, { instrument, clientOrderId });
    return this.once(call, command, { instrument, clientOrderId });
  }

  /** The answer of an order that was placed before, from its present state. */
  async replay(call: TradingCall, recorded: RecordedCommand): Promise<TradingAnswer> {
    const order = await findOrder(this.deps.database, call.caller.accountNumber, recorded.objectId ?? '');
    if (order === undefined) throw fail('outcome_unknown');
    return this.answerOf(call, order, 201);
  }

  private commandOf(call: TradingCall, body: PlaceOrderBody, instrument: Instrument): PlaceOrder {
    const { instrumentNo } = instrument;
    const rules = this.deps.sequencer.exchange.rulesOf(instrumentNo);
    if (rules === undefined) throw fail('market_not_found');
    const { minOrderUnits, maxOrderUnits } = rules;
    if (body.quantity < minOrderUnits || body.quantity > maxOrderUnits)
      throw invalidField('quantity', `takes ${minOrderUnits} to ${maxOrderUnits} units`);
    const wanted = body.time_in_force ?? 'gtc';
    return {
      kind: 'place_order',
      account: call.caller.accountNumber,
      instrument: instrumentNo,
      side: body.side,
      type: body.type,
      quantityUnits: body.quantity,
      priceTicks: body.price ?? null,
      // Market orders never rest: a `gtc` that is sent with them means nothing.
      timeInForce: body.type === 'market' && wanted === 'gtc' ? 'ioc' : wanted,
      postOnly: body.post_only ?? false,
      selfTradePrevention: body.self_trade_prevention ?? 'cancel_newest',
      autotransfer: body.side === 'buy' && (body.should_autotransfer ?? false),
      origin: 'user',
    };
  }

  private async once(
    call: TradingCall,
    command: PlaceOrder,
    target: { instrument: Instrument; clientOrderId: string },
  ): Promise<TradingAnswer> {
    const key = `${command.account}:${target.clientOrderId}`;
    for (let running = this.inFlight.get(key); running !== undefined; running = this.inFlight.get(key)) {
      await running.catch(() => {});
    }
    const placing = this.lookThenSubmit(call, command, target);
    this.inFlight.set(key, placing);
    try {
      return await placing;
    } finally {
      this.inFlight.delete(key);
    }
  }

  private async lookThenSubmit(
    call: TradingCall,
    command: PlaceOrder,
    target: { instrument: Instrument; clientOrderId: string },
  ): Promise<TradingAnswer> {
    const { account } = command;
    const before = await findOrderByClientId(this.deps.database, account, target.clientOrderId);
    if (before === undefined) return this.submit(call, command, target);
    if (!isSameOrder(before, command)) throw fail('duplicate_client_order_id');
    const answer = this.answerOf(call, before, 200);
    return { ...answer, headers: { 'x-grid-idempotent-replay': 'true' } };
  }

  private async submit(
    call: TradingCall,
    command: PlaceOrder,
    { instrument, clientOrderId }: { instrument: Instrument; clientOrderId: string | null },
  ): Promise<TradingAnswer> {
    const result = await submit(this.deps.sequencer, call, { command, clientOrderId });
    if (!result.ok) throw refusal(result, instrument);
    const order = placedOrder(result, clientOrderId);
    if (order === undefined) throw new Error('a placed order has an event and an id');
    return { ...this.answerOf(call, order, 201), recorded: recordedOf(result) };
  }

  private answerOf(call: TradingCall, order: OrderRecord, status: number): TradingAnswer {
    const error = rejectionOf(order);
    if (error !== undefined) return { status: 422, error };
    return { status, body: { data: shapeFor(call, order, this.deps.instruments) } };
  }
}

/** The order as this caller sees it. */
export function shapeFor(
  call: TradingCall,
  order: OrderRecord,
  instruments: InstrumentCatalogue,
): Record<string, unknown> {
  const instrument = instruments.byNumber(order.instrumentNo);
  if (instrument === undefined) throw new Error('an order names an instrument of the catalogue');
  const traderId = call.credential === 'signature' ? call.caller.userId : undefined;
  return orderShape(order, instrument, traderId);
}

function rejectionOf(order: OrderRecord): GridError | undefined {
  if (order.status !== 'rejected') return undefined;
  const code = REJECTIONS.get(order.closureReason) ?? 'market_not_open';
  return gridError(code, { context: { order_id: order.orderId } });
}

function isSameOrder(order: OrderRecord, command: PlaceOrder): boolean {
  return (
    order.instrumentNo === command.instrument &&
    order.side === command.side &&
    order.type === command.type &&
    order.quantityUnits === command.quantityUnits &&
    order.priceTicks === command.priceTicks &&
    order.timeInForce === command.timeInForce &&
    order.isPostOnly === command.postOnly &&
    order.selfTradePrevention === command.selfTradePrevention &&
    order.isAutotransfer === command.autotransfer
  );
}
