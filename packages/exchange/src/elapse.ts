import type { Refused } from './events.ts';
import { expireOrder } from './expiry.ts';
import { endAuction } from './markets.ts';
import type { Context, ExchangeState, Market } from './state.ts';
import { fireTimer } from './timers.ts';

/** What one command does at most: a midnight at which everything ends is then several commits, not one long one. */
const MAX_DUE = 1_000;

type Next =
  | { readonly kind: 'expiry'; readonly dueMs: number; readonly number: number; readonly market: Market }
  | { readonly kind: 'timer'; readonly dueMs: number; readonly number: number }
  | { readonly kind: 'auction'; readonly dueMs: number; readonly number: number; readonly market: Market };

/** What is due at the same millisecond: orders end, then timers go off, then auctions trade what is left. */
const RANK = { expiry: 0, timer: 1, auction: 2 } as const;

function isSooner(a: Next, b: Next): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs;
  return a.kind === b.kind ? a.number < b.number : RANK[a.kind] < RANK[b.kind];
}

/** The next thing that is due. What belongs to a halted market waits until it leaves that state. */
function nextDue(state: ExchangeState): Next | undefined {
  let next: Next | undefined;
  const offer = (candidate: Next): void => {
    if (next === undefined || isSooner(candidate, next)) next = candidate;
  };
  for (const market of state.markets.values()) {
    const { first } = market.expiries;
    if (first !== undefined && market.state !== 'halted') offer({ kind: 'expiry', ...first, market });
    const { auction, instrument } = market;
    if (auction !== undefined)
      offer({ kind: 'auction', dueMs: auction.endsAtMs, number: instrument, market });
  }
  const timer = state.timerDues.first;
  if (timer !== undefined) offer({ kind: 'timer', ...timer });
  return next;
}

/** When the next thing is due, in Unix milliseconds; Infinity where nothing is. */
export function nextDueMs(state: ExchangeState): number {
  let dueMs = state.timerDues.first?.dueMs ?? Infinity;
  for (const { state: tradingState, expiries, auction } of state.markets.values()) {
    if (tradingState === 'halted') continue;
    dueMs = Math.min(dueMs, expiries.first?.dueMs ?? Infinity, auction?.endsAtMs ?? Infinity);
  }
  return dueMs;
}

/**
 * Does what is due, in due order. Where that is too much for one command, the rest is still due after it; and after an
 * auction too, because what it traded would otherwise be told and ended by one command.
 */
export function elapse(context: Context): Refused | undefined {
  let done = 0;
  let untilMs = context.atMs;
  for (; done < MAX_DUE; done += 1) {
    const next = nextDue(context.state);
    if (next === undefined || next.dueMs > untilMs) break;
    if (next.kind === 'expiry') expireOrder(context, next.market, next.number);
    else if (next.kind === 'timer') fireTimer(context, next.number);
    else {
      endAuction(context, next.market);
      untilMs = next.dueMs;
    }
  }
  return done === 0 ? { ok: false, code: 'validation_failed' } : undefined;
}
