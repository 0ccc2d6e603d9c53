import { uncross } from './auction.ts';
import { cancelMarket } from './cancel-order.ts';
import type { Command, MarketRules, TradingState } from './commands.ts';
import type { Refused } from './events.ts';
import { catchUp } from './expiry.ts';
import { invariant, isNonNegativeInteger, isPositiveInteger } from './integers.ts';
import { type Context, type Market, newMarket } from './state.ts';

type Of<K extends Command['kind']> = Extract<Command, { kind: K }>;

const INVALID: Refused = { ok: false, code: 'validation_failed' };
const BPS = 10_000;
/** Instrument numbers are part of the keys of balances. */
const MAX_INSTRUMENTS = 4_096;
/** Length of an auction unless another is given, and the least of one after a halt. */
const MIN_AUCTION_MS = 30_000;
const MAX_AUCTION_MS = 86_400_000;
const STATES: ReadonlySet<TradingState> = new Set<TradingState>([
  'open',
  'post_only',
  'auction',
  'cancel_only',
  'halted',
  'closed',
]);

interface Opening {
  readonly opensAs: 'open' | 'post_only';
  readonly auctionMs: number | undefined;
}

/** Whether rules are whole numbers that the arithmetic of orders can rely on. */
function areRulesValid(rules: MarketRules): boolean {
  const { takerBps, makerBps, minOrderUnits, maxOrderUnits, maxOpenOrders, referencePriceTicks } = rules;
  const collars = [rules.marketCollarBps, rules.limitCollarBps, rules.autoBuyCollarBps];
  const areSizesValid = isPositiveInteger(minOrderUnits) && isPositiveInteger(maxOrderUnits);
  // Holds are made at the taker fee, so a maker never pays more.
  const areFeesValid =
    isNonNegativeInteger(makerBps) && isNonNegativeInteger(takerBps) && makerBps <= takerBps;
  return (
    areSizesValid &&
    minOrderUnits <= maxOrderUnits &&
    areFeesValid &&
    takerBps <= BPS &&
    isNonNegativeInteger(maxOpenOrders) &&
    collars.every(isNonNegativeInteger) &&
    (referencePriceTicks === null || isPositiveInteger(referencePriceTicks))
  );
}

export function openMarket(context: Context, command: Of<'open_market'>): Refused | undefined {
  const { instrument, rules } = command;
  const isNumberValid = isPositiveInteger(instrument) && instrument < MAX_INSTRUMENTS;
  if (!isNumberValid || !areRulesValid(rules)) return INVALID;
  if (context.state.markets.has(instrument)) return { ok: false, code: 'market_exists' };
  const market = newMarket(instrument, rules);
  context.state.markets.set(instrument, market);
  emitMarket(context, market, { opened: true });
  return undefined;
}

export function configureMarket(context: Context, command: Of<'configure_market'>): Refused | undefined {
  if (!areRulesValid(command.rules)) return INVALID;
  const market = context.state.market(command.instrument);
  market.rules = command.rules;
  emitMarket(context, market, { opened: false });
  return undefined;
}

/**
 * Changes the trading state. Leaving `halted` does first what came due meanwhile. A market that was halted, or whose book
 * may be crossed because an auction was broken off, remembers that it opens through an auction only. A closed market has
 * no resting orders: they could neither trade nor be cancelled.
 */
export function setTradingState(context: Context, command: Of<'set_trading_state'>): Refused | undefined {
  const { state, auctionMs } = command;
  const isLengthValid =
    auctionMs === undefined || (isPositiveInteger(auctionMs) && auctionMs <= MAX_AUCTION_MS);
  if (!STATES.has(state) || !isLengthValid) return INVALID;
  const market = context.state.market(command.instrument);
  if (market.state === 'halted' && state !== 'halted') catchUp(context, market);
  if (state === 'open' || state === 'post_only') openWhenDue(context, market, { opensAs: state, auctionMs });
  else if (state === 'auction')
    beginAuction(context, market, { opensAs: market.auction?.opensAs ?? 'open', auctionMs });
  else stop(market, state);
  emitMarket(context, market, { opened: false });
  if (state === 'closed') cancelMarket(context, market, 'market_closed');
  return undefined;
}

/** Opens at once, through an auction where one is needed, or at the end of one that is running. */
function openWhenDue(context: Context, market: Market, opening: Opening): void {
  const { auction } = market;
  if (auction !== undefined && context.atMs < auction.earliestMs) {
    market.auction = { ...auction, endsAtMs: auction.earliestMs, opensAs: opening.opensAs };
    return;
  }
  if (auction === undefined && market.needsAuction) {
    beginAuction(context, market, opening);
    return;
  }
  if (auction !== undefined) uncross(context, market);
  market.state = opening.opensAs;
  market.auction = undefined;
  market.needsAuction = false;
}

function beginAuction(context: Context, market: Market, { opensAs, auctionMs }: Opening): void {
  const wantedMs = context.atMs + (auctionMs ?? MIN_AUCTION_MS);
  const earliestMs = market.auction?.earliestMs ?? context.atMs + (market.needsAuction ? MIN_AUCTION_MS : 0);
  market.state = 'auction';
  market.auction = { endsAtMs: Math.max(wantedMs, earliestMs), earliestMs, opensAs };
  market.needsAuction = true;
}

function stop(market: Market, state: 'cancel_only' | 'halted' | 'closed'): void {
  market.state = state;
  market.auction = undefined;
  if (state === 'halted') market.needsAuction = true;
}

/** Ends an auction whose time has come: trades what crosses, then the market is open. */
export function endAuction(context: Context, market: Market): void {
  const { auction } = market;
  invariant(auction !== undefined, 'markets: only a running auction ends');
  uncross(context, market);
  market.state = auction.opensAs;
  market.auction = undefined;
  market.needsAuction = false;
  emitMarket(context, market, { opened: false });
}

function emitMarket(context: Context, market: Market, { opened }: { opened: boolean }): void {
  const { instrument, state, auction } = market;
  context.emit({ type: 'market', instrument, state, endsAtMs: auction?.endsAtMs ?? null, opened });
}
