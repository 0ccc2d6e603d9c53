import type { Sequencer } from '../../sequencer/types.ts';
import type { Queryable } from '../../store/database.ts';

/**
 * Cancels orders that were to end with a socket: after a crash no socket is left. Called before the first socket is taken.
 */
export async function cancelOrphans(deps: { database: Queryable; sequencer: Sequencer }): Promise<void> {
  const { rows } = await deps.database.query<{ account: number; orders: number[] }>({
    text: `select account_number as account, array_agg(order_seq order by order_seq) as orders from orders
           where closed_at_ms is null and cancels_on_disconnect group by account_number`,
    values: [],
  });
  for (const { account, orders } of rows) {
    await deps.sequencer.submit({ kind: 'cancel_orders', account, orders, reason: 'cancel_on_disconnect' });
  }
}
