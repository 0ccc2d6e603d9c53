import { auctionTicks } from './book/auction.ts';
import { type Book, BUY, SELL, type SideCode } from './book/book.ts';
import { closeResting, emitResting, fitHold, removeResting } from './cancel-order.ts';
import { FillSettlement } from './fills.ts';
import { partyOf } from './incoming.ts';
import { referenceTicks } from './prices.ts';
import type { Context, Market } from './state.ts';

/** A bid and an ask that meet at the price of an auction. */
interface Meeting {
  readonly bid: number;
  readonly ask: number;
  readonly units: number;
}

/**
 * Trades everything that crosses, at one price, in price-time order. Orders of one account that would meet end the newer of
 * them first, and then the price is sought again, so that it is the best one for what really trades and leaves nothing
 * crossed behind.
 */
export function uncross(context: Context, market: Market): void {
  const reference = referenceTicks(market, BUY, context.atMs);
  for (;;) {
    const priceTicks = auctionTicks(market.book, reference);
    if (priceTicks === undefined) return;
    const selfMeetings = newerOfOwn(market, priceTicks);
    if (selfMeetings.length === 0) {
      tradeAt(context, market, priceTicks);
      return;
    }
    for (const slot of selfMeetings) removeResting(context, market, slot, 'self_trade_prevented');
  }
}

/** Orders of one side that the price reaches, in price-time order. */
function reached(book: Book, side: SideCode, priceTicks: number): number[] {
  const slots: number[] = [];
  for (const slot of book.slots(side)) {
    const ticks = book.orders.priceTicks[slot]!;
    if (side === BUY ? ticks < priceTicks : ticks > priceTicks) break;
    slots.push(slot);
  }
  return slots;
}

/**
 * Walks both sides in price-time order. `meet` says which of the two orders left at the front is spent without a trade, or
 * undefined for a trade of what both have.
 */
function walk(market: Market, priceTicks: number, meet: (meeting: Meeting) => SideCode | undefined): void {
  const { book } = market;
  const [bids, asks] = [reached(book, BUY, priceTicks), reached(book, SELL, priceTicks)];
  const { remaining } = book.orders;
  const left = { bid: 0, ask: 0 };
  for (let [b, a] = [0, 0]; b < bids.length && a < asks.length; ) {
    const [bid, ask] = [bids[b]!, asks[a]!];
    if (left.bid === 0) left.bid = remaining[bid]!;
    if (left.ask === 0) left.ask = remaining[ask]!;
    const units = Math.min(left.bid, left.ask);
    const spent = meet({ bid, ask, units });
    if (spent !== SELL) left.bid = spent === BUY ? 0 : left.bid - units;
    if (spent !== BUY) left.ask = spent === SELL ? 0 : left.ask - units;
    if (left.bid === 0) b += 1;
    if (left.ask === 0) a += 1;
  }
}

/** The newer order of every pair of one account that would meet. */
function newerOfOwn(market: Market, priceTicks: number): number[] {
  const { account } = market.book.orders;
  const newer: number[] = [];
  walk(market, priceTicks, ({ bid, ask }) => {
    if (account[bid] !== account[ask]) return undefined;
    const side = newerSide(market, bid, ask);
    newer.push(side === BUY ? bid : ask);
    return side;
  });
  return newer;
}

function newerSide(market: Market, bid: number, ask: number): SideCode {
  return market.arrivals[bid]! > market.arrivals[ask]! ? BUY : SELL;
}

function tradeAt(context: Context, market: Market, priceTicks: number): void {
  const meetings: Meeting[] = [];
  walk(market, priceTicks, (meeting) => {
    meetings.push(meeting);
    return undefined;
  });
  const partial = new Set<number>();
  for (const meeting of meetings) trade(context, market, { ...meeting, priceTicks, partial });
  for (const slot of partial) {
    fitHold(context, market, slot);
    emitResting(context, market, slot);
  }
}

function trade(
  context: Context,
  market: Market,
  meeting: Meeting & { priceTicks: number; partial: Set<number> },
): void {
  const { bid, ask, units, priceTicks, partial } = meeting;
  const { book } = market;
  for (const slot of [bid, ask]) {
    context.touchLevel(market.instrument, book.sideOf(slot), book.orders.priceTicks[slot]!);
    take(book, slot, units);
  }
  const aggressor = newerSide(market, bid, ask) === BUY ? 'buy' : 'sell';
  const [buyer, seller] = [partyOf(market, bid), partyOf(market, ask)];
  new FillSettlement(context, market, { priceTicks, quantityUnits: units, buyer, seller, aggressor }).run();
  for (const slot of [bid, ask]) {
    if (book.orders.remaining[slot]! > 0) {
      partial.add(slot);
      continue;
    }
    partial.delete(slot);
    closeResting(context, market, slot, 'filled');
  }
}

/** Makes a resting order smaller by what it trades; one that is used up leaves the book with its slot still readable. */
function take(book: Book, slot: number, units: number): void {
  const rest = book.orders.remaining[slot]! - units;
  if (rest > 0) book.shrink(slot, rest);
  else {
    book.unlink(slot);
    book.orders.remaining[slot] = 0;
  }
}
