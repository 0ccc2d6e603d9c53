import type { MarketRules } from '@opengrid/exchange';

/** Rules every market opens with, and what is told of one that is not open yet. */
export const DEFAULT_MARKET_RULES: MarketRules = {
  takerBps: 50,
  makerBps: 0,
  minOrderUnits: 1,
  maxOrderUnits: 10_000,
  maxOpenOrders: 500,
  marketCollarBps: 1_000,
  limitCollarBps: 5_000,
  autoBuyCollarBps: 1_000,
  referencePriceTicks: null,
};
