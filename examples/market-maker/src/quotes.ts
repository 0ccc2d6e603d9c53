// What the market maker wants to have in the book. Pure: the same input gives the same quotes.

/** Prices are counted in ticks of 0.0001 USD, as integers: a price never passes through a float. */
export interface QuoteInput {
  /** What a unit is thought to be worth. */
  readonly referenceTicks: bigint;
  /** Distance between the innermost bid and ask, in basis points of the reference. */
  readonly spreadBps: bigint;
  /** Quotes on each side; every further one is half a spread farther out. */
  readonly levels: number;
  /** Units of each quote. */
  readonly units: number;
  /** Units that may be sold, those in own quotes included. */
  readonly unitsHeld: number;
  /** Micro-dollars that may be spent, those held by own quotes included. */
  readonly usdMicros: bigint;
}

/** One order that should rest in the book. */
export interface Quote {
  readonly side: 'buy' | 'sell';
  /** 0 is the innermost. Side and level together are the place that an order fills. */
  readonly level: number;
  readonly priceTicks: bigint;
  readonly units: number;
}

const MICROS_PER_TICK = 100n;

/** Bids and asks around the reference, as far as money and units go. */
export function quotesOf(input: QuoteInput): Quote[] {
  const quotes: Quote[] = [];
  let { unitsHeld, usdMicros } = input;
  for (let level = 0; level < input.levels; level += 1) {
    const bidTicks = input.referenceTicks - distance(input, level);
    const affordable = bidTicks > 0n ? Number(usdMicros / (bidTicks * MICROS_PER_TICK)) : 0;
    const bidUnits = Math.min(input.units, affordable);
    if (bidUnits > 0) quotes.push({ side: 'buy', level, priceTicks: bidTicks, units: bidUnits });
    usdMicros -= BigInt(bidUnits) * bidTicks * MICROS_PER_TICK;
    const askUnits = Math.min(input.units, unitsHeld);
    const askTicks = input.referenceTicks + distance(input, level);
    if (askUnits > 0) quotes.push({ side: 'sell', level, priceTicks: askTicks, units: askUnits });
    unitsHeld -= askUnits;
  }
  return quotes;
}

/** From the reference to a quote, rounded up so that bid and ask never meet. */
function distance({ referenceTicks, spreadBps }: QuoteInput, level: number): bigint {
  const halfSpread = (referenceTicks * spreadBps + 19_999n) / 20_000n;
  return (halfSpread > 0n ? halfSpread : 1n) * BigInt(level + 1);
}
