import { unitsOf } from './holdings.ts';
import type { Position } from './state.ts';

const MICROS_PER_TICK = 100;

/** What an account has of one instrument. Costs are those of acquisition, fees excluded, and exact. */
export interface PositionView {
  /** Units in trading, those locked by sell orders included. */
  readonly tradingUnits: number;
  /** Micro-dollars paid for them. Units of the account's own issue that were never traded cost nothing. */
  readonly tradingCostMicros: bigint;
  /** Tokens left in lots. */
  readonly consumptionTokens: number;
  /** Tenths of a nano-dollar (1e-10 USD) paid for them: tokens x price in ticks. */
  readonly consumptionCostE10: bigint;
  /** Units issued and not yet moved to trading. */
  readonly issuanceUnits: number;
  readonly openOrders: number;
}

/** Adds up a position. It costs a walk over its runs and lots. */
export function viewPosition(position: Position): PositionView {
  let tradingUnits = 0;
  let tradingCostMicros = 0n;
  for (const segment of position.segments) {
    tradingUnits += unitsOf(segment);
    tradingCostMicros += BigInt(unitsOf(segment)) * BigInt((segment.priceTicks ?? 0) * MICROS_PER_TICK);
  }
  let consumptionTokens = 0;
  let consumptionCostE10 = 0n;
  for (const lot of position.lots) {
    consumptionTokens += lot.tokensRemaining;
    consumptionCostE10 += BigInt(lot.tokensRemaining) * BigInt(lot.priceTicks ?? 0);
  }
  const issuanceUnits = position.issued.reduce((sum, run) => sum + unitsOf(run), 0);
  const openOrders = position.openOrders.size;
  return {
    tradingUnits,
    tradingCostMicros,
    consumptionTokens,
    consumptionCostE10,
    issuanceUnits,
    openOrders,
  };
}
