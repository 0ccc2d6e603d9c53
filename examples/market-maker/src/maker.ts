// The market maker. It keeps no state that matters: every pass reads what is true, works out what should be, and changes
// the difference. A restart, a lost message or a fill it did not see are therefore all the same to it.
import { ApiError, fromScaled, type Market, type OpenGrid, type Order, toScaled } from '@opengrid/sdk';
import { type Quote, type QuoteInput, quotesOf } from './quotes.ts';

export interface MakerOptions {
  readonly market: string;
  readonly spreadBps: number;
  readonly levels: number;
  readonly units: number;
  /** The exchange cancels everything in this market when no pass has renewed the switch for so long. */
  readonly deadManMs: number;
  readonly log: (line: string) => void;
}

const PRICE_DIGITS = 4;
const MONEY_DIGITS = 6;

export class Maker {
  readonly #grid: OpenGrid;
  readonly #options: MakerOptions;
  readonly #market: Market;

  private constructor(grid: OpenGrid, options: MakerOptions, market: Market) {
    this.#grid = grid;
    this.#options = options;
    this.#market = market;
  }

  static async open(grid: OpenGrid, options: MakerOptions): Promise<Maker> {
    return new Maker(grid, options, await grid.markets.retrieve(options.market));
  }

  /** Brings the book to what it should be. */
  async pass(): Promise<void> {
    // First of all, so that quotes do not stay behind when anything below goes wrong for long.
    await this.#grid.orders.cancelAllAfter({
      timeout_ms: this.#options.deadManMs,
      market_id: this.#market.market_id,
    });
    const open = await this.#ownOrders();
    const quotes = quotesOf(await this.#input(open));
    const wanted = new Map(quotes.map((quote) => [placeOf(quote), quote]));
    for (const order of open) {
      const place = this.#placeOfOrder(order);
      const quote = wanted.get(place);
      wanted.delete(place);
      await this.#adopt(order, quote);
    }
    for (const quote of wanted.values()) await this.#place(quote);
  }

  /** Leaves the market in good order. */
  async stop(): Promise<void> {
    const market_id = this.#market.market_id;
    for (const order of await this.#ownOrders())
      await this.#grid.orders.cancel(order.order_id).catch(ignoreEnded);
    await this.#grid.orders.cancelAllAfter({ timeout_ms: 0, market_id });
  }

  /** Client order ids tell own orders from those of other programs, and which place an order fills: `mm-<symbol>-buy-0-…`. */
  get #prefix(): string {
    return `mm-${this.#market.symbol}-`;
  }

  #placeOfOrder({ client_order_id: id }: Order): string {
    return (id ?? '').slice(this.#prefix.length).split('-').slice(0, 2).join('-');
  }

  async #ownOrders(): Promise<Order[]> {
    const open = this.#grid.orders.list({ market_id: this.#market.market_id, status: 'open', limit: 500 });
    return (await open.toArray()).filter(({ client_order_id: id }) => id?.startsWith(this.#prefix));
  }

  async #input(open: readonly Order[]): Promise<QuoteInput> {
    const { spreadBps, levels, units } = this.#options;
    const accounts = await this.#grid.tradingAccounts.list().toArray();
    const row = (wanted: string) => accounts.find(({ instrument_symbol: symbol }) => symbol === wanted);
    const free = toScaled(row('USD')?.available_balance ?? '0', MONEY_DIGITS);
    // What own quotes hold is free for the quotes that replace them.
    const inBids = open
      .filter(({ side }) => side === 'buy')
      .reduce((sum, order) => sum + heldMicros(order), 0n);
    const inAsks = open
      .filter(({ side }) => side === 'sell')
      .reduce((sum, order) => sum + order.remaining_quantity, 0);
    return {
      referenceTicks: await this.#referenceTicks(),
      spreadBps: BigInt(spreadBps),
      levels,
      units,
      unitsHeld: Number(row(this.#market.symbol)?.available_balance ?? '0') + inAsks,
      usdMicros: afterFee(free + inBids, this.#market.fees.taker_bps),
    };
  }

  /** The index of the last day that had one, else what the operator configured, else the last trade. */
  async #referenceTicks(): Promise<bigint> {
    const { symbol, order_controls: controls } = this.#market;
    const index = await this.#grid.instruments.index(symbol, { resolution: '1d' }).toArray();
    const price =
      index.findLast(({ vwap }) => vwap !== null)?.vwap ??
      controls.reference_price ??
      (await this.#grid.markets.ticker(symbol)).last_price;
    if (price === null) throw new Error(`Nobody knows what ${symbol} is worth: set a reference price.`);
    return toScaled(price, PRICE_DIGITS);
  }

  /** An order of an earlier pass, or of an earlier run: it is kept, moved to its price, or taken away. */
  async #adopt(order: Order, quote: Quote | undefined): Promise<void> {
    const { order_id: id } = order;
    if (quote === undefined) {
      this.#options.log(`cancel ${order.side} ${order.remaining_quantity} at ${order.price}`);
      await this.#grid.orders.cancel(id).catch(ignoreEnded);
      return;
    }
    const price = fromScaled(quote.priceTicks, PRICE_DIGITS);
    const quantity = order.filled_quantity + quote.units;
    if (order.price === price && order.quantity === quantity) return;
    this.#options.log(
      `amend ${order.side} ${order.remaining_quantity} at ${order.price} to ${quote.units} at ${price}`,
    );
    await this.#grid.orders.amend(id, { price, quantity }).catch((error: unknown) => this.#refused(error));
  }

  async #place(quote: Quote): Promise<void> {
    const price = fromScaled(quote.priceTicks, PRICE_DIGITS);
    this.#options.log(`place ${quote.side} ${quote.units} at ${price}`);
    // The market and the time make the id new; were this very request lost, it would be repeated under the same one.
    const client_order_id = `${this.#prefix}${placeOf(quote)}-${Date.now().toString(36)}`;
    const { market_id } = this.#market;
    const terms = {
      market_id,
      side: quote.side,
      type: 'limit',
      quantity: quote.units,
      price,
      client_order_id,
    } as const;
    await this.#grid.orders
      .place({ ...terms, post_only: true })
      .catch((error: unknown) => this.#refused(error));
  }

  /** Refusals are part of the market: a price moved, an order was filled meanwhile. The next pass knows better. */
  #refused(error: unknown): void {
    if (!(error instanceof ApiError) || error.status >= 500 || error.status === 401) throw error;
    this.#options.log(`refused: ${error.code}`);
  }
}

function placeOf({ side, level }: Quote): string {
  return `${side}-${level}`;
}

function heldMicros(order: Order): bigint {
  const ticks = toScaled(order.price ?? '0', PRICE_DIGITS);
  return ticks * 100n * BigInt(order.remaining_quantity);
}

/** Money that can be bid when a fee is held on top of it. */
function afterFee(micros: bigint, takerBps: number): bigint {
  return (micros * 10_000n) / (10_000n + BigInt(takerBps));
}

/** An order that ended before it could be cancelled is where it should be. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 409) throw error;
}
