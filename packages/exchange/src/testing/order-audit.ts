import type { Command } from '../commands.ts';
import type { Accepted, OrderEvent, TradeEvent } from '../events.ts';
import { eventsOf } from './scene.ts';

/** What an order has to say for itself, summed over the trades it took part in. */
interface Tally {
  units: number;
  valueMicros: number;
  feeMicros: number;
  /** Worst price; null for a market order without one. */
  limitTicks: number | null;
  life: string;
  isOver: boolean;
}

function need(condition: boolean, message: string): void {
  if (!condition) throw new Error(`audit: ${message}`);
}

/** Follows the events of a market and holds every order to what all its trades so far add up to. */
export class OrderAudit {
  private readonly tallies = new Map<number, Tally>();

  after(command: Command, accepted: Accepted): void {
    const orders = eventsOf(accepted, 'order');
    for (const event of orders) this.learn(event);
    for (const trade of eventsOf(accepted, 'trade')) this.addTrade(trade);
    need(new Set(orders.map(({ order }) => order)).size === orders.length, 'one event an order and command');
    for (const event of orders) this.checkOrder(event, command);
  }

  private learn({ order, placed, amended }: OrderEvent): void {
    if (placed !== undefined) {
      const { priceTicks: limitTicks, timeInForce: life } = placed;
      need(!this.tallies.has(order), `order ${order} is placed once`);
      this.tallies.set(order, { units: 0, valueMicros: 0, feeMicros: 0, limitTicks, life, isOver: false });
    }
    if (amended !== undefined) this.tallies.get(order)!.limitTicks = amended.priceTicks;
  }

  private addTrade(trade: TradeEvent): void {
    const { quantityUnits, priceTicks, buyer, seller } = trade;
    need(buyer !== seller, 'nobody trades with themselves');
    need(quantityUnits > 0, 'a trade trades something');
    const delivered = trade.units.reduce((total, run) => total + run.to - run.from + 1, 0);
    need(delivered === quantityUnits, 'a trade delivers what it says');
    const bought = this.add(trade.buyOrder, trade, trade.buyerFeeMicros);
    const sold = this.add(trade.sellOrder, trade, trade.sellerFeeMicros);
    need(priceTicks <= (bought.limitTicks ?? Infinity), 'a buy trades within its limit');
    need(priceTicks >= (sold.limitTicks ?? 0), 'a sell trades within its limit');
  }

  private add(order: number, { quantityUnits, priceTicks }: TradeEvent, feeMicros: number): Tally {
    const tally = this.tallies.get(order)!;
    tally.units += quantityUnits;
    tally.valueMicros += quantityUnits * priceTicks * 100;
    tally.feeMicros += feeMicros;
    return tally;
  }

  private checkOrder(event: OrderEvent, command: Command): void {
    const { order, status } = event;
    const tally = this.tallies.get(order)!;
    need(event.filledUnits === tally.units, `order ${order} says what it filled`);
    need(event.filledValueMicros === tally.valueMicros, `order ${order} says what its fills were worth`);
    need(event.feeMicros === tally.feeMicros, `order ${order} says what it paid`);
    need(!tally.isOver, `order ${order} ended once`);
    tally.isOver = status !== 'active' && status !== 'partially_filled';
    const isRefused = status === 'rejected' || event.reason === 'fok_unfillable';
    if (isRefused) need(event.filledUnits === 0, `order ${order} was refused whole`);
    if (tally.life !== 'fok' || isRefused || command.kind !== 'place_order') return;
    need(event.filledUnits === command.quantityUnits, `order ${order} was filled whole`);
  }
}
