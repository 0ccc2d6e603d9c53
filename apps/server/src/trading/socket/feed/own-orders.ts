import type { OrderEvent } from '@opengrid/exchange';
import type { Committed } from '../../../sequencer/types.ts';
import type { Queryable } from '../../../store/database.ts';
import { ORDER_COLUMNS, type OrderRecord, placedOrder, stateOf } from '../../orders/order-record.ts';

/** The open orders of one account, followed from commit to commit. */
export class OwnOrders {
  private readonly bySeq = new Map<number, OrderRecord>();
  private readonly seqById = new Map<string, number>();
  private readonly seqByClientId = new Map<string, number>();

  /** Reads what is open now. */
  async load(store: Queryable, accountNumber: number): Promise<void> {
    const { rows } = await store.query<OrderRecord>({
      name: 'open_orders_of_account',
      text: `select ${ORDER_COLUMNS} from orders where account_number = $1 and closed_at_ms is null`,
      values: [accountNumber],
    });
    for (const order of rows) this.set(order);
  }

  get(orderSeq: number): OrderRecord | undefined {
    return this.bySeq.get(orderSeq);
  }

  /** By public id or by the client's own. */
  find(reference: { orderId?: string; clientOrderId?: string }): OrderRecord | undefined {
    const { orderId, clientOrderId } = reference;
    const seq =
      orderId === undefined ? this.seqByClientId.get(clientOrderId ?? '') : this.seqById.get(orderId);
    return seq === undefined ? undefined : this.bySeq.get(seq);
  }

  /** The order after the event, or undefined for one that this process has never seen. */
  follow(event: OrderEvent, committed: Committed): OrderRecord | undefined {
    const order =
      event.placed === undefined
        ? changed(this.bySeq.get(event.order), event, committed.atMs)
        : placedOrder(committed, committed.clientOrderId ?? null);
    if (order !== undefined) this.set(order);
    return order;
  }

  /** Forgets orders that have ended. */
  forget(orderSeq: number): void {
    const order = this.bySeq.get(orderSeq);
    if (order === undefined || order.closedAtMs === null) return;
    this.bySeq.delete(orderSeq);
    this.seqById.delete(order.orderId);
    if (order.clientOrderId !== null) this.seqByClientId.delete(order.clientOrderId);
  }

  private set(order: OrderRecord): void {
    this.bySeq.set(order.orderSeq, order);
    this.seqById.set(order.orderId, order.orderSeq);
    if (order.clientOrderId !== null) this.seqByClientId.set(order.clientOrderId, order.orderSeq);
  }
}

function changed(order: OrderRecord | undefined, event: OrderEvent, atMs: number): OrderRecord | undefined {
  return order === undefined ? undefined : { ...order, ...event.amended, ...stateOf(event, atMs) };
}
