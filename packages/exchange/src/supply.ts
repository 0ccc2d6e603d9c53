import { cancelAll } from './cancel-order.ts';
import { emitRange } from './escrow.ts';
import type { Refused } from './events.ts';
import { addSegment, closeLot, emitLot, openLot, takeUnits, unitsOf } from './holdings.ts';
import { cumulativeShare, isPositiveInteger, mulDiv } from './integers.ts';
import { KIND } from './ledger.ts';
import {
  type Context,
  type EscrowRange,
  type Lot,
  NO_RANGE,
  type Segment,
  TOKENS_PER_UNIT,
} from './state.ts';
import { creditSale } from './usd.ts';

interface Quantity {
  readonly account: number;
  readonly instrument: number;
  readonly quantityUnits: number;
}

const MICROS_PER_TICK = 100;
const MAX_ISSUE_UNITS = 1_000_000_000;
/** All units of one instrument together, so that their tokens can be counted below 2^53. */
const MAX_INSTRUMENT_UNITS = 9_000_000_000;

/** Mints serial-numbered units into the issuer's issuance account. */
export function issue(context: Context, command: Quantity): Refused | undefined {
  const { account, instrument, quantityUnits } = command;
  if (!isPositiveInteger(quantityUnits) || quantityUnits > MAX_ISSUE_UNITS) {
    return { ok: false, code: 'validation_failed' };
  }
  const { state } = context;
  const market = state.market(instrument);
  const unitFrom = market.nextUnit;
  const unitTo = unitFrom + quantityUnits - 1;
  if (unitTo > MAX_INSTRUMENT_UNITS) return { ok: false, code: 'validation_failed' };
  market.nextUnit = unitTo + 1;
  state.position(account, instrument).issued.push({ unitFrom, unitTo });
  const tokens = quantityUnits * TOKENS_PER_UNIT;
  state.ledger.post(KIND.issued, { instrument }, -tokens);
  state.ledger.post(KIND.issuance, { account, instrument }, tokens);
  context.emit({ type: 'issued', account, instrument, unitFrom, unitTo });
  return undefined;
}

/** Moves issued units to the issuer's trading account, lowest serials first. */
export function transferIssued(context: Context, command: Quantity): Refused | undefined {
  const { account, instrument, quantityUnits } = command;
  const { ledger } = context.state;
  const short = shortOf(context, command, KIND.issuance);
  if (short !== undefined) return short;
  const position = context.state.position(account, instrument);
  let left = quantityUnits;
  while (left > 0) {
    const run = position.issued[0]!;
    const units = Math.min(left, unitsOf(run));
    addSegment(position, issuedSegment(context, account, { unitFrom: run.unitFrom, units }));
    run.unitFrom += units;
    if (run.unitFrom > run.unitTo) position.issued.shift();
    left -= units;
  }
  const tokens = quantityUnits * TOKENS_PER_UNIT;
  ledger.post(KIND.issuance, { account, instrument }, -tokens);
  ledger.post(KIND.trading, { account, instrument }, tokens);
  context.emit({
    type: 'transferred',
    account,
    instrument,
    direction: 'issuance_to_trading',
    origin: 'user',
    quantityUnits,
  });
  return undefined;
}

function issuedSegment(context: Context, issuer: number, run: { unitFrom: number; units: number }): Segment {
  context.state.acquisitionCounter += 1;
  return {
    acquisition: context.state.acquisitionCounter,
    unitFrom: run.unitFrom,
    unitTo: run.unitFrom + run.units - 1,
    trade: 0,
    priceTicks: null,
    promotionalMicros: 0,
    feeMicros: 0,
    issuer,
    range: NO_RANGE,
  };
}

function shortOf(context: Context, command: Quantity, kind: 101 | 102): Refused | undefined {
  const { account, instrument, quantityUnits } = command;
  if (!isPositiveInteger(quantityUnits) || quantityUnits > MAX_ISSUE_UNITS) {
    return { ok: false, code: 'validation_failed' };
  }
  const required = quantityUnits * TOKENS_PER_UNIT;
  const available = context.state.ledger.balance(kind, account, instrument);
  if (available >= required) return undefined;
  return { ok: false, code: 'insufficient_balance', context: { asset: 'tokens', required, available } };
}

/** Takes unsold units that are still in issuance out of the world, newest serials first. */
export function retireIssued(context: Context, command: Quantity): Refused | undefined {
  const { account, instrument, quantityUnits } = command;
  const short = shortOf(context, command, KIND.issuance);
  if (short !== undefined) return short;
  const { issued } = context.state.position(account, instrument);
  let left = quantityUnits;
  while (left > 0) {
    const run = issued[issued.length - 1]!;
    const units = Math.min(left, unitsOf(run));
    emitRetired(context, command, { unitFrom: run.unitTo - units + 1, unitTo: run.unitTo });
    run.unitTo -= units;
    if (run.unitFrom > run.unitTo) issued.pop();
    left -= units;
  }
  const tokens = quantityUnits * TOKENS_PER_UNIT;
  context.state.ledger.post(KIND.issuance, { account, instrument }, -tokens);
  context.state.ledger.post(KIND.retired, { instrument }, tokens);
  return undefined;
}

function emitRetired(
  context: Context,
  owner: { account: number; instrument: number },
  { unitFrom, unitTo }: { unitFrom: number; unitTo: number },
): void {
  const { account, instrument } = owner;
  context.emit({ type: 'retired', account, instrument, unitFrom, unitTo });
}

/** Moves units from the front of the holdings to consumption, where each run becomes a lot. */
export function transferToConsumption(context: Context, command: Quantity): Refused | undefined {
  const { account, instrument, quantityUnits } = command;
  const short = shortOf(context, command, KIND.trading);
  if (short !== undefined) return short;
  const { state } = context;
  const tokens = quantityUnits * TOKENS_PER_UNIT;
  state.ledger.post(KIND.trading, { account, instrument }, -tokens);
  state.ledger.post(KIND.consumption, { account, instrument }, tokens);
  for (const segment of takeUnits(state.position(account, instrument), quantityUnits)) {
    openLot(context, { account, instrument }, segment);
  }
  context.emit({
    type: 'transferred',
    account,
    instrument,
    direction: 'trading_to_consumption',
    origin: 'user',
    quantityUnits,
  });
  return undefined;
}

/** Undelivered units of one range that somebody holds, with what they cost. */
interface Outstanding {
  readonly holder: number;
  readonly range: EscrowRange;
  readonly tokens: number;
  readonly tokensBefore: number;
  readonly segment: Segment;
  readonly lot?: Lot;
}

/**
 * Ends an issuer's obligation in one instrument: unsold units are retired, undelivered units are bought back at
 * min(acquisition price, escrow left per undelivered token of their range), our fees on them are returned, and what is left of
 * the escrow goes to the reserve. Holders' resting sell orders are cancelled first, since they lock quantities.
 */
export function terminateSupplier(context: Context, command: { account: number; instrument: number }): void {
  const outstanding = collectOutstanding(context, command);
  for (const holder of new Set([command.account, ...outstanding.map((item) => item.holder)])) {
    cancelAll(context, { account: holder, instrument: command.instrument }, 'admin');
  }
  retireUnsold(context, command);
  const escrowLeft = new Map<EscrowRange, number>();
  for (const item of outstanding) {
    const { range } = item;
    const left = escrowLeft.get(range) ?? range.escrowMicros - range.releasedMicros;
    escrowLeft.set(range, left - buyBack(context, command.instrument, item));
  }
  for (const [range, leftMicros] of escrowLeft) closeRange(context, range, leftMicros);
}

function collectOutstanding(
  context: Context,
  issuer: { account: number; instrument: number },
): Outstanding[] {
  const found: Outstanding[] = [];
  for (const holder of context.state.accounts.values()) {
    const position = holder.positions.get(issuer.instrument);
    if (position === undefined) continue;
    for (const segment of position.segments) {
      const tokens = unitsOf(segment) * TOKENS_PER_UNIT;
      pushOutstanding(
        context,
        found,
        { holder: holder.account, segment, tokens, tokensBefore: tokens },
        issuer,
      );
    }
    for (const lot of position.lots) {
      const { tokensRemaining: tokens, tokensTotal: tokensBefore } = lot;
      const item = { holder: holder.account, segment: lot, tokens, tokensBefore, lot };
      pushOutstanding(context, found, item, issuer);
    }
  }
  return found;
}

function pushOutstanding(
  context: Context,
  found: Outstanding[],
  item: Omit<Outstanding, 'range'>,
  issuer: { account: number },
): void {
  const { segment } = item;
  if (segment.issuer !== issuer.account || segment.range === NO_RANGE) return;
  found.push({ ...item, range: context.state.ranges.get(segment.range)! });
}

/** Buys one run back and returns what its escrow paid for it. */
function buyBack(context: Context, instrument: number, item: Outstanding): number {
  const { state } = context;
  const { holder, range, tokens, tokensBefore, segment } = item;
  const atCost = mulDiv(tokens, segment.priceTicks! * MICROS_PER_TICK, TOKENS_PER_UNIT);
  const left = range.escrowMicros - range.releasedMicros;
  const atEscrow = mulDiv(tokens, left, range.tokensTotal - range.tokensDelivered);
  const net = Math.min(atCost, atEscrow);
  const consumed = tokensBefore - tokens;
  const unconsumed = (total: number): number => total - cumulativeShare(total, consumed, tokensBefore);
  state.ledger.post(KIND.escrow, { account: range.issuer, instrument }, -net);
  creditSale(state.ledger, holder, { net, promotional: unconsumed(segment.promotionalMicros) });
  const fee = unconsumed(segment.feeMicros);
  state.ledger.post(KIND.fees, {}, -fee);
  state.ledger.post(KIND.userProceeds, { account: holder }, fee);
  takeBack(context, instrument, item);
  return net;
}

function takeBack(context: Context, instrument: number, item: Outstanding): void {
  const { state } = context;
  const { holder, tokens, segment, lot } = item;
  const kind = lot === undefined ? KIND.trading : KIND.consumption;
  state.ledger.post(kind, { account: holder, instrument }, -tokens);
  state.ledger.post(KIND.boughtBack, { instrument }, tokens);
  if (lot === undefined) {
    const { segments } = state.position(holder, instrument);
    segments.splice(segments.indexOf(segment), 1);
    return;
  }
  lot.free = [];
  lot.tokensRemaining = 0;
  closeLot(context, lot);
  emitLot(context, lot, 'bought_back');
}

function closeRange(context: Context, range: EscrowRange, leftMicros: number): void {
  const { state } = context;
  const owner = { account: range.issuer, instrument: range.instrument };
  state.ledger.post(KIND.escrow, owner, -leftMicros);
  state.ledger.post(KIND.reserve, {}, leftMicros);
  state.ranges.delete(range.range);
  emitRange(context, range, { closed: true });
}

function retireUnsold(context: Context, command: { account: number; instrument: number }): void {
  const { state } = context;
  const { account, instrument } = command;
  const position = state.position(account, instrument);
  for (const run of position.issued.splice(0)) emitRetired(context, command, run);
  const isUnsold = (segment: Segment): boolean => segment.issuer === account && segment.range === NO_RANGE;
  let tokens = 0;
  for (const segment of position.segments.filter(isUnsold)) {
    tokens += unitsOf(segment) * TOKENS_PER_UNIT;
    emitRetired(context, command, segment);
  }
  const kept = position.segments.filter((segment) => !isUnsold(segment));
  position.segments.splice(0, position.segments.length, ...kept);
  const unissued = state.ledger.balance(KIND.issuance, account, instrument);
  state.ledger.post(KIND.issuance, { account, instrument }, -unissued);
  state.ledger.post(KIND.trading, { account, instrument }, -tokens);
  state.ledger.post(KIND.retired, { instrument }, unissued + tokens);
}
