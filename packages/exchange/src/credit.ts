import type { Command } from './commands.ts';
import { returnToIssuer } from './escrow.ts';
import type { Refused } from './events.ts';
import { addSegment, closeLot, cutEnd, emitLot, trimEnd, unitsOf, unopenedUnits } from './holdings.ts';
import { isNonNegativeInteger, isPositiveInteger } from './integers.ts';
import { KIND, type Kind } from './ledger.ts';
import { liftAfterDispute, suspendForDispute } from './standing.ts';
import {
  type Context,
  type Lot,
  NO_RANGE,
  positionsInOrder,
  type Segment,
  TOKENS_PER_UNIT,
} from './state.ts';
import { availableUsd } from './usd.ts';

type Of<K extends Command['kind']> = Extract<Command, { kind: K }>;

const INVALID: Refused = { ok: false, code: 'validation_failed' };
const MICROS_PER_TICK = 100;
/** Disputed money is held where it lies, card money first, so that a won dispute puts it back where it was. */
const DISPUTE_HOLDS: readonly (readonly [Kind, Kind])[] = [
  [KIND.userCard, KIND.disputeHeld],
  [KIND.userProceeds, KIND.disputeHeldProceeds],
];
/** Above this no balance may grow by credits. */
const MAX_CREDIT_MICROS = 1_000_000_000_000_000;
/** What one source of USD may have given in all, so that every sum over accounts stays below 2^53. */
const MAX_SOURCE_MICROS = 2 ** 51;

function isAmount(amountMicros: number): boolean {
  return isPositiveInteger(amountMicros) && amountMicros <= MAX_CREDIT_MICROS;
}

function canGive(context: Context, source: Kind, amountMicros: number): boolean {
  return context.state.ledger.balance(source) - amountMicros >= -MAX_SOURCE_MICROS;
}

/** Credits a top-up that was paid, or a promotion. */
export function credit(context: Context, command: Of<'credit'>): Refused | undefined {
  const { account, amountMicros, origin } = command;
  const { ledger } = context.state;
  if (!isAmount(amountMicros)) return INVALID;
  if (availableUsd(ledger, account) + amountMicros > MAX_CREDIT_MICROS) return INVALID;
  const isPromotion = origin === 'promotional';
  const source = isPromotion ? KIND.promotions : KIND.stripe;
  if (!canGive(context, source, amountMicros)) return INVALID;
  ledger.post(source, {}, -amountMicros);
  ledger.post(isPromotion ? KIND.userPromotional : KIND.userCard, { account }, amountMicros);
  return undefined;
}

export function fundReserve(context: Context, command: Of<'fund_reserve'>): Refused | undefined {
  const { amountMicros } = command;
  if (!isAmount(amountMicros) || !canGive(context, KIND.operatorFunds, amountMicros)) return INVALID;
  context.state.ledger.post(KIND.operatorFunds, {}, -command.amountMicros);
  context.state.ledger.post(KIND.reserve, {}, command.amountMicros);
  return undefined;
}

/** Locks part of a supplier's proceeds as collateral. */
export function lockCollateral(context: Context, command: Of<'lock_collateral'>): Refused | undefined {
  const { account, amountMicros } = command;
  const { ledger } = context.state;
  if (!isAmount(amountMicros)) return INVALID;
  const available = ledger.balance(KIND.userProceeds, account) + ledger.balance(KIND.userCard, account);
  if (available < amountMicros) return tooLittle(amountMicros, available);
  takeInOrder(context, account, { kinds: [KIND.userProceeds, KIND.userCard], amountMicros });
  ledger.post(KIND.collateral, { account }, amountMicros);
  return undefined;
}

/** Reserves card money for a refund before the payment processor is called. */
export function openRefund(context: Context, command: Of<'open_refund'>): Refused | undefined {
  const { account, amountMicros } = command;
  const { ledger } = context.state;
  if (!isAmount(amountMicros)) return INVALID;
  const available = ledger.balance(KIND.userCard, account);
  if (available < amountMicros) return tooLittle(amountMicros, available);
  ledger.post(KIND.userCard, { account }, -amountMicros);
  ledger.post(KIND.refundPending, { account }, amountMicros);
  return undefined;
}

export function closeRefund(context: Context, command: Of<'close_refund'>): Refused | undefined {
  const { account, amountMicros } = command;
  const { ledger } = context.state;
  if (!isAmount(amountMicros)) return INVALID;
  const pending = ledger.balance(KIND.refundPending, account);
  if (pending < amountMicros) return tooLittle(amountMicros, pending);
  ledger.post(KIND.refundPending, { account }, -amountMicros);
  if (command.outcome === 'succeeded') ledger.post(KIND.stripe, {}, amountMicros);
  else ledger.post(KIND.userCard, { account }, amountMicros);
  return undefined;
}

/** Suspends the account, cancels its orders and holds the disputed amount as far as it is there. */
export function openDispute(context: Context, command: Of<'open_dispute'>): Refused | undefined {
  const { account, amountMicros } = command;
  const { state } = context;
  if (!isAmount(amountMicros)) return INVALID;
  suspendForDispute(context, account);
  state.accounts.get(account)!.openDisputes += 1;
  let left = amountMicros;
  for (const [from, to] of DISPUTE_HOLDS) {
    const part = Math.min(left, state.ledger.balance(from, account));
    state.ledger.post(from, { account }, -part);
    state.ledger.post(to, { account }, part);
    left -= part;
  }
  return undefined;
}

export function closeDispute(context: Context, command: Of<'close_dispute'>): Refused | undefined {
  const { state } = context;
  const { account, operator } = command;
  const isValid = isAmount(command.amountMicros) && isNonNegativeInteger(command.processorFeeMicros);
  if (!isValid || !state.accounts.has(operator)) return INVALID;
  const isWon = command.outcome === 'won';
  // A dispute can end without ever having been announced: what its opening does is then done here.
  if (!isWon) suspendForDispute(context, account);
  const holder = state.accounts.get(account)!;
  holder.openDisputes = Math.max(0, holder.openDisputes - 1);
  let debt = command.amountMicros;
  for (const [origin, hold] of DISPUTE_HOLDS) {
    const part = Math.min(debt, state.ledger.balance(hold, account));
    state.ledger.post(hold, { account }, -part);
    if (isWon) state.ledger.post(origin, { account }, part);
    debt -= part;
  }
  if (isWon) {
    const isSettled = holder.openDisputes === 0 && state.ledger.balance(KIND.badDebt, account) === 0;
    if (isSettled) liftAfterDispute(context, account);
    return undefined;
  }
  const seized = seizeUnits(context, account, { operator, debtMicros: debt });
  state.ledger.post(KIND.operatorFunds, {}, -seized);
  state.ledger.post(KIND.badDebt, { account }, -(debt - seized));
  state.ledger.post(KIND.stripeFees, {}, -command.processorFeeMicros);
  state.ledger.post(KIND.stripe, {}, command.amountMicros + command.processorFeeMicros);
  return undefined;
}

function tooLittle(required: number, available: number): Refused {
  return { ok: false, code: 'insufficient_balance', context: { asset: 'USD', required, available } };
}

function takeInOrder(
  context: Context,
  account: number,
  take: { kinds: readonly Kind[]; amountMicros: number },
): void {
  let left = take.amountMicros;
  for (const kind of take.kinds) {
    const part = Math.min(left, context.state.ledger.balance(kind, account));
    context.state.ledger.post(kind, { account }, -part);
    left -= part;
  }
}

/**
 * Moves unopened units to the operator at their acquisition price, newest first, as long as they fit into the debt.
 * @returns the value taken over, in micro-dollars.
 */
function seizeUnits(
  context: Context,
  account: number,
  claim: { operator: number; debtMicros: number },
): number {
  let left = claim.debtMicros;
  for (const [instrument, position] of positionsInOrder(context.state.accounts.get(account)!)) {
    const target = { operator: claim.operator, instrument };
    for (const lot of [...position.lots].reverse()) left -= seizeFromLot(context, lot, { ...target, left });
    for (const segment of [...position.segments].reverse()) {
      left -= seizeFromSegment(context, account, segment, { ...target, left });
    }
  }
  return claim.debtMicros - left;
}

interface Seizure {
  readonly operator: number;
  readonly instrument: number;
  readonly left: number;
}

/** Whole unopened units from the end of a run whose price fits into what is owed. */
function seizableUnits(run: Segment, unopened: number, leftMicros: number): number {
  if (run.priceTicks === null || run.priceTicks === 0) return 0;
  // Units that are back with their issuer are worth what the issuer would deliver: nobody's money stands behind them.
  if (run.range === NO_RANGE) return 0;
  return Math.min(unopened, Math.floor(leftMicros / (run.priceTicks * MICROS_PER_TICK)));
}

function seizeFromLot(context: Context, lot: Lot, seizure: Seizure): number {
  const units = seizableUnits(lot, unopenedUnits(lot), seizure.left);
  if (units === 0) return 0;
  const { account, instrument } = lot;
  const value = units * lot.priceTicks! * MICROS_PER_TICK;
  const moved = cutEnd(lot, units);
  trimEnd(lot, units);
  context.state.ledger.post(KIND.consumption, { account, instrument }, -units * TOKENS_PER_UNIT);
  giveToOperator(context, moved, seizure);
  if (lot.tokensRemaining === 0) closeLot(context, lot);
  emitLot(context, lot, lot.tokensRemaining === 0 ? 'moved' : 'open');
  return value;
}

function seizeFromSegment(context: Context, account: number, segment: Segment, seizure: Seizure): number {
  const units = seizableUnits(segment, unitsOf(segment), seizure.left);
  if (units === 0) return 0;
  const value = units * segment.priceTicks! * MICROS_PER_TICK;
  const isWhole = units === unitsOf(segment);
  const moved = cutEnd(segment, units);
  const { segments } = context.state.position(account, seizure.instrument);
  if (isWhole) segments.splice(segments.indexOf(segment), 1);
  else segment.unitTo -= units;
  const owner = { account, instrument: seizure.instrument };
  context.state.ledger.post(KIND.trading, owner, -units * TOKENS_PER_UNIT);
  giveToOperator(context, moved, seizure);
  return value;
}

function giveToOperator(context: Context, units: Segment, seizure: Seizure): void {
  const { operator, instrument } = seizure;
  const tokens = unitsOf(units) * TOKENS_PER_UNIT;
  context.state.ledger.post(KIND.trading, { account: operator, instrument }, tokens);
  if (units.issuer === operator) units.range = returnToIssuer(context, units.range, tokens);
  addSegment(context.state.position(operator, instrument), units);
}
