import { ConnectionError } from '../core/error.ts';
import type { ServerClock } from '../internal/clock.ts';
import { randomId } from '../internal/random-id.ts';
import type {
  AmendOrderParams,
  CancelAllAfterParams,
  CancelAllParams,
  CancelAllResult,
  CancelResult,
  CancelTimer,
  Order,
  PlaceOrderParams,
} from '../resources/orders.ts';
import { type LiveError, liveErrorOf, OutcomeUnknownError } from './errors.ts';
import { type Fields, fieldsOf, isFields } from './frame.ts';
import type { Session } from './session.ts';

/** An order by the id of either side. */
export type OrderReference = { order_id: string } | { client_order_id: string };

/** One command of a batch. */
export type BatchCommand =
  | { event: 'order.place'; payload: PlaceOrderParams }
  | { event: 'order.amend'; payload: OrderReference & AmendOrderParams }
  | { event: 'order.cancel'; payload: OrderReference }
  | { event: 'order.cancel_all'; payload: CancelAllParams }
  | { event: 'order.cancel_all_after'; payload: CancelAllAfterParams };

/** Outcome of one command of a batch: its `data`, or why it was refused. */
export type BatchOutcome = { ok: true; data: Record<string, unknown> } | { ok: false; error: LiveError };

export type LiveOrdersParts = {
  session: () => Session;
  clock: ServerClock;
  receiveWindowMs: number | undefined;
};

const clientOrderIdOf = ({ client_order_id: id }: Fields): string | null =>
  typeof id === 'string' ? id : null;

/**
 * Order entry over the socket. Commands are sent without waiting for the one before and executed in their order.
 * A `ConnectionError` means that nothing was sent, an `OutcomeUnknownError` that it was but nobody answered.
 */
export class LiveOrders {
  readonly #parts: LiveOrdersParts;

  constructor(parts: LiveOrdersParts) {
    this.#parts = parts;
  }

  /** Places an order; a client order id is made up where none is given. @throws LiveError, OutcomeUnknownError */
  async place(params: PlaceOrderParams): Promise<Order> {
    return (await this.#send('order.place', named('order.place', { ...params }))).data as Order;
  }

  /** Changes an order in one step. */
  async amend(order: OrderReference, params: AmendOrderParams): Promise<Order> {
    return (await this.#send('order.amend', named('order.amend', { ...order, ...params }))).data as Order;
  }

  /** Cancels an order. One that was cancelled before is no error. */
  async cancel(order: OrderReference): Promise<CancelResult> {
    const response = await this.#send('order.cancel', { ...order });
    const data = isFields(response.data) ? (response.data as Order) : null;
    return { already_cancelled: response.already_cancelled === true, order: data };
  }

  async cancelAll(params: CancelAllParams = {}): Promise<CancelAllResult> {
    return (await this.#send('order.cancel_all', { ...params })).data as CancelAllResult;
  }

  /** Sets, renews or disarms the dead man's switch of the account or of one market. */
  async cancelAllAfter(params: CancelAllAfterParams): Promise<CancelTimer> {
    return (await this.#send('order.cancel_all_after', { ...params })).data as CancelTimer;
  }

  /** Sends up to 20 commands at once. They are executed in their order, each for itself. */
  async batch(commands: readonly BatchCommand[]): Promise<BatchOutcome[]> {
    const prepared = commands.map(({ event, payload }) => ({ event, payload: named(event, { ...payload }) }));
    const { data } = await this.#send('order.batch', { commands: prepared });
    return (Array.isArray(data) ? data : []).map(outcomeOf);
  }

  async #send(event: string, payload: Fields): Promise<Fields> {
    // Outside of the attempt: without a session nothing is sent, and that is known.
    const session = this.#parts.session();
    try {
      return await session.request(event, { ...payload, ...this.#window() });
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      const message = 'The command was sent over the socket, and it is not known what became of it.';
      throw new OutcomeUnknownError(message, clientOrderIdOf(payload));
    }
  }

  /** How long the command may take, counted from now by the server's clock. */
  #window(): Fields {
    const { receiveWindowMs, clock } = this.#parts;
    if (receiveWindowMs === undefined) return {};
    return { recv_window: receiveWindowMs, sent_at: Math.floor(clock.nowMs()) };
  }
}

/** A command as it is sent: times as text, and an order under a name, so that it can be asked for. */
const named = (event: string, payload: Fields): Fields => {
  const { expire_at: expireAt } = payload;
  const time = expireAt instanceof Date ? { expire_at: expireAt.toISOString() } : {};
  const name = event === 'order.place' ? { client_order_id: payload.client_order_id ?? randomId() } : {};
  return { ...payload, ...time, ...name };
};

/** An entry of a batch's answer is a reply without its frame. */
const outcomeOf = (entry: unknown): BatchOutcome => {
  const { status, response, ...rest } = fieldsOf(entry);
  const answer = isFields(response) ? response : rest;
  const isRefused = status === 'error' || typeof answer.reason === 'string';
  if (isRefused) return { ok: false, error: liveErrorOf(answer) };
  return { ok: true, data: isFields(answer.data) ? answer.data : answer };
};
