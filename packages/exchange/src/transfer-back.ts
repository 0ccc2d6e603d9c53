import type { LotUnits } from './commands.ts';
import type { Refused } from './events.ts';
import { addSegment, closeLot, cutEnd, emitLot, trimEnd, unopenedUnits } from './holdings.ts';
import { KIND } from './ledger.ts';
import { type Context, type ExchangeState, type Lot, TOKENS_PER_UNIT } from './state.ts';

interface TransferBack {
  readonly account: number;
  readonly instrument: number;
  readonly runs: readonly LotUnits[];
}

/**
 * Brings whole, unopened units back from consumption. They keep what they are: acquisition, trade, price, promotional
 * share, issuer and the escrow behind them. Which units are free of requests in flight only the edge knows, so it names
 * them, and every run must be the undrawn end of its lot.
 */
export function transferToTrading(context: Context, command: TransferBack): Refused | undefined {
  const { state } = context;
  const { account, instrument, runs } = command;
  if (runs.length === 0) return { ok: false, code: 'validation_failed' };
  const lots = new Set(runs.map(({ lot }) => lot));
  if (lots.size < runs.length || !runs.every((run) => isUndrawnEnd(state, command, run))) {
    return { ok: false, code: 'transfer_not_allowed' };
  }
  let quantityUnits = 0;
  for (const { lot, unitFrom, unitTo } of runs) {
    const units = unitTo - unitFrom + 1;
    moveEnd(context, state.lots.get(lot)!, units);
    quantityUnits += units;
  }
  const tokens = quantityUnits * TOKENS_PER_UNIT;
  state.ledger.post(KIND.consumption, { account, instrument }, -tokens);
  state.ledger.post(KIND.trading, { account, instrument }, tokens);
  const direction = 'consumption_to_trading';
  context.emit({ type: 'transferred', account, instrument, direction, origin: 'user', quantityUnits });
  return undefined;
}

function isUndrawnEnd(
  state: ExchangeState,
  owner: { account: number; instrument: number },
  { lot: number, unitFrom, unitTo }: LotUnits,
): boolean {
  const lot = state.lots.get(number);
  if (lot === undefined || lot.account !== owner.account || lot.instrument !== owner.instrument) return false;
  const units = unitTo - unitFrom + 1;
  return unitTo === lot.unitTo && Number.isSafeInteger(unitFrom) && units > 0 && units <= unopenedUnits(lot);
}

function moveEnd(context: Context, lot: Lot, units: number): void {
  const moved = cutEnd(lot, units);
  trimEnd(lot, units);
  addSegment(context.state.position(lot.account, lot.instrument), moved);
  const isGone = lot.tokensRemaining === 0;
  if (isGone) closeLot(context, lot);
  emitLot(context, lot, isGone ? 'moved' : 'open');
}
