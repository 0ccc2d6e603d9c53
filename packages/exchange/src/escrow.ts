import { cumulativeShare, invariant, mulDiv } from './integers.ts';
import { KIND } from './ledger.ts';
import { type Context, type EscrowRange, NO_RANGE, TOKENS_PER_UNIT } from './state.ts';

const MICROS_PER_TICK = 100;
/** A substitute is never paid more than the 24 h average plus this. */
const SUBSTITUTE_CAP_PERCENT = 110;

/** Puts the net proceeds of one primary fill into escrow, tied to its serials. */
export function openRange(
  context: Context,
  fill: Pick<EscrowRange, 'issuer' | 'instrument' | 'trade' | 'unitFrom' | 'unitTo' | 'escrowMicros'>,
): EscrowRange {
  const { state } = context;
  state.rangeCounter += 1;
  // Written out, here and wherever one is made for every trade: copies by `...` take several times the memory.
  const range: EscrowRange = {
    issuer: fill.issuer,
    instrument: fill.instrument,
    trade: fill.trade,
    unitFrom: fill.unitFrom,
    unitTo: fill.unitTo,
    escrowMicros: fill.escrowMicros,
    range: state.rangeCounter,
    tokensTotal: (fill.unitTo - fill.unitFrom + 1) * TOKENS_PER_UNIT,
    tokensDelivered: 0,
    releasedMicros: 0,
  };
  state.ranges.set(range.range, range);
  state.ledger.post(KIND.escrow, { account: fill.issuer, instrument: fill.instrument }, fill.escrowMicros);
  emitRange(context, range);
  return range;
}

export function emitRange(context: Context, range: EscrowRange, { closed } = { closed: false }): void {
  context.emit({
    type: 'escrow',
    range: range.range,
    issuer: range.issuer,
    instrument: range.instrument,
    trade: range.trade,
    unitFrom: range.unitFrom,
    unitTo: range.unitTo,
    escrowMicros: range.escrowMicros,
    tokensTotal: range.tokensTotal,
    tokensDelivered: range.tokensDelivered,
    releasedMicros: range.releasedMicros,
    closed,
  });
}

/**
 * Counts tokens as delivered and takes what this frees out of escrow: floor(escrow x delivered / total) less what was
 * released before. The caller credits the returned amount.
 */
export function releaseEscrow(context: Context, range: EscrowRange, tokens: number): number {
  range.tokensDelivered += tokens;
  invariant(range.tokensDelivered <= range.tokensTotal, 'escrow: no range delivers more than it sold');
  const released = cumulativeShare(range.escrowMicros, range.tokensDelivered, range.tokensTotal);
  const slice = released - range.releasedMicros;
  range.releasedMicros = released;
  context.state.ledger.post(KIND.escrow, { account: range.issuer, instrument: range.instrument }, -slice);
  const isDone = range.tokensDelivered === range.tokensTotal;
  if (isDone) context.state.ranges.delete(range.range);
  emitRange(context, range, { closed: isDone });
  return slice;
}

/**
 * Units that came back to their issuer: their escrow is the issuer's at once, and nothing stands behind them until they are
 * sold again. Units that were with their issuer already have none.
 * @returns the range of the units afterwards.
 */
export function returnToIssuer(context: Context, range: number, tokens: number): number {
  const { ranges, ledger } = context.state;
  const behind = ranges.get(range);
  if (behind === undefined) return NO_RANGE;
  const slice = releaseEscrow(context, behind, tokens);
  ledger.post(KIND.userProceeds, { account: behind.issuer }, slice);
  return NO_RANGE;
}

/** Highest price a substitute may be paid, in ticks per unit; undefined without a 24 h average. */
export function substituteCapTicks(vwapTicks: number | undefined): number | undefined {
  return vwapTicks === undefined ? undefined : mulDiv(vwapTicks, SUBSTITUTE_CAP_PERCENT, 100);
}

export interface SubstitutePay {
  readonly range: EscrowRange;
  readonly substitute: number;
  readonly tokens: number;
  readonly sliceMicros: number;
  readonly priceTicks: number | undefined;
  readonly capTicks: number | undefined;
}

/**
 * Pays a substitute for an obligor that failed: its price, from the released slice, then the obligor's collateral, then the
 * operator's reserve. A price above the cap, or one that nobody can pay, falls back to the slice. Without a 24 h average
 * there is no cap, so nothing is paid beyond the slice.
 * @returns what the substitute was paid, in micro-dollars.
 */
export function paySubstitute(context: Context, pay: SubstitutePay): number {
  const { ledger } = context.state;
  const { range, sliceMicros } = pay;
  const wanted = substituteAmount(pay);
  const extra = Math.max(0, wanted.micros - sliceMicros);
  const collateral = Math.min(extra, ledger.balance(KIND.collateral, range.issuer));
  const reserve = extra - collateral;
  const isBounded = extra === 0 || pay.capTicks !== undefined;
  const isPayable = wanted.allowed && isBounded && reserve <= ledger.balance(KIND.reserve);
  const paid = isPayable ? wanted.micros : sliceMicros;
  if (isPayable) {
    range.substituteRemainders ??= new Map();
    range.substituteRemainders.set(pay.substitute, wanted.remainder);
    ledger.post(KIND.collateral, { account: range.issuer }, -collateral);
    ledger.post(KIND.reserve, {}, -reserve);
  }
  ledger.post(KIND.reserve, {}, Math.max(0, sliceMicros - paid));
  ledger.post(KIND.userProceeds, { account: pay.substitute }, paid);
  return paid;
}

function substituteAmount(pay: SubstitutePay): { micros: number; remainder: number; allowed: boolean } {
  const { priceTicks, capTicks } = pay;
  if (priceTicks === undefined || (capTicks !== undefined && priceTicks > capTicks)) {
    return { micros: pay.sliceMicros, remainder: 0, allowed: false };
  }
  const before = pay.range.substituteRemainders?.get(pay.substitute) ?? 0;
  const exact = BigInt(priceTicks * MICROS_PER_TICK) * BigInt(pay.tokens) + BigInt(before);
  const unit = BigInt(TOKENS_PER_UNIT);
  return { micros: Number(exact / unit), remainder: Number(exact % unit), allowed: true };
}
