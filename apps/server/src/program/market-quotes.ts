import type { MarketQuotes } from '../inference/index.ts';
import type { MarketView } from '../trading/market-view.ts';

/** Prices of the trading room in the shape that the inference room asks for. */
export function marketQuotes(view: MarketView): MarketQuotes {
  return {
    quote(instrumentNo) {
      const { askTicks, bidTicks, lastTicks, vwap24hTicks, vwap7dTicks } = view.quote(instrumentNo);
      return {
        askTicks: askTicks ?? null,
        bidTicks: bidTicks ?? null,
        lastTicks: lastTicks ?? null,
        vwap24hTicks: vwap24hTicks ?? null,
        vwap7dTicks: vwap7dTicks ?? null,
      };
    },
  };
}
