import { type GridError, GridFailure, gridError, type JsonObject } from '@opengrid/wire';
import type { InstrumentCatalogue } from '../../../ports/catalogue.ts';
import type { Caller } from '../../../ports/identity.ts';
import type { Telemetry } from '../../../ports/telemetry.ts';
import type { Sequencer } from '../../../sequencer/types.ts';
import type { Database } from '../../../store/database.ts';
import { engineError, refusal, submit } from '../../engine.ts';
import { toGridError } from '../../http/errors.ts';
import type { TradingRates } from '../../http/rates.ts';
import { type ActingCall, fail, invalidField, type RateClass, type TradingAnswer } from '../../http/route.ts';
import { prepareAmend } from '../../orders/amend.ts';
import { marketOf, prepareBulkCancel, prepareTimer, sideOf } from '../../orders/bulk.ts';
import { prepareCancel } from '../../orders/cancel.ts';
import type { OrderLookup } from '../../orders/order-lookup.ts';
import { type OrderRecord, stateOf } from '../../orders/order-record.ts';
import { instrumentOf, type OrderPlacement, type Prepared, shapeFor } from '../../orders/place.ts';
import type { TradingSettings } from '../../settings.ts';
import type { SocketCredential } from '../authentication.ts';
import { errorResponse } from '../failure.ts';
import type { AccountFeed } from '../feed/account-feed.ts';
import { isObject } from '../frames.ts';
import { deadlineOf } from './deadline.ts';

export interface OrderDeskDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly lookup: OrderLookup;
  readonly placement: OrderPlacement;
  readonly rates: TradingRates;
  readonly settings: TradingSettings;
  readonly telemetry: Telemetry;
  readonly clock: () => number;
}

/** What a command is answered with: the response as JSON text. */
export interface DeskReply {
  readonly status: 'ok' | 'error';
  readonly response: string;
}

type Preparation = (call: ActingCall, payload: JsonObject) => Promise<Prepared>;

const MAX_BATCH = 20;
const CLIENT_ORDER_ID = /^[A-Za-z0-9._:-]{1,64}$/;
/** The orders that the desk remembers for its end are looked through whenever this many have been added. */
const PRUNE_EVERY = 1_000;

/**
 * Order entry of one socket. What can be looked up is looked up at once for every command that arrives; into the engine they
 * go in the order in which they were received, without waiting for each other's commit.
 */
export class OrderDesk {
  private readonly deps: OrderDeskDeps;
  private readonly feed: AccountFeed;
  private readonly preparations: ReadonlyMap<string, Preparation>;
  /** Resolves when every earlier command is in the engine's queue or has been refused. */
  private turn: Promise<void> = Promise.resolve();
  private readonly running = new Set<Promise<unknown>>();
  /** Placements on their way by client order id: what names such an order waits until it is there. */
  private readonly placing = new Map<string, Promise<unknown>>();
  private readonly placed = new Set<string>();
  private pruneAt = PRUNE_EVERY;

  constructor(deps: OrderDeskDeps, feed: AccountFeed) {
    this.deps = deps;
    this.feed = feed;
    this.preparations = new Map<string, Preparation>([
      ['order.place', (call, payload) => this.preparePlace(call, payload)],
      ['order.amend', (call, payload) => this.prepareAmend(call, payload)],
      ['order.cancel', (call, payload) => this.prepareCancel(call, payload)],
      ['order.cancel_all', async (call, payload) => this.prepareCancelAll(call, payload)],
      ['order.cancel_all_after', async (call, payload) => this.prepareTimer(call, payload)],
    ]);
  }

  /** Carries a command out. Never rejects. */
  async handle(event: string, payload: JsonObject, credential: SocketCredential): Promise<DeskReply> {
    if (event !== 'order.batch') return this.one(event, payload, credential);
    const { commands } = payload;
    if (!Array.isArray(commands) || commands.length === 0 || commands.length > MAX_BATCH)
      return this.refused(invalidField('commands', `takes 1 to ${MAX_BATCH} commands`).error);
    const replies = await Promise.all(
      commands.map((command: unknown) => this.ofBatch(command, payload, credential)),
    );
    const results = replies.map(({ status, response }) => `{"status":"${status}","response":${response}}`);
    return { status: 'ok', response: `{"data":[${results.join(',')}]}` };
  }

  /** The socket has ended: waits for what is under way, and cancels what was placed to end with it. */
  async cancelPlaced(account: number): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
    const orders = [...this.placed].flatMap((orderId) => this.feed.orders.find({ orderId })?.orderSeq ?? []);
    if (orders.length === 0) return;
    await this.deps.sequencer.submit({
      kind: 'cancel_orders',
      account,
      orders,
      reason: 'cancel_on_disconnect',
    });
  }

  private ofBatch(
    command: unknown,
    { sent_at, recv_window }: JsonObject,
    credential: SocketCredential,
  ): Promise<DeskReply> {
    const isCommand = isObject(command) && typeof command.event === 'string' && isObject(command.payload);
    if (!isCommand || !this.preparations.has(command.event as string))
      return Promise.resolve(this.refused(invalidField('event', 'is not a command').error));
    const payload = Object.assign(Object.create(null), { sent_at, recv_window }, command.payload);
    return this.one(command.event as string, payload as JsonObject, credential);
  }

  private one(event: string, payload: JsonObject, credential: SocketCredential): Promise<DeskReply> {
    const running = this.run(event, payload, credential);
    const { client_order_id: clientOrderId } = payload;
    const name = event === 'order.place' && typeof clientOrderId === 'string' ? clientOrderId : undefined;
    this.running.add(running);
    if (name !== undefined) this.placing.set(name, running);
    return running.finally(() => {
      this.running.delete(running);
      if (name !== undefined && this.placing.get(name) === running) this.placing.delete(name);
    });
  }

  private async run(event: string, payload: JsonObject, credential: SocketCredential): Promise<DeskReply> {
    const before = this.turn;
    let pass = (): void => {};
    this.turn = new Promise((resolve) => {
      pass = resolve;
    });
    try {
      // The checks begin at once; only what changes something waits for its turn.
      const preparing = this.prepare(event, payload, credential);
      preparing.catch(() => {});
      await before;
      const act = await preparing;
      const answering = act();
      pass();
      return this.answer(await answering);
    } catch (error) {
      return this.refused(engineError(error) ?? toGridError(error, this.deps.telemetry));
    } finally {
      pass();
    }
  }

  private async prepare(event: string, payload: JsonObject, credential: SocketCredential): Promise<Prepared> {
    const nowMs = this.deps.clock();
    const notAfterMs = deadlineOf(payload, nowMs);
    const call: ActingCall = {
      caller: callerOf(credential),
      credential: 'signature',
      nowMs,
      ...(notAfterMs === undefined ? {} : { notAfterMs }),
      ...(credential.cancelsOnDisconnect ? { cancelsOnDisconnect: true } : {}),
    };
    const preparation = this.preparations.get(event);
    if (preparation === undefined) throw new Error('the connection knows the commands of the desk');
    return preparation(call, payload);
  }

  private count({ caller }: ActingCall, rate: RateClass, key: string): void {
    const decision = this.deps.rates.take(rate, `${caller.accountNumber}:${key}`);
    if (!decision.isAllowed) throw fail('rate_limited', { retryAfterSeconds: decision.retryAfterSeconds });
  }

  private async preparePlace(call: ActingCall, payload: JsonObject): Promise<Prepared> {
    const { market_id: reference, client_order_id: clientOrderId } = payload;
    const instrument = typeof reference === 'string' ? this.deps.instruments.find(reference) : undefined;
    this.count(call, 'order', String(instrument?.instrumentNo ?? 'unknown'));
    if (typeof clientOrderId !== 'string') throw invalidField('client_order_id', 'is required');
    const act = await this.deps.placement.prepare(call, payload);
    return async () => {
      const answer = await act();
      if (answer.status === 201 && call.cancelsOnDisconnect === true)
        this.remember(answer.recorded?.objectId ?? null);
      return answer;
    };
  }

  private remember(orderId: string | null): void {
    if (orderId === null || this.feed.orders.find({ orderId }) === undefined) return;
    this.placed.add(orderId);
    if (this.placed.size < this.pruneAt) return;
    for (const one of this.placed) {
      if (this.feed.orders.find({ orderId: one }) === undefined) this.placed.delete(one);
    }
    this.pruneAt = this.placed.size + PRUNE_EVERY;
  }

  private async prepareAmend(call: ActingCall, payload: JsonObject): Promise<Prepared> {
    const order = await this.orderOf(call, payload);
    const meter = (instrumentNo: number): void => this.count(call, 'order', String(instrumentNo));
    return prepareAmend(this.deps, call, { orderId: order.orderId, body: payload, meter });
  }

  private async prepareCancel(call: ActingCall, payload: JsonObject): Promise<Prepared> {
    this.count(call, 'cancel', '');
    const { orderId } = await this.orderOf(call, payload);
    const order = this.feed.orders.find({ orderId });
    if (order === undefined || call.caller.mode === 'easy') return this.prepareSlowly(call, orderId);
    return () => this.cancel(call, order);
  }

  /** The order has ended: the store says how. */
  private prepareSlowly(call: ActingCall, orderId: string): Promise<Prepared> {
    const settings = { ...this.deps.settings, alreadyCancelledStatus: 200 } as const;
    return prepareCancel({ ...this.deps, settings }, call, { orderId, isStrict: false });
  }

  private async cancel(call: ActingCall, order: OrderRecord): Promise<TradingAnswer> {
    const command = { kind: 'cancel_order', account: order.accountNumber, order: order.orderSeq } as const;
    const result = await submit(this.deps.sequencer, call, { command });
    if (result.ok) {
      const event = result.outcome.events.find((one) => one.type === 'order' && one.order === order.orderSeq);
      const after = event?.type === 'order' ? { ...order, ...stateOf(event, result.atMs) } : order;
      return { status: 200, body: { data: shapeFor(call, after, this.deps.instruments) } };
    }
    if (result.code !== 'order_not_found') throw refusal(result, instrumentOf(this.deps.instruments, order));
    // It ended between the lookup and the command.
    const act = await this.prepareSlowly(call, order.orderId);
    return act();
  }

  private prepareCancelAll(call: ActingCall, payload: JsonObject): Prepared {
    this.count(call, 'cancel', '');
    const {
      market_id: reference = null,
      side = null,
      sent_at: _at,
      recv_window: _window,
      ...others
    } = payload;
    // What is misspelt must not cancel more than was meant.
    if (Object.keys(others).length > 0) throw invalidField('payload', 'takes market_id and side');
    if (reference !== null && typeof reference !== 'string')
      throw invalidField('market_id', 'takes a market');
    if (side !== null && typeof side !== 'string') throw invalidField('side', 'takes buy or sell');
    const instrument = reference === null ? undefined : marketOf(this.deps, reference);
    return prepareBulkCancel(this.deps, call, { instrument, side: sideOf(side) });
  }

  private prepareTimer(call: ActingCall, payload: JsonObject): Prepared {
    this.count(call, 'cancel', '');
    return prepareTimer(this.deps, call, payload);
  }

  /** The order that a payload names, open or not. @throws GridFailure */
  private async orderOf(call: ActingCall, payload: JsonObject): Promise<{ orderId: string }> {
    const { order_id: orderId = null, client_order_id: clientOrderId = null } = payload;
    if (typeof orderId === 'string') return { orderId };
    if (orderId !== null || typeof clientOrderId !== 'string' || !CLIENT_ORDER_ID.test(clientOrderId))
      throw invalidField('order_id', 'or client_order_id is required');
    await this.placing.get(clientOrderId);
    const order =
      this.feed.orders.find({ clientOrderId }) ??
      (await this.deps.lookup.findByClientId(call.caller.accountNumber, clientOrderId));
    if (order === undefined) throw fail('order_not_found');
    return order;
  }

  private answer({ error, body, headers }: TradingAnswer): DeskReply {
    if (error !== undefined) return this.refused(error);
    const isReplay = headers?.['x-grid-idempotent-replay'] === 'true';
    const replayed = isReplay ? { idempotent_replay: true } : {};
    return { status: 'ok', response: JSON.stringify({ ...(body as object), ...replayed }) };
  }

  private refused(error: GridError): DeskReply {
    return { status: 'error', response: errorResponse(error, this.deps.clock()) };
  }
}

/** Standing of the account and the right to trade, as they are now. @throws GridFailure */
function callerOf(credential: SocketCredential): Caller {
  const admitted = credential.admit();
  if (!admitted.ok) throw new GridFailure(admitted.error);
  if (credential.isForOrders && admitted.caller.scopes.has('trade:write')) return admitted.caller;
  throw new GridFailure(gridError('insufficient_scope', { requiredScope: 'trade:write' }));
}
