import type { PlaceOrder } from '@opengrid/exchange';
import { type ErrorCode, type GridError, gridError, type JsonObject } from '@opengrid/wire';
import type { Instrument, InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { RecordedCommand } from '../auth/replays.ts';
import { recordedOf, refusal, submit } from '../engine.ts';
import { type ActingCall, fail, invalidField, parseBody, type TradingAnswer } from '../http/route.ts';
import { expiryOf } from './expiry.ts';
import type { OrderLookup } from './order-lookup.ts';
import { type OrderRecord, placedOrder } from './order-record.ts';
import { PLACE_ORDER, type PlaceOrderBody } from './order-schema.ts';
import { orderShape } from './order-shape.ts';

export interface OrderDeps {
  readonly sequencer: Sequencer;
  readonly instruments: InstrumentCatalogue;
  readonly lookup: OrderLookup;
}

/**
 * A checked command. Calling it puts the command into the engine's queue before it returns, so that commands happen in the
 * order of these calls, whatever the checks had to wait for. It must be called once.
 */
export type Prepared = () => Promise<TradingAnswer>;

/** Reasons of rejected orders that the catalogue of errors spells in another way. */
const REJECTIONS: ReadonlyMap<string | null, ErrorCode> = new Map<string | null, ErrorCode>([
  ['market_halted', 'market_not_open'],
  ['market_closed', 'market_not_open'],
  ['post_only_would_cross', 'post_only_would_cross'],
  ['price_outside_collar', 'price_outside_collar'],
  ['no_reference_price', 'no_reference_price'],
  ['open_order_limit', 'open_order_limit'],
]);

interface Target {
  readonly instrument: Instrument;
  readonly clientOrderId: string | null;
}

/** In easy mode the exchange buys for the account, and nothing else changes its orders. */
export function requireTrader({ caller }: ActingCall): void {
  if (caller.mode === 'easy') throw fail('auto_mode_trading_restricted');
}

/** Places orders, each client order id once for ever. */
export class OrderPlacement {
  private readonly deps: OrderDeps;
  /** Orders on their way to the store by account and client order id: a second one waits for the first. */
  private readonly inFlight = new Map<string, Promise<void>>();

  constructor(deps: OrderDeps) {
    this.deps = deps;
  }

  /** @throws GridFailure for what is refused before an order is recorded. */
  async place(call: ActingCall, body: JsonObject): Promise<TradingAnswer> {
    const act = await this.prepare(call, body);
    return act();
  }

  /** Checks an order and looks its client order id up. @throws GridFailure */
  async prepare(call: ActingCall, fields: JsonObject): Promise<Prepared> {
    requireTrader(call);
    const body = parseBody(PLACE_ORDER, fields);
    const instrument = this.deps.instruments.find(body.market_id);
    if (instrument === undefined) throw fail('market_not_found');
    const command = this.commandOf(call, body, instrument);
    const clientOrderId = body.client_order_id ?? null;
    if (clientOrderId === null) return () => this.submit(call, command, { instrument, clientOrderId });
    return this.prepareOnce(call, command, { instrument, clientOrderId });
  }

  /** The answer of an order that was placed before, from its present state. */
  async replay(call: ActingCall, recorded: RecordedCommand): Promise<TradingAnswer> {
    const order = await this.deps.lookup.find(call.caller.accountNumber, recorded.objectId ?? '');
    if (order === undefined) throw fail('outcome_unknown');
    return this.answerOf(call, order, 201);
  }

  private commandOf(call: ActingCall, body: PlaceOrderBody, instrument: Instrument): PlaceOrder {
    const { instrumentNo } = instrument;
    const rules = this.deps.sequencer.exchange.rulesOf(instrumentNo);
    if (rules === undefined) throw fail('market_not_found');
    const { minOrderUnits, maxOrderUnits } = rules;
    if (body.quantity < minOrderUnits || body.quantity > maxOrderUnits)
      throw invalidField('quantity', `takes ${minOrderUnits} to ${maxOrderUnits} units`);
    const wanted = body.time_in_force ?? 'gtc';
    // Market orders never rest: a life that is sent with them means nothing.
    const timeInForce = body.type === 'market' && wanted !== 'fok' ? 'ioc' : wanted;
    const expiresAtMs = expiryOf(timeInForce, body.expire_at ?? null, call.nowMs);
    return {
      kind: 'place_order',
      account: call.caller.accountNumber,
      instrument: instrumentNo,
      side: body.side,
      type: body.type,
      quantityUnits: body.quantity,
      priceTicks: body.price ?? null,
      timeInForce,
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      postOnly: body.post_only ?? false,
      selfTradePrevention: body.self_trade_prevention ?? 'cancel_newest',
      autotransfer: body.side === 'buy' && (body.should_autotransfer ?? false),
      origin: 'user',
    };
  }

  private async prepareOnce(
    call: ActingCall,
    command: PlaceOrder,
    target: Target & { clientOrderId: string },
  ): Promise<Prepared> {
    const key = `${command.account}:${target.clientOrderId}`;
    for (let running = this.inFlight.get(key); running !== undefined; running = this.inFlight.get(key)) {
      await running;
    }
    const release = this.hold(key);
    try {
      const before = await this.deps.lookup.findByClientId(command.account, target.clientOrderId);
      if (before === undefined) return () => this.submit(call, command, target).finally(release);
      release();
      if (!isSameOrder(before, command)) throw fail('duplicate_client_order_id');
      const answer = this.answerOf(call, before, 200);
      return async () => ({ ...answer, headers: { 'x-grid-idempotent-replay': 'true' } });
    } catch (error) {
      release();
      throw error;
    }
  }

  private hold(key: string): () => void {
    let end = (): void => {};
    const running = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.inFlight.set(key, running);
    return () => {
      if (this.inFlight.get(key) === running) this.inFlight.delete(key);
      end();
    };
  }

  private async submit(call: ActingCall, command: PlaceOrder, target: Target): Promise<TradingAnswer> {
    const { instrument, clientOrderId } = target;
    const result = await submit(this.deps.sequencer, call, { command, clientOrderId });
    if (!result.ok) throw refusal(result, instrument);
    const order = placedOrder(result, clientOrderId);
    if (order === undefined) throw new Error('a placed order has an event and an id');
    return { ...this.answerOf(call, order, 201), recorded: recordedOf(result) };
  }

  private answerOf(call: ActingCall, order: OrderRecord, status: number): TradingAnswer {
    const error = rejectionOf(order);
    if (error !== undefined) return { status: 422, error };
    return { status, body: { data: shapeFor(call, order, this.deps.instruments) } };
  }
}

/** The order as this caller sees it. */
export function shapeFor(
  call: ActingCall,
  order: OrderRecord,
  instruments: InstrumentCatalogue,
): Record<string, unknown> {
  const traderId = call.credential === 'signature' ? call.caller.userId : undefined;
  return orderShape(order, instrumentOf(instruments, order), traderId);
}

export function instrumentOf(instruments: InstrumentCatalogue, order: OrderRecord): Instrument {
  const instrument = instruments.byNumber(order.instrumentNo);
  if (instrument === undefined) throw new Error('an order names an instrument of the catalogue');
  return instrument;
}

function rejectionOf(order: OrderRecord): GridError | undefined {
  if (order.status !== 'rejected') return undefined;
  const code = REJECTIONS.get(order.closureReason) ?? 'market_not_open';
  return gridError(code, { context: { order_id: order.orderId } });
}

function isSameOrder(order: OrderRecord, command: PlaceOrder): boolean {
  const placed = order.placed ?? order;
  return (
    order.instrumentNo === command.instrument &&
    order.side === command.side &&
    order.type === command.type &&
    placed.quantityUnits === command.quantityUnits &&
    placed.priceTicks === command.priceTicks &&
    placed.timeInForce === command.timeInForce &&
    // A day order that is sent again on another day is the same order.
    (placed.timeInForce === 'day' || placed.expiresAtMs === (command.expiresAtMs ?? null)) &&
    order.isPostOnly === command.postOnly &&
    order.selfTradePrevention === command.selfTradePrevention &&
    order.isAutotransfer === command.autotransfer
  );
}
