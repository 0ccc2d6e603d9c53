import type { MarketRules } from '@opengrid/exchange';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import { DEFAULT_MARKET_RULES } from '../ports/market-rules.ts';
import type { Sequencer } from '../sequencer/types.ts';
import { SHIPPED_INSTRUMENTS } from './instrument-table.ts';

const REFERENCE_TICKS = new Map(
  SHIPPED_INSTRUMENTS.map(({ instrumentNo, referencePriceTicks }) => [instrumentNo, referencePriceTicks]),
);

/** The rules a market of this instrument opens with. */
export function openingRules(instrumentNo: number): MarketRules {
  return { ...DEFAULT_MARKET_RULES, referencePriceTicks: REFERENCE_TICKS.get(instrumentNo) ?? null };
}

/**
 * Opens the markets that the exchange does not have yet. Instruments that are switched off get one when they are enabled.
 *
 * @returns how many were opened.
 * @throws EngineUnavailable, EngineOverloaded, OutcomeUnknown as the sequencer does.
 */
export async function ensureMarkets(sequencer: Sequencer, catalogue: InstrumentCatalogue): Promise<number> {
  const missing = catalogue
    .list()
    .filter(({ status }) => status !== 'inactive')
    .filter(({ instrumentNo }) => sequencer.exchange.marketStatus(instrumentNo) === undefined);
  const opened = await Promise.all(
    missing.map(({ instrumentNo: instrument }) =>
      sequencer.submit({ kind: 'open_market', instrument, rules: openingRules(instrument) }),
    ),
  );
  return opened.filter(({ ok }) => ok).length;
}
