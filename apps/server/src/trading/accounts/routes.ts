import { KIND } from '@opengrid/exchange';
import { formatIso } from '@opengrid/wire';
import {
  fail,
  invalidField,
  ok,
  type TradingAnswer,
  type TradingCall,
  type TradingRoute,
} from '../http/route.ts';
import { filterRows, known, ownerOf } from './account-rows.ts';
import { consumptionShape, currencyShape, unitTradingShape, usdTradingShape } from './account-shapes.ts';
import { readActivity } from './activity.ts';
import { readBalances } from './balances.ts';
import { readCommitments } from './commitments.ts';
import type { AccountDeps } from './deps.ts';
import { lotRoute } from './lots.ts';
import { positionRoutes } from './positions.ts';

const READ = { method: 'GET', scope: 'account:read', consumptionKeys: 'allowed', rate: 'read' } as const;
const ID_FIELDS = new Set(['account_id', 'instrument_id', 'market_id', 'status', 'currency']);

type Rows = (deps: AccountDeps, call: TradingCall) => Promise<Record<string, unknown>[]>;

/** Routes of the caller's own accounts. */
export function accountRoutes(deps: AccountDeps): TradingRoute[] {
  return [
    { ...READ, path: '/me', handle: async (call) => ok(profileShape(deps, call)) },
    { ...READ, path: '/account/limits', handle: (call) => limits(deps, call) },
    ...listAndOne(deps, '/trading-accounts', tradingRows),
    ...listAndOne(deps, '/currency-trading-accounts', currencyRows),
    ...listAndOne(deps, '/consumption-accounts', consumptionRows),
    lotRoute(deps, (call) => consumptionRows(deps, call)),
    ...positionRoutes(deps),
  ];
}

function listAndOne(deps: AccountDeps, path: string, read: Rows): TradingRoute[] {
  return [
    {
      ...READ,
      path,
      handle: async (call) =>
        filterRows(deps.instruments, call.query, {
          name: path,
          fields: ID_FIELDS,
          rows: await read(deps, call),
        }),
    },
    {
      ...READ,
      path: `${path}/:account_id`,
      handle: async (call) => {
        const rows = await read(deps, call);
        const row = rows.find(({ account_id: id }) => id === call.params.account_id);
        if (row === undefined) throw fail('account_not_found');
        return ok(row);
      },
    },
  ];
}

function profileShape(deps: AccountDeps, call: TradingCall): Record<string, unknown> {
  const profile = ownerOf(deps, call);
  const supplier = deps.suppliers.supplierByAccount(call.caller.accountNumber);
  const capabilities = [
    'consume',
    ...(profile.mode === 'advanced' ? ['trade'] : []),
    ...(supplier?.status === 'approved' ? ['supply'] : []),
    ...(profile.role === 'operator' ? ['admin'] : []),
  ];
  return {
    user_id: profile.userId,
    id: profile.userId,
    ...(call.credential === 'signature' ? { email: profile.email } : {}),
    ...(profile.name === null ? {} : { name: profile.name }),
    email_verified: profile.isEmailVerified,
    // This installation asks nobody to accept terms.
    accepted_terms: true,
    account_mode: profile.mode,
    capabilities,
    onboarding_complete: profile.isEmailVerified,
    ...(supplier === undefined ? {} : { supplier_id: supplier.supplierId }),
    created_at: formatIso(profile.createdAtMs),
    updated_at: formatIso(profile.updatedAtMs),
  };
}

async function limits(deps: AccountDeps, call: TradingCall): Promise<TradingAnswer> {
  const reference = call.query.get('market_id');
  if (reference === null || reference === '') throw invalidField('market_id', 'is required');
  const instrument = deps.instruments.find(reference);
  const rules = deps.sequencer.exchange.rulesOf(instrument?.instrumentNo ?? 0);
  if (instrument === undefined || rules === undefined) throw fail('market_not_found');
  const { rows } = await deps.database.query<{ current: number }>({
    text: `select count(*) as current from orders
           where account_number = $1 and instrument_no = $2 and closed_at_ms is null`,
    values: [call.caller.accountNumber, instrument.instrumentNo],
  });
  const { orderRate, orderRpm, orderBurst } = deps.settings;
  return ok({
    market_id: instrument.marketId,
    order_rate_limits: {
      scope: 'user_market',
      max_orders_per_second: orderRate,
      max_orders_per_minute: orderRpm,
      burst_capacity: orderBurst,
      window_seconds: 1,
    },
    response_headers: {
      limit: 'x-ratelimit-limit',
      remaining: 'x-ratelimit-remaining',
      retry_after: 'retry-after',
    },
    open_orders: { max: rules.maxOpenOrders, current: rows[0]?.current ?? 0 },
    fees: { maker_bps: rules.makerBps, taker_bps: rules.takerBps },
  });
}

async function tradingRows(deps: AccountDeps, call: TradingCall): Promise<Record<string, unknown>[]> {
  const { accountNumber } = call.caller;
  const owner = ownerOf(deps, call);
  const balances = await readBalances(deps.database, accountNumber);
  const activityOf = await readActivity(deps.database, accountNumber);
  const isSupplier = deps.suppliers.supplierByAccount(accountNumber) !== undefined;
  const held = balances.units.filter(({ kinds }) => kinds.has(KIND.trading) || kinds.has(KIND.tradingHeld));
  const times = balances.units.map(({ instrumentNo }) => activityOf(instrumentNo).lastTradeAtMs ?? 0);
  const lastTradeAtMs = Math.max(0, ...times) || null;
  const usd = usdTradingShape(owner, balances.usd, { isSupplier, lastTradeAtMs });
  const rows = held.map((units) =>
    unitTradingShape(owner, units, {
      instrument: known(deps, units.instrumentNo),
      activity: activityOf(units.instrumentNo),
      lastTicks: deps.view.quote(units.instrumentNo).lastTicks,
    }),
  );
  return [usd, ...rows];
}

async function currencyRows(deps: AccountDeps, call: TradingCall): Promise<Record<string, unknown>[]> {
  const { accountNumber } = call.caller;
  const { usd, units } = await readBalances(deps.database, accountNumber);
  const activityOf = await readActivity(deps.database, accountNumber);
  const times = units.map(({ instrumentNo }) => activityOf(instrumentNo).lastTradeAtMs ?? 0);
  return [currencyShape(ownerOf(deps, call), usd, Math.max(0, ...times) || null)];
}

async function consumptionRows(deps: AccountDeps, call: TradingCall): Promise<Record<string, unknown>[]> {
  const { accountNumber } = call.caller;
  const owner = ownerOf(deps, call);
  const { units } = await readBalances(deps.database, accountNumber);
  const activityOf = await readActivity(deps.database, accountNumber);
  const commitmentsOf = await readCommitments(deps.database, accountNumber);
  return units
    .filter(({ kinds }) => kinds.has(KIND.consumption))
    .map(({ instrumentNo, consumptionTokens: totalTokens }) =>
      consumptionShape(owner, {
        instrument: known(deps, instrumentNo),
        totalTokens,
        heldTokens: deps.sequencer.earmarks.heldTokens(accountNumber, instrumentNo),
        activity: activityOf(instrumentNo),
        commitments: commitmentsOf(instrumentNo),
      }),
    );
}
