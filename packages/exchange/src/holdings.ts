import { cumulativeShare, invariant, isNonNegativeInteger } from './integers.ts';
import { type Context, type Lot, type Position, type Segment, TOKENS_PER_UNIT } from './state.ts';

export function unitsOf(run: { unitFrom: number; unitTo: number }): number {
  return run.unitTo - run.unitFrom + 1;
}

/** Cuts the first `units` off a segment. Money shares are cumulative, so the two parts add up to the whole. */
function splitFront(segment: Segment, units: number): Segment {
  const whole = unitsOf(segment);
  const front: Segment = {
    acquisition: segment.acquisition,
    unitFrom: segment.unitFrom,
    unitTo: segment.unitFrom + units - 1,
    trade: segment.trade,
    priceTicks: segment.priceTicks,
    promotionalMicros: cumulativeShare(segment.promotionalMicros, units, whole),
    feeMicros: cumulativeShare(segment.feeMicros, units, whole),
    issuer: segment.issuer,
    range: segment.range,
  };
  segment.unitFrom += units;
  segment.promotionalMicros -= front.promotionalMicros;
  segment.feeMicros -= front.feeMicros;
  return front;
}

/** Takes whole units from the front of the holdings: oldest acquisition first, then lowest serial. */
export function takeUnits(position: Position, units: number): Segment[] {
  const taken: Segment[] = [];
  let left = units;
  while (left > 0) {
    const first = position.segments[0];
    invariant(first !== undefined, 'holdings: the trading balance equals the units held');
    const size = unitsOf(first);
    if (size <= left) {
      position.segments.shift();
      taken.push(first);
      left -= size;
    } else {
      taken.push(splitFront(first, left));
      left = 0;
    }
  }
  return taken;
}

function isBefore(a: Segment, b: Segment): boolean {
  return a.acquisition < b.acquisition || (a.acquisition === b.acquisition && a.unitFrom < b.unitFrom);
}

function insertOrdered<T extends Segment>(list: T[], item: T): void {
  let index = list.length;
  while (index > 0 && isBefore(item, list[index - 1]!)) index -= 1;
  list.splice(index, 0, item);
}

export function addSegment(position: Position, segment: Segment): void {
  insertOrdered(position.segments, segment);
}

/** Turns a segment into a lot of the owner's consumption account. */
export function openLot(
  context: Context,
  owner: { account: number; instrument: number },
  segment: Segment,
): Lot {
  const { state } = context;
  state.lotCounter += 1;
  const tokensTotal = unitsOf(segment) * TOKENS_PER_UNIT;
  const lot: Lot = {
    acquisition: segment.acquisition,
    unitFrom: segment.unitFrom,
    unitTo: segment.unitTo,
    trade: segment.trade,
    priceTicks: segment.priceTicks,
    promotionalMicros: segment.promotionalMicros,
    feeMicros: segment.feeMicros,
    issuer: segment.issuer,
    range: segment.range,
    account: owner.account,
    instrument: owner.instrument,
    lot: state.lotCounter,
    tokensTotal,
    tokensRemaining: tokensTotal,
    free: [0, tokensTotal],
  };
  state.lots.set(lot.lot, lot);
  insertOrdered(state.position(owner.account, owner.instrument).lots, lot);
  emitLot(context, lot, 'open', { opened: true });
  return lot;
}

export function emitLot(
  context: Context,
  lot: Lot,
  status: 'open' | 'exhausted' | 'moved' | 'bought_back',
  { opened } = { opened: false },
): void {
  context.emit({
    type: 'lot',
    lot: lot.lot,
    account: lot.account,
    instrument: lot.instrument,
    trade: lot.trade,
    priceTicks: lot.priceTicks,
    issuer: lot.issuer,
    acquisition: lot.acquisition,
    unitFrom: lot.unitFrom,
    unitTo: lot.unitTo,
    tokensTotal: lot.tokensTotal,
    tokensRemaining: lot.tokensRemaining,
    status,
    opened,
  });
}

/** Index of the free pair of a lot that contains [from, to), or -1. */
function findFree(free: readonly number[], from: number, to: number): number {
  for (let index = 0; index < free.length; index += 2) {
    if (free[index]! <= from && to <= free[index + 1]!) return index;
  }
  return -1;
}

export function isFree(lot: Lot, from: number, to: number): boolean {
  const isRange = isNonNegativeInteger(from) && isNonNegativeInteger(to) && from < to;
  return isRange && findFree(lot.free, from, to) !== -1;
}

/** Takes [from, to) out of a lot. The range was checked to be free. */
export function drawRange(lot: Lot, from: number, to: number): void {
  const index = findFree(lot.free, from, to);
  invariant(index !== -1, 'lots: a drawn range was free');
  const start = lot.free[index]!;
  const end = lot.free[index + 1]!;
  const rest: number[] = [];
  if (start < from) rest.push(start, from);
  if (to < end) rest.push(to, end);
  lot.free.splice(index, 2, ...rest);
  lot.tokensRemaining -= to - from;
}

/** Whole units at the end of a lot that nothing was drawn from. */
export function unopenedUnits({ free, tokensTotal }: Lot): number {
  if (free[free.length - 1] !== tokensTotal) return 0;
  return Math.floor((tokensTotal - free[free.length - 2]!) / TOKENS_PER_UNIT);
}

/** Makes a lot end earlier by whole units that nobody has drawn from. */
export function trimEnd(lot: Lot, units: number): void {
  const tokens = units * TOKENS_PER_UNIT;
  lot.unitTo -= units;
  lot.tokensTotal -= tokens;
  lot.tokensRemaining -= tokens;
  const last = lot.free.length - 1;
  lot.free[last]! -= tokens;
  if (lot.free[last] === lot.free[last - 1]) lot.free.splice(last - 1, 2);
}

/** The last `units` of a run as a segment of their own. Money shares of what stays are the cumulative ones. */
export function cutEnd(run: Segment, units: number): Segment {
  const whole = unitsOf(run);
  const promotional = cumulativeShare(run.promotionalMicros, whole - units, whole);
  const fee = cumulativeShare(run.feeMicros, whole - units, whole);
  const { acquisition, unitTo, trade, priceTicks, issuer, range } = run;
  const cut: Segment = {
    acquisition,
    unitFrom: unitTo - units + 1,
    unitTo,
    trade,
    priceTicks,
    issuer,
    range,
    promotionalMicros: run.promotionalMicros - promotional,
    feeMicros: run.feeMicros - fee,
  };
  run.promotionalMicros = promotional;
  run.feeMicros = fee;
  return cut;
}

/** Removes a lot from its account, after its last token was drawn or taken back. */
export function closeLot(context: Context, lot: Lot): void {
  const { lots } = context.state.position(lot.account, lot.instrument);
  const index = lots.indexOf(lot);
  invariant(index !== -1, 'lots: a closed lot was open');
  lots.splice(index, 1);
  context.state.lots.delete(lot.lot);
}
