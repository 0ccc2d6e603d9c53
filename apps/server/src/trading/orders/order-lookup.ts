import type { Queryable } from '../../store/database.ts';
import { ORDER_COLUMNS, type OrderRecord } from './order-record.ts';

interface Wanted {
  readonly account: number;
  readonly id: string;
  readonly resolve: (order: OrderRecord | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What can be an id at all. Anything else is not found, without asking the store. */
const ID = /^[A-Za-z0-9._:-]{1,64}$/;
const MAX_BATCH = 1_000;

const QUERIES = {
  order_id: {
    name: 'orders_by_id',
    text: `select ${ORDER_COLUMNS} from orders o join unnest($1::bigint[], $2::text[]) as w (account, id)
             on o.order_id = w.id and o.account_number = w.account`,
    of: (order: OrderRecord): string | null => order.orderId,
  },
  /** Keeps what the orders were placed with, before anything can change it. */
  amended_id: {
    name: 'orders_to_amend',
    text: `with found as (
             select ${ORDER_COLUMNS} from orders o join unnest($1::bigint[], $2::text[]) as w (account, id)
               on o.order_id = w.id and o.account_number = w.account),
           kept as (
             insert into placed_terms
             select "orderSeq", "quantityUnits", "priceTicks", "timeInForce", "expiresAtMs" from found
             where "clientOrderId" is not null and "closedAtMs" is null on conflict do nothing)
           select * from found`,
    of: (order: OrderRecord): string | null => order.orderId,
  },
  client_order_id: {
    name: 'orders_by_client_id',
    text: `select ${ORDER_COLUMNS}, (
               select json_build_object('quantityUnits', p.quantity_units, 'priceTicks', p.price_ticks,
                 'timeInForce', p.time_in_force, 'expiresAtMs', p.expires_at_ms)
               from placed_terms p where p.order_seq = o.order_seq) as placed
           from orders o join unnest($1::bigint[], $2::text[]) as w (account, id)
             on o.account_number = w.account and o.client_order_id = w.id`,
    of: (order: OrderRecord): string | null => order.clientOrderId,
  },
} as const;

/**
 * Orders by their public ids. What is asked for while one query runs becomes the next query, so that the load of many
 * orders at once is a few queries and none waits for a timer.
 */
export class OrderLookup {
  private readonly byId: BatchedQuery;
  private readonly toAmend: BatchedQuery;
  private readonly byClientId: BatchedQuery;

  constructor(store: Queryable) {
    this.byId = new BatchedQuery(store, 'order_id');
    this.toAmend = new BatchedQuery(store, 'amended_id');
    this.byClientId = new BatchedQuery(store, 'client_order_id');
  }

  /** An order of this account by its id; another account's is not found. */
  find(account: number, orderId: string): Promise<OrderRecord | undefined> {
    return this.byId.find(account, orderId);
  }

  /** The same for an order that is about to be amended: what it was placed with is kept. */
  findToAmend(account: number, orderId: string): Promise<OrderRecord | undefined> {
    return this.toAmend.find(account, orderId);
  }

  /** With what it was placed with, where that was amended since. */
  findByClientId(account: number, clientOrderId: string): Promise<OrderRecord | undefined> {
    return this.byClientId.find(account, clientOrderId);
  }
}

class BatchedQuery {
  private readonly store: Queryable;
  private readonly query: (typeof QUERIES)[keyof typeof QUERIES];
  private waiting: Wanted[] = [];
  private isRunning = false;

  constructor(store: Queryable, column: keyof typeof QUERIES) {
    this.store = store;
    this.query = QUERIES[column];
  }

  find(account: number, id: string): Promise<OrderRecord | undefined> {
    if (!ID.test(id)) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.waiting.push({ account, id, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // One turn of the event loop lets everything that arrived with the first one share its query.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.ask(this.waiting.splice(0, MAX_BATCH));
    this.isRunning = false;
  }

  private async ask(batch: readonly Wanted[]): Promise<void> {
    const { name, text, of } = this.query;
    try {
      const values = [batch.map(({ account }) => account), batch.map(({ id }) => id)];
      const { rows } = await this.store.query<OrderRecord>({ name, text, values });
      const found = new Map(rows.map((order) => [`${order.accountNumber}:${of(order)}`, order]));
      for (const { account, id, resolve } of batch) resolve(found.get(`${account}:${id}`));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
