import type { Exchange } from '@opengrid/exchange';
import { TOKENS_PER_UNIT } from '@opengrid/exchange';
import { type GridError, gridError } from '@opengrid/wire';
import type { Caller } from '../../ports/identity.ts';

/** Whether tokens are bought for this account when they run short. Easy mode always does. */
export function buysAutomatically(caller: Caller): boolean {
  return caller.mode === 'easy' || caller.autoBuy.isEnabled;
}

/** An automatic purchase that makes sense now. */
export interface PurchaseTerms {
  readonly units: number;
  /** The buyers' own ceiling; null when they set none. */
  readonly ownCeilingTicks: number | null;
}

export type Terms =
  | { readonly ok: true; readonly terms: PurchaseTerms }
  | { readonly ok: false; readonly error: GridError };

/** What a purchase is for. */
export interface PurchaseNeed {
  readonly caller: Caller;
  readonly instrumentNo: number;
  /** Tokens that must be there afterwards, beyond what is free. */
  readonly deficitTokens: number;
  /** Lowest ceiling set by the requests that wait; null when none did. */
  readonly requestCeilingTicks: number | null;
}

function lowest(...ceilings: readonly (number | null)[]): number | null {
  const set = ceilings.filter((ticks) => ticks !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** How many units the account can pay at this price, fee included, up to a wanted number. */
export function affordableUnits(
  exchange: Exchange,
  order: { account: number; instrumentNo: number; units: number; ticks: number },
): number {
  const { account, instrumentNo, ticks } = order;
  const available = exchange.availableUsdMicros(account);
  const requirement = (units: number) => exchange.buyRequirementMicros(instrumentNo, units, ticks);
  let units = Math.min(order.units, Math.floor(available / Math.max(1, requirement(1))) + 1);
  while (units > 0 && requirement(units) > available) units -= 1;
  return units;
}

/** Decides about a purchase by the book, the ceilings and the purse, in this order. */
export function purchaseTerms(exchange: Exchange, need: PurchaseNeed): Terms {
  const { caller, instrumentNo } = need;
  const rules = exchange.rulesOf(instrumentNo);
  const marketCeiling = exchange.autoBuyCeilingTicks(instrumentNo, { easyMode: caller.mode === 'easy' });
  const best = exchange.bestTicks(instrumentNo, 'sell');
  if (rules === undefined || marketCeiling === undefined || best === undefined) return refuse('no_capacity');
  const ownCeilingTicks = lowest(caller.autoBuy.maxPriceTicks, need.requestCeilingTicks);
  const worst = Math.min(marketCeiling, ownCeilingTicks ?? marketCeiling);
  if (best > worst) return refuse('no_capacity');
  const deficitUnits = Math.ceil(need.deficitTokens / TOKENS_PER_UNIT);
  const wanted = Math.max(caller.autoBuy.quantityUnits, deficitUnits, rules.minOrderUnits);
  const capped = Math.min(wanted, rules.maxOrderUnits);
  const order = { account: caller.accountNumber, instrumentNo, units: capped, ticks: worst };
  const units = affordableUnits(exchange, order);
  if (units < rules.minOrderUnits) return refuse('insufficient_credits');
  return { ok: true, terms: { units, ownCeilingTicks } };
}

function refuse(code: 'no_capacity' | 'insufficient_credits'): Terms {
  return { ok: false, error: gridError(code) };
}
