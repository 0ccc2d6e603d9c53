import type { Exchange, ExchangeEvent, Side, TradeEvent } from '@opengrid/exchange';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import type { CommittedBatch, Sequencer } from '../sequencer/types.ts';
import type { Database, Queryable } from '../store/database.ts';
import { type BookLevel, BookSide } from './book-side.ts';
import { TradeHistory } from './trade-history.ts';

interface MarketState {
  readonly sides: { readonly buy: BookSide; readonly sell: BookSide };
  readonly history: TradeHistory;
  sequence: number;
  tradingState: string;
  totalTrades: number;
  totalVolumeUnits: number;
  /** When the book or the last trade changed; undefined where nothing ever did. */
  updatedAtMs: number | undefined;
}

/** Prices of one market for other rooms. Undefined where there is none. */
export interface Quote {
  readonly askTicks: number | undefined;
  readonly bidTicks: number | undefined;
  readonly lastTicks: number | undefined;
  readonly vwap24hTicks: number | undefined;
  readonly vwap7dTicks: number | undefined;
}

const WEEK_MS = 7 * 86_400_000;

interface TradeRow {
  readonly trade_seq: number;
  readonly instrument_no: number;
  readonly price_ticks: number;
  readonly quantity_units: number;
  readonly excluded_units: number;
  readonly executed_at_ms: number;
}

/**
 * What the public sees of the markets. It folds the events of committed batches, so nothing is shown before it is
 * durable, and answers from memory.
 */
export class MarketView {
  private readonly markets = new Map<number, MarketState>();
  private readonly clock: () => number;
  /** Trades that were committed while the older ones were being read; undefined once those are there. */
  private waiting: { readonly event: TradeEvent; readonly atMs: number }[] | undefined = [];

  private constructor(clock: () => number) {
    this.clock = clock;
  }

  /** Builds the view from the state as of the last commit and follows the sequencer from then on. */
  static async open(options: {
    sequencer: Sequencer;
    database: Pick<Database, 'transaction'>;
    instruments: InstrumentCatalogue;
    clock?: () => number;
  }): Promise<MarketView> {
    const view = new MarketView(options.clock ?? Date.now);
    // Following starts in the same turn: what commits while the trades are read is not lost. Levels are absolute, so
    // seeing one again does no harm; trades wait, and those that were read are not counted twice.
    options.sequencer.onCommitted((batch) => view.follow(batch));
    for (const { instrumentNo } of options.instruments.list()) {
      view.load(instrumentNo, options.sequencer.exchange);
    }
    view.catchUp(await options.database.transaction((store) => view.loadTrades(store)));
    return view;
  }

  market(instrumentNo: number): MarketState | undefined {
    return this.markets.get(instrumentNo);
  }

  /** Levels of one side, best first. */
  depth(instrumentNo: number, side: Side, limit: number): BookLevel[] {
    return this.markets.get(instrumentNo)?.sides[side].top(limit) ?? [];
  }

  quote(instrumentNo: number): Quote {
    const market = this.markets.get(instrumentNo);
    const nowMs = this.clock();
    return {
      askTicks: market?.sides.sell.bestTicks,
      bidTicks: market?.sides.buy.bestTicks,
      lastTicks: market?.history.last?.priceTicks,
      vwap24hTicks: market?.history.vwap24hTicks(nowMs),
      vwap7dTicks: market?.history.vwap7dTicks(nowMs),
    };
  }

  private load(instrumentNo: number, exchange: Exchange): void {
    const status = exchange.marketStatus(instrumentNo);
    if (status === undefined) return;
    const market = this.open(instrumentNo);
    market.sequence = status.sequence;
    market.tradingState = status.state;
    for (const side of ['buy', 'sell'] as const) {
      for (const level of exchange.depth(instrumentNo, side, Number.MAX_SAFE_INTEGER).reverse()) {
        const { priceTicks, quantity, orderCount } = level;
        market.sides[side].set({ priceTicks, quantityUnits: quantity, orderCount });
      }
    }
  }

  private open(instrumentNo: number): MarketState {
    let market = this.markets.get(instrumentNo);
    if (market === undefined) {
      market = {
        sides: { buy: new BookSide('buy'), sell: new BookSide('sell') },
        history: new TradeHistory(),
        sequence: 0,
        tradingState: 'open',
        totalTrades: 0,
        totalVolumeUnits: 0,
        updatedAtMs: undefined,
      };
      this.markets.set(instrumentNo, market);
    }
    return market;
  }

  /** @returns the number of the last trade that was read. */
  private async loadTrades(store: Queryable): Promise<number> {
    await store.query({ text: 'set transaction isolation level repeatable read read only' });
    const totals = await store.query<{ instrument_no: number; trades: number; volume: number }>({
      text: `select instrument_no, sum(trade_count) as trades, sum(units) as volume from candles
             where resolution = '1w' group by instrument_no`,
    });
    const quotes = await store.query<{ instrument_no: number; at_ms: number }>({
      text: `select instrument_no, max(updated_at_ms) as at_ms from orders where closed_at_ms is null
             group by instrument_no`,
    });
    for (const quote of quotes.rows) this.open(quote.instrument_no).updatedAtMs ??= quote.at_ms;
    let lastTrade = 0;
    for (const row of totals.rows) {
      const market = this.open(row.instrument_no);
      market.totalTrades = row.trades;
      market.totalVolumeUnits = row.volume;
      for (const trade of await recentTrades(store, row.instrument_no, this.clock() - WEEK_MS)) {
        lastTrade = Math.max(lastTrade, trade.trade_seq);
        market.updatedAtMs = Math.max(market.updatedAtMs ?? 0, trade.executed_at_ms);
        market.history.add({
          atMs: trade.executed_at_ms,
          priceTicks: trade.price_ticks,
          quantityUnits: trade.quantity_units,
          excludedUnits: trade.excluded_units,
        });
      }
    }
    return lastTrade;
  }

  private catchUp(lastTrade: number): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const { event, atMs } of waiting) if (event.trade > lastTrade) this.followTrade(event, atMs);
  }

  private follow({ entries }: CommittedBatch): void {
    for (const { outcome, atMs } of entries) {
      for (const event of outcome.events) this.followEvent(event, atMs);
      // A suspension cancels orders in many markets at once: each has moved on.
      for (const { instrument, sequence } of outcome.marketSequences)
        this.open(instrument).sequence = sequence;
    }
  }

  private followEvent(event: ExchangeEvent, atMs: number): void {
    if (event.type === 'level') this.followLevel(event, atMs);
    else if (event.type === 'trade') {
      if (this.waiting === undefined) this.followTrade(event, atMs);
      else this.waiting.push({ event, atMs });
    } else if (event.type === 'market') this.open(event.instrument).tradingState = event.state;
  }

  private followLevel(event: Extract<ExchangeEvent, { type: 'level' }>, atMs: number): void {
    const market = this.open(event.instrument);
    const { priceTicks, quantityUnits, orderCount } = event;
    market.sides[event.side].set({ priceTicks, quantityUnits, orderCount });
    market.updatedAtMs = atMs;
  }

  private followTrade(event: TradeEvent, atMs: number): void {
    const market = this.open(event.instrument);
    const { priceTicks, quantityUnits, excludedUnits } = event;
    market.history.add({ atMs, priceTicks, quantityUnits, excludedUnits });
    market.totalTrades += 1;
    market.totalVolumeUnits += quantityUnits;
    market.updatedAtMs = atMs;
  }
}

/** Trades since then, and the last one whenever it was, in their order. */
async function recentTrades(store: Queryable, instrumentNo: number, sinceMs: number): Promise<TradeRow[]> {
  const { rows } = await store.query<TradeRow>({
    text: `select trade_seq, instrument_no, price_ticks, quantity_units, excluded_units, executed_at_ms from trades
           where instrument_no = $1 and executed_at_ms > $2
           union
           (select trade_seq, instrument_no, price_ticks, quantity_units, excluded_units, executed_at_ms from trades
            where instrument_no = $1 order by market_trade desc limit 1)
           order by trade_seq`,
    values: [instrumentNo, sinceMs],
  });
  return rows;
}
