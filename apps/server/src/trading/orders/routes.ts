import type { JsonObject } from '@opengrid/wire';
import { fail, ok, type TradingRoute } from '../http/route.ts';
import { type CancelDeps, cancelOrder, replayCancel } from './cancel.ts';
import { findOrder, findOrderByClientId } from './order-record.ts';
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
    rateKey: (body: JsonObject) =>
      String(deps.instruments.find(String(body.market_id))?.instrumentNo ?? 'unknown'),
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
  return [
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
