import type { LotRange, LotUnits } from './commands.ts';
import type { LotEvent } from './events.ts';
import { invariant } from './integers.ts';
import { TOKENS_PER_UNIT } from './state.ts';

/** An undrawn, unreserved run of tokens of one lot, with what orders it among the others. */
interface Piece {
  readonly lot: number;
  readonly acquisition: number;
  readonly unitFrom: number;
  from: number;
  to: number;
}

function isBefore(a: Piece, b: Piece): boolean {
  if (a.acquisition !== b.acquisition) return a.acquisition < b.acquisition;
  if (a.unitFrom !== b.unitFrom) return a.unitFrom < b.unitFrom;
  return a.from < b.from;
}

/** Tokens of a hold: earmarked lot ranges in drawing order. */
export interface Hold {
  readonly account: number;
  readonly instrument: number;
  ranges: LotRange[];
}

export function heldTokens(hold: Hold): number {
  return hold.ranges.reduce((sum, range) => sum + range.to - range.from, 0);
}

/** Free tokens of one consumption account in drawing order. */
class TokenPool {
  readonly lots = new Map<number, { acquisition: number; unitFrom: number; tokensTotal: number }>();
  free = 0;
  held = 0;
  private pieces: Piece[] = [];

  /** Puts ranges back to their old places. A hold may be many short runs, so they are merged in as one. */
  insert(ranges: readonly LotRange[]): void {
    const incoming: Piece[] = [];
    for (const range of ranges) {
      const piece = this.pieceOf(range);
      if (piece === undefined) continue;
      this.free += piece.to - piece.from;
      incoming.push(piece);
    }
    const first = incoming[0];
    if (first === undefined) return;
    // A hold that grew may have later runs in front of earlier ones.
    if (incoming.some((piece, index) => index > 0 && isBefore(piece, incoming[index - 1]!))) {
      incoming.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    }
    const start = Math.max(0, this.placeOf(incoming[0]!) - 1);
    const end = Math.min(this.pieces.length, this.placeOf(incoming[incoming.length - 1]!) + 1);
    const merged = mergePieces(this.pieces.slice(start, end), incoming);
    this.pieces = [...this.pieces.slice(0, start), ...merged, ...this.pieces.slice(end)];
  }

  private pieceOf(range: LotRange): Piece | undefined {
    const lot = this.lots.get(range.lot);
    if (lot === undefined) return undefined;
    const { acquisition, unitFrom, tokensTotal } = lot;
    const to = Math.min(range.to, tokensTotal);
    return range.from < to ? { lot: range.lot, from: range.from, to, acquisition, unitFrom } : undefined;
  }

  /** Takes `tokens` from the front. The caller checked that they are there. */
  take(tokens: number): LotRange[] {
    const ranges: LotRange[] = [];
    let left = tokens;
    let emptied = 0;
    while (left > 0) {
      const first = this.pieces[emptied];
      invariant(first !== undefined, 'earmarks: the free count equals the free pieces');
      const part = Math.min(left, first.to - first.from);
      ranges.push({ lot: first.lot, from: first.from, to: first.from + part });
      first.from += part;
      if (first.from === first.to) emptied += 1;
      left -= part;
    }
    if (emptied > 0) this.pieces.splice(0, emptied);
    this.free -= tokens;
    return ranges;
  }

  /** Takes whole units from the undrawn, unreserved ends of lots, newest lots first; nothing when there are too few. */
  takeEnds(units: number, only: number | undefined): LotRange[] | undefined {
    const ends = this.pieces.filter(
      ({ lot, to }) => to === this.lots.get(lot)!.tokensTotal && (only === undefined || lot === only),
    );
    const ranges: LotRange[] = [];
    let left = units;
    for (const { lot, from, to } of ends.reverse()) {
      const part = Math.min(left, Math.floor((to - from) / TOKENS_PER_UNIT));
      if (part > 0) ranges.push({ lot, from: to - part * TOKENS_PER_UNIT, to });
      left -= part;
    }
    if (left > 0) return undefined;
    for (const range of ranges) this.cutEnd(range);
    this.free -= units * TOKENS_PER_UNIT;
    return ranges;
  }

  private cutEnd({ lot, from, to }: LotRange): void {
    const index = this.pieces.findIndex((piece) => piece.lot === lot && piece.to === to);
    const piece = this.pieces[index]!;
    piece.to = from;
    if (piece.from === piece.to) this.pieces.splice(index, 1);
  }

  dropLot(lot: number): void {
    this.lots.delete(lot);
    for (const piece of this.pieces) if (piece.lot === lot) this.free -= piece.to - piece.from;
    this.pieces = this.pieces.filter((piece) => piece.lot !== lot);
  }

  /** Follows a lot that now ends earlier: what lies beyond its end is neither free nor given back any more. */
  trimLot(lot: number, tokensTotal: number): void {
    const known = this.lots.get(lot);
    if (known === undefined || known.tokensTotal <= tokensTotal) return;
    known.tokensTotal = tokensTotal;
    for (const piece of this.pieces) {
      if (piece.lot !== lot || piece.to <= tokensTotal) continue;
      const end = Math.max(piece.from, tokensTotal);
      this.free -= piece.to - end;
      piece.to = end;
    }
    this.pieces = this.pieces.filter((piece) => piece.from < piece.to);
  }

  /** Index of the first piece that does not come before `piece`: a binary search, since every request gives back. */
  private placeOf(piece: Piece): number {
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.pieces[middle]!, piece)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Two sorted runs of pieces as one, joined where they touch. */
function mergePieces(left: readonly Piece[], right: readonly Piece[]): Piece[] {
  const merged: Piece[] = [];
  let at = 0;
  for (const piece of right) {
    while (at < left.length && isBefore(left[at]!, piece)) {
      appendPiece(merged, left[at]!);
      at += 1;
    }
    appendPiece(merged, piece);
  }
  for (; at < left.length; at += 1) appendPiece(merged, left[at]!);
  return merged;
}

function appendPiece(pieces: Piece[], piece: Piece): void {
  const last = pieces[pieces.length - 1];
  if (last !== undefined && last.lot === piece.lot && last.to === piece.from) last.to = piece.to;
  else pieces.push(piece);
}

/**
 * Holds of requests in flight. A hold earmarks lot ranges from the front of the consumption account; what it does not use
 * goes back to its old place. Kept in memory only: holds die with the process, as the requests do.
 */
export class Earmarks {
  private readonly pools = new Map<number, Map<number, TokenPool>>();

  freeTokens(account: number, instrument: number): number {
    return this.pools.get(account)?.get(instrument)?.free ?? 0;
  }

  heldTokens(account: number, instrument: number): number {
    return this.pools.get(account)?.get(instrument)?.held ?? 0;
  }

  /**
   * Follows the committed events of lots. Draws need nothing: their tokens left when they were reserved. A lot whose end was
   * taken away keeps its other tokens; holds on what is gone end when their settlement is refused.
   */
  follow(event: LotEvent): void {
    const pool = this.pool(event.account, event.instrument);
    if (event.opened) this.addLot(event, [0, event.tokensTotal]);
    else if (event.status === 'open') pool.trimLot(event.lot, event.tokensTotal);
    else pool.dropLot(event.lot);
  }

  /** Registers a lot with its undrawn ranges as flat pairs (at start-up, from the restored state). */
  addLot(
    lot: Pick<LotEvent, 'account' | 'instrument' | 'lot' | 'acquisition' | 'unitFrom' | 'tokensTotal'>,
    free: readonly number[],
  ): void {
    const pool = this.pool(lot.account, lot.instrument);
    const { acquisition, unitFrom, tokensTotal } = lot;
    pool.lots.set(lot.lot, { acquisition, unitFrom, tokensTotal });
    const ranges: LotRange[] = [];
    for (let index = 0; index < free.length; index += 2) {
      ranges.push({ lot: lot.lot, from: free[index]!, to: free[index + 1]! });
    }
    pool.insert(ranges);
  }

  /** Earmarks exactly `tokens`, or nothing. */
  reserve(account: number, instrument: number, tokens: number): Hold | undefined {
    const hold: Hold = { account, instrument, ranges: [] };
    return this.grow(hold, tokens) ? hold : undefined;
  }

  /**
   * Earmarks whole, unopened units to be moved away: from the ends of lots, newest lots first, or of one lot. Undefined when
   * there are too few that no request has. End it with {@link spent} or {@link giveBack}, as a hold that was closed.
   */
  reserveUnits(
    owner: { account: number; instrument: number },
    units: number,
    lot?: number,
  ): { ranges: readonly LotRange[]; runs: LotUnits[] } | undefined {
    const pool = this.pool(owner.account, owner.instrument);
    const ranges = pool.takeEnds(units, lot);
    if (ranges === undefined) return undefined;
    pool.held += units * TOKENS_PER_UNIT;
    const runs = ranges.map((range) => {
      const { unitFrom } = pool.lots.get(range.lot)!;
      const first = unitFrom + range.from / TOKENS_PER_UNIT;
      return { lot: range.lot, unitFrom: first, unitTo: unitFrom + range.to / TOKENS_PER_UNIT - 1 };
    });
    return { ranges, runs };
  }

  /** Adds exactly `tokens` to a hold, or nothing. */
  grow(hold: Hold, tokens: number): boolean {
    const pool = this.pool(hold.account, hold.instrument);
    if (pool.free < tokens) return false;
    pool.held += tokens;
    for (const range of pool.take(tokens)) appendRange(hold.ranges, range);
    return true;
  }

  /**
   * Splits a hold at the end of its request: the first `usedTokens` are to be drawn, the rest goes back to the pool. The
   * hold is empty afterwards; call {@link spent} with the returned ranges once they are settled, or {@link giveBack} if
   * the settlement was refused.
   */
  close(hold: Hold, usedTokens: number): LotRange[] {
    const used: LotRange[] = [];
    let left = usedTokens;
    const rest: LotRange[] = [];
    for (const range of hold.ranges) {
      const part = Math.min(left, range.to - range.from);
      if (part > 0) used.push({ lot: range.lot, from: range.from, to: range.from + part });
      if (range.from + part < range.to) rest.push({ lot: range.lot, from: range.from + part, to: range.to });
      left -= part;
    }
    hold.ranges = [];
    this.giveBack(hold, rest);
    return used;
  }

  /** Ranges that were settled: they are no longer held. */
  spent(owner: { account: number; instrument: number }, ranges: readonly LotRange[]): void {
    this.pool(owner.account, owner.instrument).held -= countTokens(ranges);
  }

  giveBack(owner: { account: number; instrument: number }, ranges: readonly LotRange[]): void {
    const pool = this.pool(owner.account, owner.instrument);
    pool.held -= countTokens(ranges);
    pool.insert(ranges);
  }

  private pool(account: number, instrument: number): TokenPool {
    let byInstrument = this.pools.get(account);
    if (byInstrument === undefined) {
      byInstrument = new Map();
      this.pools.set(account, byInstrument);
    }
    let pool = byInstrument.get(instrument);
    if (pool === undefined) {
      pool = new TokenPool();
      byInstrument.set(instrument, pool);
    }
    return pool;
  }
}

function countTokens(ranges: readonly LotRange[]): number {
  return ranges.reduce((sum, range) => sum + range.to - range.from, 0);
}

function appendRange(ranges: LotRange[], range: LotRange): void {
  const last = ranges[ranges.length - 1];
  if (last !== undefined && last.lot === range.lot && last.to === range.from) {
    ranges[ranges.length - 1] = { ...last, to: range.to };
  } else {
    ranges.push(range);
  }
}
