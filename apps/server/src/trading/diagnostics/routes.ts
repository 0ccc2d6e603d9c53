import { formatIso } from '@opengrid/wire';
import { readBalances } from '../accounts/balances.ts';
import { ok, type TradingAnswer, type TradingCall, type TradingRoute } from '../http/route.ts';
import { type Check, worstOf } from './check.ts';
import { engineCheck } from './common-checks.ts';
import { consumptionChecks } from './consumption-checks.ts';
import type { DiagnosticsDeps } from './deps.ts';
import { tradingChecks } from './trading-checks.ts';

/** What a caller can find out about its own credential and account, without changing anything. */
export function diagnosticsRoute(deps: DiagnosticsDeps): TradingRoute {
  return {
    method: 'GET',
    path: '/diagnostics',
    scope: 'account:read',
    consumptionKeys: 'any',
    rate: 'read',
    handle: (call) => diagnose(deps, call),
  };
}

async function diagnose(deps: DiagnosticsDeps, call: TradingCall): Promise<TradingAnswer> {
  const balances = await readBalances(deps.database, call.caller.accountNumber);
  const isSigned = call.credential === 'signature';
  const own = isSigned ? tradingChecks(deps, call, balances) : consumptionChecks(deps, call, balances);
  const checks: Check[] = [...own, engineCheck(deps.sequencer.status)];
  return ok({
    status: worstOf(checks),
    service: isSigned ? 'trading' : 'consumption',
    server_time: formatIso(call.nowMs),
    checks,
    summary: { account_mode: call.caller.mode },
  });
}
