import type { SideCode } from './book/book.ts';
import { NONE } from './book/price-ladder.ts';
import type { Side } from './commands.ts';
import { openRange, returnToIssuer } from './escrow.ts';
import { addSegment, openLot, takeUnits, unitsOf } from './holdings.ts';
import { cumulativeShare, mulDivHalfUp } from './integers.ts';
import { KIND } from './ledger.ts';
import { AUTOTRANSFER_FLAG } from './order-terms.ts';
import { type Context, type Market, type Segment, TOKENS_PER_UNIT } from './state.ts';
import { valueMicros } from './trade-window.ts';
import { creditSale, payAvailable, payHeld } from './usd.ts';

const BPS = 10_000;

/** The incoming order while its fills are settled. Amounts in micro-dollars, quantities in units. */
export interface Taker {
  /** 0 until the order is numbered. */
  order: number;
  readonly account: number;
  readonly side: SideCode;
  readonly limitTicks: number;
  /** Terms beside its side, as `order-terms.ts` packs them. */
  readonly flags: number;
  readonly expiresAtMs: number | null;
  /** Of the whole order, what was filled before included. */
  readonly quantityUnits: number;
  /** What is left of the amount that was checked before matching (buys). */
  budgetMicros: number;
  leftUnits: number;
  filledUnits: number;
  filledValueMicros: number;
  feeMicros: number;
}

/** One side of a fill. */
export interface Party {
  readonly order: number;
  readonly account: number;
  /** Slot of a resting order, or NONE for the incoming one. */
  readonly slot: number;
  readonly feeBps: number;
}

/** What trades. The book has already made both orders smaller. */
export interface Fill {
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly buyer: Party;
  readonly seller: Party;
  readonly aggressor: Side;
  /** Absent in an auction, where both orders rest. */
  readonly taker?: Taker;
}

export function feeMicros(value: number, bps: number): number {
  return mulDivHalfUp(value, bps, BPS);
}

/**
 * Settles one fill: money, units, escrow, trade event. Every trade is novated, so what the buyer gets depends on the
 * units and not on who sold them.
 */
export class FillSettlement {
  private readonly context: Context;
  private readonly market: Market;
  private readonly fill: Fill;
  private readonly quantityUnits: number;
  private readonly priceTicks: number;
  private readonly value: number;
  private readonly buyer: number;
  private readonly seller: number;
  private readonly trade: number;
  private buyerFee = 0;
  private sellerFee = 0;
  private promotionalMicros = 0;

  constructor(context: Context, market: Market, fill: Fill) {
    this.context = context;
    this.market = market;
    this.fill = fill;
    this.quantityUnits = fill.quantityUnits;
    this.priceTicks = fill.priceTicks;
    this.value = valueMicros(fill.quantityUnits, fill.priceTicks);
    this.buyer = fill.buyer.account;
    this.seller = fill.seller.account;
    context.state.tradeCounter += 1;
    this.trade = context.state.tradeCounter;
  }

  run(): void {
    const { buyer, seller, taker } = this.fill;
    if (taker !== undefined) taker.leftUnits -= this.quantityUnits;
    this.sellerFee = feeMicros(this.value, seller.feeBps);
    if (buyer.slot === NONE) this.payFromBudget(taker!);
    else this.payFromHold(buyer.slot);
    this.context.state.ledger.post(KIND.fees, {}, this.buyerFee + this.sellerFee);
    const units = this.deliver();
    this.market.trades += 1;
    this.record(buyer, this.buyerFee);
    this.record(seller, this.sellerFee);
    this.emitTrade(units);
  }

  /**
   * Fees are rounded per trade, holds once per order, so a fee is never more than the hold leaves after the value that is
   * still to come.
   */
  private payFromBudget(taker: Taker): void {
    const { ledger } = this.context.state;
    const rest = valueMicros(taker.leftUnits, taker.limitTicks);
    const spare = taker.budgetMicros - this.value - rest;
    this.buyerFee = Math.min(feeMicros(this.value, this.fill.buyer.feeBps), spare);
    taker.budgetMicros -= this.value + this.buyerFee;
    this.promotionalMicros = payAvailable(ledger, taker.account, this.value);
    payAvailable(ledger, taker.account, this.buyerFee);
  }

  private payFromHold(slot: number): void {
    const { ledger } = this.context.state;
    const { orders } = this.market.book;
    const rest = valueMicros(orders.remaining[slot]!, orders.priceTicks[slot]!);
    const spare = orders.heldMicros(slot) - this.value - rest;
    this.buyerFee = Math.min(feeMicros(this.value, this.fill.buyer.feeBps), spare);
    this.promotionalMicros = payHeld(ledger, orders, slot, this.value);
    payHeld(ledger, orders, slot, this.buyerFee);
  }

  private get goesToConsumption(): boolean {
    const { buyer, taker } = this.fill;
    const flags = buyer.slot === NONE ? taker!.flags : this.market.book.orders.flags[buyer.slot]!;
    return (flags & AUTOTRANSFER_FLAG) !== 0;
  }

  private deliver(): { from: number; to: number }[] {
    const { context, buyer } = this;
    const { state } = context;
    const { instrument } = this.market;
    const toConsumption = this.goesToConsumption;
    const tokens = this.quantityUnits * TOKENS_PER_UNIT;
    const source = this.fill.seller.slot === NONE ? KIND.trading : KIND.tradingHeld;
    state.ledger.post(source, { account: this.seller, instrument }, -tokens);
    const target = toConsumption ? KIND.consumption : KIND.trading;
    state.ledger.post(target, { account: buyer, instrument }, tokens);
    state.acquisitionCounter += 1;
    const bought = this.acquire();
    const position = state.position(buyer, instrument);
    for (const segment of bought) {
      if (toConsumption) openLot(context, { account: buyer, instrument }, segment);
      else addSegment(position, segment);
    }
    if (toConsumption) this.emitTransfer();
    return bought.map(({ unitFrom, unitTo }) => ({ from: unitFrom, to: unitTo }));
  }

  /** Takes the units from the front of the seller's holdings, pays for each run of them, and rewrites their history. */
  private acquire(): Segment[] {
    const { state } = this.context;
    const bought: Segment[] = [];
    let done = 0;
    for (const sold of takeUnits(state.position(this.seller, this.market.instrument), this.quantityUnits)) {
      const before = done;
      done += unitsOf(sold);
      const share = (total: number): number =>
        cumulativeShare(total, done, this.quantityUnits) - cumulativeShare(total, before, this.quantityUnits);
      const net = valueMicros(unitsOf(sold), this.priceTicks) - share(this.sellerFee);
      bought.push({
        acquisition: state.acquisitionCounter,
        unitFrom: sold.unitFrom,
        unitTo: sold.unitTo,
        trade: this.trade,
        priceTicks: this.priceTicks,
        promotionalMicros: share(this.promotionalMicros),
        feeMicros: share(this.buyerFee),
        issuer: sold.issuer,
        range: this.payForRun(sold, net),
      });
    }
    return bought.sort((a, b) => a.unitFrom - b.unitFrom);
  }

  /** Pays the seller of one run of units and returns the escrow range that stands behind them afterwards. */
  private payForRun(sold: Segment, net: number): number {
    const { context } = this;
    const { state } = context;
    if (sold.issuer === this.seller) {
      const { unitFrom, unitTo, issuer } = sold;
      const { instrument } = this.market;
      return openRange(context, {
        issuer,
        instrument,
        trade: this.trade,
        unitFrom,
        unitTo,
        escrowMicros: net,
      }).range;
    }
    creditSale(state.ledger, this.seller, { net, promotional: sold.promotionalMicros });
    if (sold.issuer !== this.buyer) return sold.range;
    return returnToIssuer(context, sold.range, unitsOf(sold) * TOKENS_PER_UNIT);
  }

  private emitTransfer(): void {
    this.context.emit({
      type: 'transferred',
      account: this.buyer,
      instrument: this.market.instrument,
      direction: 'trading_to_consumption',
      origin: 'auto_transfer',
      quantityUnits: this.quantityUnits,
    });
  }

  private record(party: Party, fee: number): void {
    const { value, quantityUnits } = this;
    const { slot } = party;
    if (slot === NONE) {
      const taker = this.fill.taker!;
      taker.filledUnits += quantityUnits;
      taker.filledValueMicros += value;
      taker.feeMicros += fee;
      return;
    }
    const { orders } = this.market.book;
    orders.filledQuantity[slot]! += quantityUnits;
    orders.filledValueMicros[slot]! += value;
    orders.feeMicros[slot]! += fee;
  }

  private emitTrade(units: { from: number; to: number }[]): void {
    const { buyer, seller, priceTicks, quantityUnits, fill } = this;
    const { atMs } = this.context;
    this.context.emit({
      type: 'trade',
      trade: this.trade,
      instrument: this.market.instrument,
      marketTrade: this.market.trades,
      priceTicks,
      quantityUnits,
      buyer,
      seller,
      buyOrder: fill.buyer.order,
      sellOrder: fill.seller.order,
      aggressor: fill.aggressor,
      isAuction: fill.taker === undefined,
      buyerFeeMicros: this.buyerFee,
      sellerFeeMicros: this.sellerFee,
      units,
      excludedUnits: this.market.window.add({ atMs, priceTicks, quantityUnits, buyer, seller }),
    });
  }
}
