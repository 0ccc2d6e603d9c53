import { cancelMarket } from './cancel-order.ts';
import type { Command, MarketRules } from './commands.ts';
import type { Refused } from './events.ts';
import { isNonNegativeInteger, isPositiveInteger } from './integers.ts';
import { type Context, type Market, newMarket } from './state.ts';

type Of<K extends Command['kind']> = Extract<Command, { kind: K }>;

const INVALID: Refused = { ok: false, code: 'validation_failed' };
const BPS = 10_000;
/** Instrument numbers are part of the keys of balances. */
const MAX_INSTRUMENTS = 4_096;

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

/** Changes the trading state. A closed market has no resting orders: they could neither trade nor be cancelled. */
export function setTradingState(context: Context, command: Of<'set_trading_state'>): undefined {
  const market = context.state.market(command.instrument);
  market.state = command.state;
  emitMarket(context, market, { opened: false });
  if (command.state === 'closed') cancelMarket(context, market, 'market_closed');
  return undefined;
}

function emitMarket(context: Context, market: Market, { opened }: { opened: boolean }): void {
  context.emit({ type: 'market', instrument: market.instrument, state: market.state, opened });
}
