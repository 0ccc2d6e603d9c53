import { formatPriceTicks } from '@opengrid/wire';
import type { AccountBalances, UnitBalances } from '../accounts/balances.ts';
import type { TradingCall } from '../http/route.ts';
import { type Check, failure, okCheck, warning } from './check.ts';
import { listCheck, unavailable, usdCheck } from './common-checks.ts';
import type { DiagnosticsDeps } from './deps.ts';

/** A tenth of a unit: a few long answers. */
const LOW_TOKENS = 100_000;

/** What can be said to somebody who showed a consumption key. It was found to be active before. */
export function consumptionChecks(
  deps: DiagnosticsDeps,
  call: TradingCall,
  balances: AccountBalances,
): readonly Check[] {
  return [
    okCheck('credential', 'api_key_valid', 'The key is active.'),
    scopeCheck(call),
    okCheck('account_standing', 'account_active', 'The account is in good standing.'),
    balanceCheck(deps, call, balances),
    usdCheck('usd_credits', balances),
    autoBuyCheck(call),
    availabilityCheck(deps),
    rateCheck(deps),
  ];
}

function scopeCheck({ caller }: TradingCall): Check {
  const scopes = [...caller.scopes].sort().join(', ');
  if (caller.scopes.has('inference')) return okCheck('scopes', 'scopes_sufficient', `The key has ${scopes}.`);
  const next = 'Make a key with the scope inference.';
  return failure('scopes', 'scope_missing', { detail: 'The key may not be used for inference.', next });
}

function balanceCheck(
  { instruments, sequencer }: DiagnosticsDeps,
  { caller }: TradingCall,
  { units }: AccountBalances,
): Check {
  const name = 'balance';
  const freeOf = ({ instrumentNo }: UnitBalances): number =>
    sequencer.earmarks.freeTokens(caller.accountNumber, instrumentNo);
  const funded = units.filter((one) => freeOf(one) > 0);
  const texts = funded.map(
    (one) => `${instruments.byNumber(one.instrumentNo)?.symbol} has ${freeOf(one)} tokens left.`,
  );
  const next = 'Buy or transfer units.';
  if (funded.length === 0) {
    const detail = 'There are no tokens to spend.';
    return caller.mode === 'easy' || caller.autoBuy.isEnabled
      ? okCheck(name, 'balance_on_demand', `${detail} Units are bought when they are needed.`)
      : warning(name, 'balance_empty', { detail, next });
  }
  const isLow = funded.every((one) => freeOf(one) < LOW_TOKENS);
  const detail = texts.join(' ');
  return isLow ? warning(name, 'balance_low', { detail, next }) : okCheck(name, 'balance_sufficient', detail);
}

function autoBuyCheck({ caller }: TradingCall): Check {
  const { isEnabled, quantityUnits, maxPriceTicks } = caller.autoBuy;
  if (caller.mode === 'easy')
    return okCheck('auto_buy', 'auto_buy_easy_mode', 'In easy mode units are bought when they are needed.');
  if (!isEnabled)
    return okCheck('auto_buy', 'auto_buy_off', 'Auto-buy is off: units are bought by you alone.');
  const limit = maxPriceTicks === null ? '' : `, at ${formatPriceTicks(maxPriceTicks)} USD at most`;
  return okCheck('auto_buy', 'auto_buy_on', `Auto-buy takes ${quantityUnits} units at a time${limit}.`);
}

function availabilityCheck({ instruments, suppliers }: DiagnosticsDeps): Check {
  const missing = unavailable(
    instruments.list(),
    ({ instrumentNo }) => suppliers.endpointsFor(instrumentNo).length > 0,
  );
  return listCheck('instrument_availability', missing, {
    ok: ['instruments_served', 'Every instrument has an endpoint that serves it.'],
    bad: ['instruments_unserved', 'Nobody serves at the moment:'],
    next: 'Name another instrument in model.',
  });
}

function rateCheck({ settings }: DiagnosticsDeps): Check {
  const { signedReadRate } = settings;
  const reads =
    signedReadRate === 0 ? 'Reads are not limited.' : `${signedReadRate} reads a second are allowed.`;
  return okCheck('rate_limits', 'rate_limits_told', `${reads} Every metered answer tells what is left.`);
}
