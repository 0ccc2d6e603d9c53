import { KIND, type PositionView, TOKENS_PER_UNIT } from '@opengrid/exchange';
import { formatDecimal, formatIso, formatMoneyMicros, formatPriceTicks } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import type { AccountProfile } from '../../ports/identity.ts';
import type { TradingCall, TradingRoute } from '../http/route.ts';
import { accountIdOf } from './account-ids.ts';
import { filterRows, known, ownerOf } from './account-rows.ts';
import { type Activity, readActivity } from './activity.ts';
import { readBalances, type UnitBalances } from './balances.ts';
import { readCommitments } from './commitments.ts';
import type { AccountDeps } from './deps.ts';

const FIELDS = new Set(['instrument_id', 'status', 'instrument_name']);
const E10_PER_MICRO = 10_000n;
const UNIT_TOKENS = BigInt(TOKENS_PER_UNIT);

/** What is held of each instrument, in trading and consumption together, and what it cost. */
export function positionRoutes(deps: AccountDeps): TradingRoute[] {
  return [
    {
      method: 'GET',
      path: '/positions',
      scope: 'trade:read',
      consumptionKeys: 'allowed',
      rate: 'read',
      handle: async (call) =>
        filterRows(deps.instruments, call.query, {
          name: 'positions',
          fields: FIELDS,
          rows: await positionRows(deps, call),
        }),
    },
  ];
}

async function positionRows(deps: AccountDeps, call: TradingCall): Promise<Record<string, unknown>[]> {
  const { accountNumber } = call.caller;
  const owner = ownerOf(deps, call);
  const { units } = await readBalances(deps.database, accountNumber);
  const held = units.filter(({ kinds }) =>
    [KIND.trading, KIND.tradingHeld, KIND.consumption].some((kind) => kinds.has(kind)),
  );
  const activityOf = await readActivity(deps.database, accountNumber);
  const commitmentsOf = await readCommitments(deps.database, accountNumber);
  const costs = await costsOf(deps, accountNumber, held);
  return held.map(({ instrumentNo }, index) => {
    const activity = activityOf(instrumentNo);
    const lastAtMs = lastOf(activity, commitmentsOf(instrumentNo).lastSettledAtMs);
    const context = { instrument: known(deps, instrumentNo), activity, lastAtMs };
    const lastTicks = deps.view.quote(instrumentNo).lastTicks;
    return positionShape(owner, costs[index]!, { ...context, lastTicks });
  });
}

interface Cost {
  readonly tokens: bigint;
  /** Tenths of a nano-dollar. */
  readonly costE10: bigint;
}

/** Tokens and costs from the engine, which alone knows what each held unit cost; shown once they are durable. */
async function costsOf(
  { sequencer }: AccountDeps,
  accountNumber: number,
  held: readonly UnitBalances[],
): Promise<Cost[]> {
  const { exchange } = sequencer;
  const costs = held.map(({ instrumentNo }) => costOf(exchange.positionOf(accountNumber, instrumentNo)));
  await sequencer.settled();
  return costs;
}

function costOf(view: PositionView | undefined): Cost {
  if (view === undefined) return { tokens: 0n, costE10: 0n };
  return {
    tokens: BigInt(view.tradingUnits) * UNIT_TOKENS + BigInt(view.consumptionTokens),
    costE10: view.tradingCostMicros * E10_PER_MICRO + view.consumptionCostE10,
  };
}

function lastOf(activity: Activity, settledAtMs: number | null): number | null {
  const times = [activity.lastTradeAtMs, activity.inToTradingAtMs, activity.outOfTradingAtMs, settledAtMs];
  return times.reduce((last, at) => (at !== null && at > (last ?? 0) ? at : last), null);
}

/** Whole micro-dollars: what is a fraction of one is left out. */
function money(e10: bigint): string {
  return formatMoneyMicros(Number(e10 / E10_PER_MICRO));
}

function positionShape(
  owner: AccountProfile,
  { tokens, costE10 }: Cost,
  context: {
    instrument: Instrument;
    activity: Activity;
    lastAtMs: number | null;
    lastTicks: number | undefined;
  },
): Record<string, unknown> {
  const { instrument, activity, lastTicks, lastAtMs } = context;
  const isOpen = tokens > 0n;
  const averageCost = isOpen ? formatDecimal((2n * costE10 * UNIT_TOKENS + tokens) / (2n * tokens)) : null;
  const openedAt = formatIso(activity.firstAtMs ?? owner.createdAtMs);
  return {
    id: accountIdOf('position', owner, instrument.instrumentNo),
    user_account_id: owner.userId,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    status: isOpen ? 'open' : 'closed',
    quantity: Number(tokens / UNIT_TOKENS),
    average_cost: averageCost,
    total_cost: money(costE10),
    current_market_value: lastTicks === undefined ? null : money(tokens * BigInt(lastTicks)),
    last_trade_price: lastTicks === undefined ? null : formatPriceTicks(lastTicks),
    opened_at: openedAt,
    closed_at: isOpen || lastAtMs === null ? null : formatIso(lastAtMs),
    inserted_at: openedAt,
    updated_at: lastAtMs === null ? openedAt : formatIso(lastAtMs),
  };
}
