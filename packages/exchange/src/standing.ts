import { cancelAll } from './cancel-order.ts';
import type { Refused } from './events.ts';
import { type Context, isBarred } from './state.ts';

/** Ends every resting order of an account and bars it from trading until its disputes are settled. */
export function suspendForDispute(context: Context, account: number): void {
  cancelAll(context, { account }, 'account_suspended');
  context.state.accounts.get(account)!.suspended = true;
  emitStanding(context, account);
}

/** Ends what a dispute did. An operator's freeze stays. */
export function liftAfterDispute(context: Context, account: number): void {
  context.state.accounts.get(account)!.suspended = false;
  emitStanding(context, account);
}

/** The operator's freeze. Lifting it does not settle a dispute. */
export function setStanding(
  context: Context,
  { account, suspended }: { account: number; suspended: boolean },
): Refused | undefined {
  if (typeof suspended !== 'boolean') return { ok: false, code: 'validation_failed' };
  if (suspended) cancelAll(context, { account }, 'account_suspended');
  context.state.accounts.get(account)!.frozen = suspended;
  emitStanding(context, account);
  return undefined;
}

function emitStanding(context: Context, account: number): void {
  const suspended = isBarred(context.state.accounts.get(account)!);
  context.emit({ type: 'account', account, suspended, opened: false });
}
