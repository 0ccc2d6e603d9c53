import type { AccountBalances } from '../accounts/balances.ts';
import type { TradingCall } from '../http/route.ts';
import { type Check, okCheck, warning } from './check.ts';
import { listCheck, unavailable, usdCheck } from './common-checks.ts';
import type { DiagnosticsDeps } from './deps.ts';

const DAY_MS = 86_400_000;
const OLD_DAYS = 365;
/** Well inside the 30 seconds that are accepted, so that it is told before requests are refused. */
const SKEW_SECONDS = 5;

/** What can be said to somebody who signed the request. Its signature was verified before. */
export function tradingChecks(
  deps: DiagnosticsDeps,
  call: TradingCall,
  balances: AccountBalances,
): readonly Check[] {
  return [
    okCheck('signature', 'signature_valid', 'The signature matches the request.'),
    skewCheck(call),
    keyCheck(deps, call),
    modeCheck(call),
    usdCheck('balances', balances),
    marketCheck(deps),
  ];
}

function skewCheck({ headers, nowMs }: TradingCall): Check {
  const signedSeconds = Number(headers['x-thegrid-timestamp']);
  const skew = Math.round(Math.abs(nowMs / 1000 - signedSeconds));
  const detail = `Your clock and the exchange's differ by ${skew} s.`;
  if (skew < SKEW_SECONDS) return okCheck('clock_skew', 'clock_in_step', detail);
  const next = 'Synchronise your clock; 30 s is the most that is accepted.';
  return warning('clock_skew', 'clock_skewed', { detail, next });
}

function keyCheck({ signingKeys }: DiagnosticsDeps, { headers, nowMs }: TradingCall): Check {
  const fingerprint = String(headers['x-thegrid-fingerprint']).replace(/=$/, '');
  const key = signingKeys.find(fingerprint);
  const days = Math.max(0, Math.floor((nowMs - (key?.createdAtMs ?? nowMs)) / DAY_MS));
  const rights = key?.isReadOnly === true ? 'may only read' : 'may read and trade';
  const detail = `The key was registered ${days} days ago and ${rights}.`;
  if (days < OLD_DAYS) return okCheck('key_age', 'key_recent', detail);
  const next = 'Register a new key and revoke this one.';
  return warning('key_age', 'key_old', { detail, next });
}

function modeCheck({ caller }: TradingCall): Check {
  if (caller.mode === 'advanced')
    return okCheck('account_mode', 'mode_advanced', 'The account is in advanced mode and may trade.');
  const next = 'Switch the account to advanced mode to place orders.';
  const detail = 'In easy mode the exchange buys for the account; orders are refused.';
  return warning('account_mode', 'mode_easy', { detail, next });
}

function marketCheck({ instruments, sequencer }: DiagnosticsDeps): Check {
  const closed = unavailable(
    instruments.list(),
    ({ instrumentNo }) => sequencer.exchange.marketStatus(instrumentNo)?.state === 'open',
  );
  return listCheck('market_status', closed, {
    ok: ['markets_open', 'All markets are open.'],
    bad: ['markets_not_open', 'Not open at the moment:'],
    next: 'See trading_state of these markets for what they take.',
  });
}
