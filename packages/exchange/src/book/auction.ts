import { type Book, BUY, type DepthLevel, SELL } from './book.ts';

/** One side of the levels that could trade, with the quantity up to each level summed. */
class Curve {
  private readonly levels: readonly DepthLevel[];
  private readonly sums: number[] = [];
  private readonly isReached: (levelTicks: number, priceTicks: number) => boolean;

  constructor(levels: readonly DepthLevel[], isReached: (levelTicks: number, priceTicks: number) => boolean) {
    this.levels = levels;
    this.isReached = isReached;
    let sum = 0;
    for (const { quantity } of levels) {
      sum += quantity;
      this.sums.push(sum);
    }
  }

  /** What would trade at this price: the levels come best first, so those it reaches are the first ones. */
  at(priceTicks: number): number {
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isReached(this.levels[middle]!.priceTicks, priceTicks)) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.sums[low - 1]!;
  }
}

/**
 * The one price that trades the most units of a crossed book: of several, the nearest to `referenceTicks`. Undefined where
 * nothing crosses. What can be bought falls with the price and what can be sold rises, so the prices that trade the most are
 * all that lie between two of them, and the nearest is found without a search.
 */
export function auctionTicks(book: Book, referenceTicks: number | undefined): number | undefined {
  const [bestBid, bestAsk] = [book.bestTicks(BUY), book.bestTicks(SELL)];
  const bids = book.depth(BUY, Infinity).filter(({ priceTicks }) => priceTicks >= bestAsk);
  const asks = book.depth(SELL, Infinity).filter(({ priceTicks }) => priceTicks <= bestBid);
  if (bids.length === 0 || asks.length === 0) return undefined;
  const demand = new Curve(bids, (levelTicks, priceTicks) => levelTicks >= priceTicks);
  const supply = new Curve(asks, (levelTicks, priceTicks) => levelTicks <= priceTicks);
  let most = 0;
  let [lowest, highest] = [0, 0];
  for (const priceTicks of turningPoints(bids, asks)) {
    if (priceTicks < bestAsk || priceTicks > bestBid) continue;
    const units = Math.min(demand.at(priceTicks), supply.at(priceTicks));
    if (units > most) [most, lowest] = [units, priceTicks];
    if (units === most) highest = priceTicks;
  }
  return Math.min(highest, Math.max(lowest, referenceTicks ?? lowest));
}

/** Prices, lowest first, at which the traded quantity can begin or cease to be what it is. */
function turningPoints(bids: readonly DepthLevel[], asks: readonly DepthLevel[]): number[] {
  const points = new Set<number>();
  for (const { priceTicks } of bids) points.add(priceTicks).add(priceTicks + 1);
  for (const { priceTicks } of asks) points.add(priceTicks).add(priceTicks - 1);
  return [...points].sort((a, b) => a - b);
}
