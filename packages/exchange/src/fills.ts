import { BUY } from './book/book.ts';
import { openRange, returnToIssuer } from './escrow.ts';
import { addSegment, openLot, takeUnits, unitsOf } from './holdings.ts';
import { cumulativeShare, mulDivHalfUp } from './integers.ts';
import { KIND } from './ledger.ts';
import { type Context, type Market, type Segment, sideName, TOKENS_PER_UNIT } from './state.ts';
import { valueMicros } from './trade-window.ts';
import { creditSale, payAvailable, payHeld } from './usd.ts';

const BPS = 10_000;
/** Bit of an order's flags: its fills go to consumption at once. */
export const AUTOTRANSFER_FLAG = 2;

/** The incoming order while its fills are settled. Amounts in micro-dollars, quantities in units. */
export interface Taker {
  readonly order: number;
  readonly account: number;
  readonly side: 0 | 1;
  readonly limitTicks: number;
  readonly autotransfer: boolean;
  /** What is left of the amount that was checked before matching (buys). */
  budgetMicros: number;
  leftUnits: number;
  filledUnits: number;
  filledValueMicros: number;
  feeMicros: number;
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
  private readonly taker: Taker;
  private readonly slot: number;
  private readonly quantityUnits: number;
  private readonly priceTicks: number;
  private readonly value: number;
  private readonly buyer: number;
  private readonly seller: number;
  private readonly trade: number;
  private buyerFee = 0;
  private sellerFee = 0;
  private promotionalMicros = 0;

  constructor(context: Context, market: Market, fill: { taker: Taker; index: number }) {
    const { fills, orders } = market.book;
    this.context = context;
    this.market = market;
    this.taker = fill.taker;
    this.slot = fills.slot[fill.index]!;
    this.quantityUnits = fills.quantity[fill.index]!;
    this.priceTicks = fills.priceTicks[fill.index]!;
    this.value = valueMicros(this.quantityUnits, this.priceTicks);
    const maker = orders.account[this.slot]!;
    this.buyer = this.takerBuys ? this.taker.account : maker;
    this.seller = this.takerBuys ? maker : this.taker.account;
    context.state.tradeCounter += 1;
    this.trade = context.state.tradeCounter;
  }

  run(): void {
    const { rules } = this.market;
    this.taker.leftUnits -= this.quantityUnits;
    this.sellerFee = feeMicros(this.value, this.takerBuys ? rules.makerBps : rules.takerBps);
    if (this.takerBuys) this.payAsTaker();
    else this.payAsMaker();
    this.context.state.ledger.post(KIND.fees, {}, this.buyerFee + this.sellerFee);
    const units = this.deliver();
    this.record();
    this.emitTrade(units);
  }

  private get takerBuys(): boolean {
    return this.taker.side === BUY;
  }

  /**
   * Fees are rounded per trade, holds once per order, so a fee is never more than the hold leaves after the value that is
   * still to come.
   */
  private payAsTaker(): void {
    const { ledger } = this.context.state;
    const { taker } = this;
    const rest = valueMicros(taker.leftUnits, taker.limitTicks);
    const spare = taker.budgetMicros - this.value - rest;
    this.buyerFee = Math.min(feeMicros(this.value, this.market.rules.takerBps), spare);
    taker.budgetMicros -= this.value + this.buyerFee;
    this.promotionalMicros = payAvailable(ledger, taker.account, this.value);
    payAvailable(ledger, taker.account, this.buyerFee);
  }

  private payAsMaker(): void {
    const { ledger } = this.context.state;
    const { orders } = this.market.book;
    const rest = valueMicros(orders.remaining[this.slot]!, orders.priceTicks[this.slot]!);
    const spare = orders.heldMicros(this.slot) - this.value - rest;
    this.buyerFee = Math.min(feeMicros(this.value, this.market.rules.makerBps), spare);
    this.promotionalMicros = payHeld(ledger, orders, this.slot, this.value);
    payHeld(ledger, orders, this.slot, this.buyerFee);
  }

  private get goesToConsumption(): boolean {
    if (this.takerBuys) return this.taker.autotransfer;
    return (this.market.book.orders.flags[this.slot]! & AUTOTRANSFER_FLAG) !== 0;
  }

  private deliver(): { from: number; to: number }[] {
    const { context, buyer } = this;
    const { state } = context;
    const { instrument } = this.market;
    const toConsumption = this.goesToConsumption;
    const tokens = this.quantityUnits * TOKENS_PER_UNIT;
    const source = this.takerBuys ? KIND.tradingHeld : KIND.trading;
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

  private record(): void {
    const { taker, slot } = this;
    const { orders } = this.market.book;
    this.market.trades += 1;
    taker.filledUnits += this.quantityUnits;
    taker.filledValueMicros += this.value;
    taker.feeMicros += this.takerBuys ? this.buyerFee : this.sellerFee;
    orders.filledQuantity[slot]! += this.quantityUnits;
    orders.filledValueMicros[slot]! += this.value;
    orders.feeMicros[slot]! += this.takerBuys ? this.sellerFee : this.buyerFee;
  }

  private emitTrade(units: { from: number; to: number }[]): void {
    const { buyer, seller, priceTicks, quantityUnits, taker } = this;
    const { window, book } = this.market;
    const makerOrder = book.orders.orderSeq[this.slot]!;
    this.context.emit({
      type: 'trade',
      trade: this.trade,
      instrument: this.market.instrument,
      marketTrade: this.market.trades,
      priceTicks,
      quantityUnits,
      buyer,
      seller,
      buyOrder: this.takerBuys ? taker.order : makerOrder,
      sellOrder: this.takerBuys ? makerOrder : taker.order,
      aggressor: sideName(taker.side),
      buyerFeeMicros: this.buyerFee,
      sellerFeeMicros: this.sellerFee,
      units,
      excludedUnits: window.add({ atMs: this.context.atMs, priceTicks, quantityUnits, buyer, seller }),
    });
  }
}
