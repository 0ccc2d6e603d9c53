import { auctionTicks } from './book/auction.ts';
import { type Book, BUY, SELL, type SideCode } from './book/book.ts';
import { closeResting, emitResting, fitHold } from './cancel-order.ts';
import { FillSettlement } from './fills.ts';
import { partyOf } from './incoming.ts';
import { referenceTicks } from './prices.ts';
import { type Context, type Market, sideName } from './state.ts';

/** A bid and an ask that meet at the price of an auction, with what each has left by then. */
interface Meeting {
  readonly bid: number;
  readonly ask: number;
  readonly bidLeft: number;
  readonly askLeft: number;
}

/** Units that self-trade prevention took from an order, by slot. What is left of it trades, and then it ends. */
type Cuts = Map<number, number>;

/**
 * Trades everything that crosses, at one price, in price-time order. Where two orders of one account would meet, the newer
 * one ends with what it would have traded by then, and the price is sought again: so it is the best one for what really
 * trades, and nothing that crosses is left behind.
 */
export function uncross(context: Context, market: Market): void {
  const reference = referenceTicks(market, BUY, context.atMs);
  const cuts: Cuts = new Map();
  let priceTicks = auctionTicks(market.book, reference);
  while (priceTicks !== undefined && cutOwn(context, market, { priceTicks, cuts })) {
    priceTicks = auctionTicks(market.book, reference);
  }
  if (priceTicks !== undefined) tradeAt(context, market, { priceTicks, cuts });
  for (const [slot, units] of cuts) endCut(context, market, { slot, units });
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
 * Walks both sides in price-time order. `meet` says which of the two orders at the front ends without a trade, or undefined
 * for a trade of what both have.
 */
function walk(market: Market, priceTicks: number, meet: (meeting: Meeting) => SideCode | undefined): void {
  const { book } = market;
  const [bids, asks] = [reached(book, BUY, priceTicks), reached(book, SELL, priceTicks)];
  const { remaining } = book.orders;
  let [bidLeft, askLeft] = [0, 0];
  for (let [b, a] = [0, 0]; b < bids.length && a < asks.length; ) {
    const [bid, ask] = [bids[b]!, asks[a]!];
    if (bidLeft === 0) bidLeft = remaining[bid]!;
    if (askLeft === 0) askLeft = remaining[ask]!;
    const spent = meet({ bid, ask, bidLeft, askLeft });
    const units = Math.min(bidLeft, askLeft);
    if (spent !== SELL) bidLeft = spent === BUY ? 0 : bidLeft - units;
    if (spent !== BUY) askLeft = spent === SELL ? 0 : askLeft - units;
    if (bidLeft === 0) b += 1;
    if (askLeft === 0) a += 1;
  }
}

/** Cuts the newer order of every pair of one account that would meet. @returns whether there was one. */
function cutOwn(
  context: Context,
  market: Market,
  { priceTicks, cuts }: { priceTicks: number; cuts: Cuts },
): boolean {
  const { account } = market.book.orders;
  const newer: { slot: number; units: number }[] = [];
  walk(market, priceTicks, ({ bid, ask, bidLeft, askLeft }) => {
    if (account[bid] !== account[ask]) return undefined;
    const side = newerSide(market, bid, ask);
    newer.push(side === BUY ? { slot: bid, units: bidLeft } : { slot: ask, units: askLeft });
    tellMet(context, market, side === BUY ? [bid, ask] : [ask, bid]);
    return side;
  });
  for (const { slot, units } of newer) {
    take(context, market, { slot, units });
    cuts.set(slot, (cuts.get(slot) ?? 0) + units);
  }
  return newer.length > 0;
}

function tellMet(context: Context, market: Market, [newer, older]: readonly [number, number]): void {
  const { orderSeq, account } = market.book.orders;
  context.emit({
    type: 'self_trade_prevented',
    instrument: market.instrument,
    account: account[newer]!,
    incomingOrder: orderSeq[newer]!,
    restingOrder: orderSeq[older]!,
    prevention: 'cancel_newest',
  });
}

function newerSide(market: Market, bid: number, ask: number): SideCode {
  return market.arrivals[bid]! > market.arrivals[ask]! ? BUY : SELL;
}

function tradeAt(
  context: Context,
  market: Market,
  { priceTicks, cuts }: { priceTicks: number; cuts: Cuts },
): void {
  const meetings: Meeting[] = [];
  walk(market, priceTicks, (meeting) => {
    meetings.push(meeting);
    return undefined;
  });
  const partial = new Set<number>();
  for (const meeting of meetings) {
    trade(context, market, { meeting, priceTicks });
    for (const slot of [meeting.bid, meeting.ask]) {
      if (!cuts.has(slot)) closeOrKeep(context, market, { slot, partial });
    }
  }
  for (const slot of partial) {
    fitHold(context, market, slot);
    emitResting(context, market, slot);
  }
}

function trade(
  context: Context,
  market: Market,
  { meeting, priceTicks }: { meeting: Meeting; priceTicks: number },
): void {
  const { bid, ask, bidLeft, askLeft } = meeting;
  const quantityUnits = Math.min(bidLeft, askLeft);
  for (const slot of [bid, ask]) take(context, market, { slot, units: quantityUnits });
  const aggressor = sideName(newerSide(market, bid, ask));
  const [buyer, seller] = [partyOf(market, bid), partyOf(market, ask)];
  new FillSettlement(context, market, { priceTicks, quantityUnits, buyer, seller, aggressor }).run();
}

/** Closes an order that is used up, and remembers one that is not: it tells its state once, when all is traded. */
function closeOrKeep(
  context: Context,
  market: Market,
  { slot, partial }: { slot: number; partial: Set<number> },
): void {
  if (market.book.orders.remaining[slot]! > 0) {
    partial.add(slot);
    return;
  }
  partial.delete(slot);
  closeResting(context, market, slot, 'filled');
}

/** Makes a resting order smaller; one that is used up leaves the book with its slot still readable. */
function take(context: Context, market: Market, { slot, units }: { slot: number; units: number }): void {
  const { book } = market;
  context.touchLevel(market.instrument, book.sideOf(slot), book.orders.priceTicks[slot]!);
  const rest = book.orders.remaining[slot]! - units;
  if (rest > 0) {
    book.shrink(slot, rest);
    return;
  }
  book.unlink(slot);
  book.orders.remaining[slot] = 0;
}

/** Ends an order that was cut, with everything that it did not trade. */
function endCut(context: Context, market: Market, { slot, units }: { slot: number; units: number }): void {
  const { book } = market;
  if (book.orders.remaining[slot]! > 0) book.unlink(slot);
  book.orders.remaining[slot]! += units;
  closeResting(context, market, slot, 'self_trade_prevented');
}
