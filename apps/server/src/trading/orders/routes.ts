import type { JsonObject } from '@opengrid/wire';
import { fail, ok, type TradingAnswer, type TradingRoute } from '../http/route.ts';
import { listPage } from '../list/list-page.ts';
import { type CancelDeps, cancelOrder, replayCancel } from './cancel.ts';
import { orderList } from './order-list.ts';
import { findOrder, findOrderByClientId, type OrderRecord } from './order-record.ts';
import { PLACE_ORDER } from './order-schema.ts';
import { OrderPlacement, shapeFor } from './place.ts';

/** Routes of orders: place, cancel, read. */
export function orderRoutes(deps: CancelDeps): TradingRoute[] {
  return [placeRoute(deps), cancelRoute(deps), ...readRoutes(deps)];
}

function placeRoute(deps: CancelDeps): TradingRoute {
  const placement = new OrderPlacement(deps);
  return {
    method: 'POST',
    path: '/orders',
    scope: 'trade:write',
    consumptionKeys: 'refused',
    rate: 'order',
    // Every spelling of a market shares one bucket; what is no market shares one as well.
    rateKey: ({ market_id: reference }: JsonObject) => {
      const instrument = typeof reference === 'string' ? deps.instruments.find(reference) : undefined;
      return String(instrument?.instrumentNo ?? 'unknown');
    },
    body: PLACE_ORDER,
    handle: (call) => placement.place(call),
    replay: (call, recorded) => placement.replay(call, recorded),
  };
}

function cancelRoute(deps: CancelDeps): TradingRoute {
  return {
    method: 'DELETE',
    path: '/orders/:order_id',
    scope: 'trade:write',
    consumptionKeys: 'refused',
    rate: 'cancel',
    handle: (call) => cancelOrder(deps, call),
    replay: (call) => replayCancel(deps, call),
  };
}

const READ = { method: 'GET', scope: 'trade:read', consumptionKeys: 'allowed', rate: 'read' } as const;

function readRoutes({ database, instruments }: CancelDeps): TradingRoute[] {
  const spec = orderList(instruments);
  return [
    {
      ...READ,
      path: '/orders',
      handle: (call) =>
        listPage<OrderRecord>(database, spec, {
          accountNumber: call.caller.accountNumber,
          query: call.query,
          shape: (order) => shapeFor(call, order, instruments),
        }),
    },
    {
      ...READ,
      path: '/orders/count',
      handle: (call) => countOpen({ database, instruments }, call.caller.accountNumber),
    },
    {
      ...READ,
      path: '/orders/:order_id',
      handle: async (call) => {
        const order = await findOrder(database, call.caller.accountNumber, call.params.order_id ?? '');
        if (order === undefined) throw fail('order_not_found');
        return ok(shapeFor(call, order, instruments));
      },
    },
    {
      ...READ,
      path: '/orders/by-client-id/:client_order_id',
      handle: async (call) => {
        const { client_order_id: clientOrderId = '' } = call.params;
        const order = await findOrderByClientId(database, call.caller.accountNumber, clientOrderId);
        if (order === undefined) throw fail('order_not_found');
        return ok(shapeFor(call, order, instruments));
      },
    },
  ];
}

async function countOpen(
  { database, instruments }: Pick<CancelDeps, 'database' | 'instruments'>,
  accountNumber: number,
): Promise<TradingAnswer> {
  const { rows } = await database.query<{ no: number; count: number }>({
    name: 'open_orders_count',
    text: `select instrument_no as no, count(*) as count from orders
           where account_number = $1 and closed_at_ms is null group by instrument_no order by instrument_no`,
    values: [accountNumber],
  });
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  const byMarket = rows.map((row) => ({
    market_id: instruments.byNumber(row.no)?.marketId,
    count: row.count,
  }));
  return ok({ count, by_market: byMarket });
}
