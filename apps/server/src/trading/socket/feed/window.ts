import { crc32 } from 'node:zlib';
import type { Side } from '@opengrid/exchange';
import { formatPriceTicks } from '@opengrid/wire';
import type { BookLevel } from '../../book-side.ts';
import { checksumText } from '../../shapes.ts';

/** The levels of a book that a subscription sees, best first on both sides. */
export interface BookWindow {
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

/** A level that changed; quantity 0 = it is gone. */
export interface LevelChange {
  readonly priceTicks: number;
  readonly quantityUnits: number;
}

export interface BookChanges {
  readonly bids: readonly LevelChange[];
  readonly asks: readonly LevelChange[];
}

/** What a client that has `before` must be told to have `after`, when it keeps `depth` levels a side. */
export function changesBetween(before: BookWindow, after: BookWindow, depth: number): BookChanges {
  return {
    bids: sideChanges(before.bids, after.bids, { side: 'buy', depth }),
    asks: sideChanges(before.asks, after.asks, { side: 'sell', depth }),
  };
}

/** Merges two sides that are sorted best first. */
function sideChanges(
  before: readonly BookLevel[],
  after: readonly BookLevel[],
  { side, depth }: { side: Side; depth: number },
): LevelChange[] {
  const changes: LevelChange[] = [];
  const sign = side === 'buy' ? -1 : 1;
  let old = 0;
  for (const level of after) {
    while (old < before.length && sign * (before[old]!.priceTicks - level.priceTicks) < 0) {
      changes.push({ priceTicks: before[old]!.priceTicks, quantityUnits: 0 });
      old += 1;
    }
    const same = before[old]?.priceTicks === level.priceTicks ? before[old] : undefined;
    if (same !== undefined) old += 1;
    if (same?.quantityUnits !== level.quantityUnits) changes.push(level);
  }
  // Behind a full window there are levels that better ones pushed out: the client's own truncation drops them.
  if (after.length < depth) {
    for (; old < before.length; old += 1)
      changes.push({ priceTicks: before[old]!.priceTicks, quantityUnits: 0 });
  }
  return changes;
}

export function isNoChange({ bids, asks }: BookChanges): boolean {
  return bids.length === 0 && asks.length === 0;
}

/** Pairs of price and quantity as JSON text. Neither holds a character that JSON would escape. */
export function levelsText(levels: readonly LevelChange[]): string {
  let text = '[';
  for (const { priceTicks, quantityUnits } of levels) {
    if (text.length > 1) text += ',';
    text += `["${formatPriceTicks(priceTicks)}","${quantityUnits}"]`;
  }
  return `${text}]`;
}

/** CRC-32 over up to ten levels a side, whatever the depth of the subscription. */
export function checksumOf({ bids, asks }: BookWindow): number {
  return crc32(checksumText(asks, bids));
}
