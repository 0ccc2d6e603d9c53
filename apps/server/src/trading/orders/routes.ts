import type { JsonObject } from '@opengrid/wire';
import {
  fail,
  invalidField,
  ok,
  type TradingAnswer,
  type TradingCall,
  type TradingRoute,
} from '../http/route.ts';
import { listPage } from '../list/list-page.ts';
import { amendOrder, replayAmend } from './amend.ts';
import {
  type BulkDeps,
  type BulkScope,
  marketOf,
  prepareBulkCancel,
  prepareTimer,
  replayBulkCancel,
  replayTimer,
  sideOf,
} from './bulk.ts';
import { type CancelDeps, cancelOrder, replayCancel } from './cancel.ts';
import { orderList } from './order-list.ts';
import type { OrderRecord } from './order-record.ts';
import { AMEND_ORDER, CANCEL_TIMER, PLACE_ORDER } from './order-schema.ts';
import { type OrderPlacement, shapeFor } from './place.ts';

export interface OrderRouteDeps extends CancelDeps, BulkDeps {
  readonly placement: OrderPlacement;
}

const WRITE = { scope: 'trade:write', consumptionKeys: 'refused' } as const;

/** Routes of orders: place, amend, cancel, read. */
export function orderRoutes(deps: OrderRouteDeps): TradingRoute[] {
  return [
    placeRoute(deps),
    amendRoute(deps, 'PUT'),
    amendRoute(deps, 'PATCH'),
    cancelRoute(deps),
    bulkRoute(deps, '/orders'),
    bulkRoute(deps, '/markets/:market_id/orders'),
    timerRoute(deps),
    ...readRoutes(deps),
  ];
}

function placeRoute({ placement, instruments }: OrderRouteDeps): TradingRoute {
  return {
    ...WRITE,
    method: 'POST',
    path: '/orders',
    rate: 'order',
    // Every spelling of a market shares one bucket; what is no market shares one as well.
    rateKey: ({ market_id: reference }: JsonObject) => {
      const instrument = typeof reference === 'string' ? instruments.find(reference) : undefined;
      return String(instrument?.instrumentNo ?? 'unknown');
    },
    body: PLACE_ORDER,
    handle: (call) => placement.place(call, call.body),
    replay: (call, recorded) => placement.replay(call, recorded),
  };
}

function orderIdOf({ params }: TradingCall): string {
  return params.order_id ?? '';
}

function amendRoute(deps: OrderRouteDeps, method: 'PUT' | 'PATCH'): TradingRoute {
  return {
    ...WRITE,
    method,
    path: '/orders/:order_id',
    rate: 'own',
    body: AMEND_ORDER,
    handle: (call) => {
      const meter = (instrumentNo: number): void => call.count('order', String(instrumentNo));
      return amendOrder(deps, call, { orderId: orderIdOf(call), body: call.body, meter });
    },
    replay: (call) => replayAmend(deps, call, orderIdOf(call)),
  };
}

function cancelRoute(deps: OrderRouteDeps): TradingRoute {
  return {
    ...WRITE,
    method: 'DELETE',
    path: '/orders/:order_id',
    rate: 'cancel',
    handle: (call) => {
      const isStrict = call.query.get('strict') === 'true' || call.headers['x-grid-strict'] === 'true';
      return cancelOrder(deps, call, { orderId: orderIdOf(call), isStrict });
    },
    replay: (call) => replayCancel(deps, call, orderIdOf(call)),
  };
}

function bulkRoute(deps: OrderRouteDeps, path: string): TradingRoute {
  return {
    ...WRITE,
    method: 'DELETE',
    path,
    rate: 'cancel',
    handle: async (call) => prepareBulkCancel(deps, call, bulkScopeOf(deps, call))(),
    replay: (call, recorded) => replayBulkCancel(deps, call, { recorded, scope: bulkScopeOf(deps, call) }),
  };
}

/** What is misspelt must not cancel more than was meant, so unknown names are refused. */
function bulkScopeOf(deps: OrderRouteDeps, { query, params }: TradingCall): BulkScope {
  const names = [...query.keys()];
  if (names.some((name) => name !== 'side') || names.length > 1)
    throw invalidField('query', 'takes side, once');
  const { market_id: reference } = params;
  const instrument = reference === undefined ? undefined : marketOf(deps, reference);
  return { instrument, side: sideOf(query.get('side')) };
}

function timerRoute(deps: OrderRouteDeps): TradingRoute {
  return {
    ...WRITE,
    method: 'POST',
    path: '/orders/cancel-all-after',
    rate: 'cancel',
    copies: 'repeat',
    body: CANCEL_TIMER,
    handle: async (call) => prepareTimer(deps, call, call.body)(),
    replay: async (call, recorded) => replayTimer(call, call.body, recorded),
  };
}

const READ = { method: 'GET', scope: 'trade:read', consumptionKeys: 'allowed', rate: 'read' } as const;

function readRoutes({ database, instruments, lookup }: OrderRouteDeps): TradingRoute[] {
  const spec = orderList(instruments);
  const one = (call: TradingCall, order: OrderRecord | undefined): TradingAnswer => {
    if (order === undefined) throw fail('order_not_found');
    return ok(shapeFor(call, order, instruments));
  };
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
      handle: async (call) => one(call, await lookup.find(call.caller.accountNumber, orderIdOf(call))),
    },
    {
      ...READ,
      path: '/orders/by-client-id/:client_order_id',
      handle: async (call) => {
        const { client_order_id: clientOrderId = '' } = call.params;
        return one(call, await lookup.findByClientId(call.caller.accountNumber, clientOrderId));
      },
    },
  ];
}

async function countOpen(
  { database, instruments }: Pick<OrderRouteDeps, 'database' | 'instruments'>,
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
