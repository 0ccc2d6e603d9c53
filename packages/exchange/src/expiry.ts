import { cancelAll, removeResting } from './cancel-order.ts';
import type { Context, Market } from './state.ts';

/** Ends one order whose time has come. */
export function expireOrder(context: Context, market: Market, order: number): void {
  removeResting(context, market, market.book.find(order), 'expired');
}

/** Does what came due while the market was halted, in the order it did: nothing may be matched before. */
export function catchUp(context: Context, market: Market): void {
  const { instrument } = market;
  for (const { account, dueMs } of market.pendingCancels.splice(0)) {
    expireUntil(context, market, dueMs);
    cancelAll(context, { account, instrument }, 'cancel_all_after');
  }
  expireUntil(context, market, context.atMs);
}

function expireUntil(context: Context, market: Market, untilMs: number): void {
  for (let first = market.expiries.first; first !== undefined; first = market.expiries.first) {
    if (first.dueMs > untilMs) return;
    expireOrder(context, market, first.number);
  }
}
