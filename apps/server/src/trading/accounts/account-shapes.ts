import { TOKENS_PER_UNIT } from '@opengrid/exchange';
import { formatIso, formatMoneyMicros, formatPriceTicks } from '@opengrid/wire';
import type { Instrument } from '../../ports/catalogue.ts';
import { USD_INSTRUMENT_ID } from '../shapes.ts';
import { type AccountOwner, accountIdOf } from './account-ids.ts';
import type { Activity } from './activity.ts';
import type { UnitBalances, UsdBalances } from './balances.ts';

/** Instrument number 0 stands for USD in derived ids. */
const USD_NO = 0;

function time(atMs: number | null): string | null {
  return atMs === null ? null : formatIso(atMs);
}

/** Whole units as a string of digits. */
export function unitDigits(tokens: number): string {
  return String(Math.floor(tokens / TOKENS_PER_UNIT));
}

function since(owner: AccountOwner, activity: Activity): Record<string, string> {
  const { lastTradeAtMs, toConsumptionAtMs, inToTradingAtMs, outOfTradingAtMs } = activity;
  const times = [lastTradeAtMs, toConsumptionAtMs, inToTradingAtMs, outOfTradingAtMs].map((at) => at ?? 0);
  const updatedAtMs = Math.max(owner.createdAtMs, ...times);
  return { created_at: formatIso(owner.createdAtMs), updated_at: formatIso(updatedAtMs) };
}

/** The USD row of the trading accounts. `escrowed_balance` is for suppliers. */
export function usdTradingShape(
  owner: AccountOwner,
  usd: UsdBalances,
  options: { isSupplier: boolean; lastTradeAtMs: number | null },
): Record<string, unknown> {
  const id = accountIdOf('currency_trading_account', owner, USD_NO);
  const { lastTradeAtMs } = options;
  const updatedAtMs = Math.max(owner.createdAtMs, lastTradeAtMs ?? 0);
  return {
    account_id: id,
    id,
    user_id: owner.userId,
    instrument_id: USD_INSTRUMENT_ID,
    instrument_symbol: 'USD',
    instrument_name: 'US Dollar',
    currency: 'USD',
    total_balance: formatMoneyMicros(usd.availableMicros + usd.lockedMicros),
    available_balance: formatMoneyMicros(usd.availableMicros),
    locked_balance: formatMoneyMicros(usd.lockedMicros),
    ...(options.isSupplier ? { escrowed_balance: formatMoneyMicros(usd.escrowMicros) } : {}),
    status: 'active',
    last_trade_price: null,
    last_trading_activity_at: time(lastTradeAtMs),
    last_deposit_at: null,
    last_withdrawal_at: null,
    created_at: formatIso(owner.createdAtMs),
    updated_at: formatIso(updatedAtMs),
  };
}

export function unitTradingShape(
  owner: AccountOwner,
  units: UnitBalances,
  context: { instrument: Instrument; activity: Activity; lastTicks: number | undefined },
): Record<string, unknown> {
  const { instrument, activity, lastTicks } = context;
  const id = accountIdOf('trading_account', owner, units.instrumentNo);
  return {
    account_id: id,
    id,
    user_id: owner.userId,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    instrument_name: instrument.name,
    market_id: instrument.marketId,
    market_name: `${instrument.symbol}/USD`,
    total_balance: unitDigits(units.tradingTokens + units.heldTokens),
    available_balance: unitDigits(units.tradingTokens),
    locked_balance: unitDigits(units.heldTokens),
    status: 'active',
    last_trade_price: lastTicks === undefined ? null : formatPriceTicks(lastTicks),
    last_trading_activity_at: time(activity.lastTradeAtMs),
    last_deposit_at: time(activity.inToTradingAtMs),
    last_withdrawal_at: time(activity.outOfTradingAtMs),
    ...since(owner, activity),
  };
}

export function currencyShape(
  owner: AccountOwner,
  usd: UsdBalances,
  lastTradeAtMs: number | null,
): Record<string, unknown> {
  const id = accountIdOf('currency_trading_account', owner, USD_NO);
  return {
    account_id: id,
    id,
    user_id: owner.userId,
    currency: 'usd',
    total_balance: formatMoneyMicros(usd.availableMicros + usd.lockedMicros),
    available_balance: formatMoneyMicros(usd.availableMicros),
    locked_balance: formatMoneyMicros(usd.lockedMicros),
    credit_balance: formatMoneyMicros(usd.promotionalMicros),
    proceeds_balance: formatMoneyMicros(usd.proceedsMicros),
    card_balance: formatMoneyMicros(usd.cardMicros),
    ...(usd.owedMicros === 0 ? {} : { owed_usd: formatMoneyMicros(usd.owedMicros) }),
    status: 'active',
    last_trading_activity_at: time(lastTradeAtMs),
    last_deposit_at: null,
    last_withdrawal_at: null,
    created_at: formatIso(owner.createdAtMs),
    updated_at: formatIso(Math.max(owner.createdAtMs, lastTradeAtMs ?? 0)),
  };
}

/** What inference requests of the account held and spent of one instrument. */
export interface Commitments {
  readonly tokens: number;
  readonly lastAtMs: number | null;
  readonly lastSettledAtMs: number | null;
}

/** Units with up to six decimals, as a JSON number: older clients refuse strings here. */
function units(tokens: number): number {
  return tokens / TOKENS_PER_UNIT;
}

export function consumptionShape(
  owner: AccountOwner,
  context: {
    instrument: Instrument;
    totalTokens: number;
    heldTokens: number;
    activity: Activity;
    commitments: Commitments;
  },
): Record<string, unknown> {
  const { instrument, totalTokens, activity, commitments } = context;
  const heldTokens = Math.min(context.heldTokens, totalTokens);
  const freeTokens = totalTokens - heldTokens;
  const deposited = activity.toConsumptionUnits;
  const withdrawn = units(
    deposited * TOKENS_PER_UNIT - activity.toTradingUnits * TOKENS_PER_UNIT - totalTokens,
  );
  const id = accountIdOf('consumption_account', owner, instrument.instrumentNo);
  return {
    account_id: id,
    id,
    user_id: owner.userId,
    instrument_id: instrument.instrumentId,
    instrument_symbol: instrument.symbol,
    status: 'active',
    uncommitted_balance: units(freeTokens),
    available_balance: units(freeTokens),
    committed_balance: units(heldTokens),
    total_balance: units(totalTokens),
    total_deposits: deposited,
    total_withdrawals: withdrawn,
    total_commitments: units(commitments.tokens + heldTokens),
    total_transfers_in: deposited,
    total_transfers_out: activity.toTradingUnits,
    total_tokens: totalTokens,
    free_tokens: freeTokens,
    held_tokens: heldTokens,
    last_deposit_at: time(activity.toConsumptionAtMs),
    last_withdrawal_at: time(commitments.lastSettledAtMs),
    last_commitment_at: time(commitments.lastAtMs),
    last_transfer_at: time(activity.toConsumptionAtMs),
    ...since(owner, activity),
  };
}
