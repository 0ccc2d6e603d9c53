import type { BookView, LiveLevel } from '@opengrid/sdk';
import type { Style } from './style.ts';
import { cell } from './table.ts';

const PRICE_WIDTH = 10;
const UNITS_WIDTH = 10;

/** A book as a block of lines that always has the same height, so that it can be drawn over itself. */
export function bookLines(
  view: BookView | null,
  { market, depth, style }: { market: string; depth: number; style: Style },
): string[] {
  const state = view === null ? 'waiting for the book' : `sequence ${view.sequence}`;
  const heading = `${'UNITS'.padStart(UNITS_WIDTH)}${'BID'.padStart(PRICE_WIDTH)}  ${'ASK'.padEnd(PRICE_WIDTH)}UNITS`;
  const rows = Array.from({ length: depth }, (_unused, index) => {
    const [bid, ask] = [view?.bids[index], view?.asks[index]];
    const left = bid === undefined ? '' : `${units(bid).padStart(UNITS_WIDTH)}${price(bid)}`;
    const right = ask === undefined ? '' : `${style.bad(ask.price.padEnd(PRICE_WIDTH))}${units(ask)}`;
    const padded = bid === undefined ? ' '.repeat(UNITS_WIDTH + PRICE_WIDTH) : style.good(left);
    return `${padded}  ${right}`.trimEnd();
  });
  return [`${style.bold(cell(market))}  ${style.dim(state)}`, style.dim(heading), ...rows];
}

function units(level: LiveLevel): string {
  return String(level.quantity);
}

function price(level: LiveLevel): string {
  return level.price.padStart(PRICE_WIDTH);
}

/** A change of a book as one line, for files and pipes. */
export function bookLine(view: BookView | null): string {
  if (view === null) return 'resyncing';
  const [bid, ask] = [view.bids[0], view.asks[0]];
  const side = (name: string, level: LiveLevel | undefined): string =>
    level === undefined ? `${name} -` : `${name} ${level.price} x ${level.quantity}`;
  return `${view.sequence} ${side('bid', bid)} ${side('ask', ask)}`;
}
