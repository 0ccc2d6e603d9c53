import type { Exchange, ExchangeEvent, Side } from '@opengrid/exchange';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import type { CommittedBatch, Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import { TradeHistory } from './trade-history.ts';

export interface BookLevel {
  readonly priceTicks: number;
  readonly quantityUnits: number;
  readonly orderCount: number;
}

interface MarketState {
  readonly levels: { readonly buy: Map<number, BookLevel>; readonly sell: Map<number, BookLevel> };
  readonly history: TradeHistory;
  sequence: number;
  tradingState: string;
  totalTrades: number;
  totalVolumeUnits: number;
  updatedAtMs: number;
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

  private constructor(clock: () => number) {
    this.clock = clock;
  }

  /** Builds the view from the state as of the last commit and follows the sequencer from then on. */
  static async open(options: {
    sequencer: Sequencer;
    database: Database;
    instruments: InstrumentCatalogue;
    clock?: () => number;
  }): Promise<MarketView> {
    const view = new MarketView(options.clock ?? Date.now);
    for (const { instrumentNo } of options.instruments.list()) {
      view.load(instrumentNo, options.sequencer.exchange);
    }
    await view.loadTrades(options.database);
    options.sequencer.onCommitted((batch) => view.follow(batch));
    return view;
  }

  market(instrumentNo: number): MarketState | undefined {
    return this.markets.get(instrumentNo);
  }

  /** Levels of one side, best first. */
  depth(instrumentNo: number, side: Side, limit: number): BookLevel[] {
    const levels = [...(this.markets.get(instrumentNo)?.levels[side].values() ?? [])];
    const sign = side === 'buy' ? -1 : 1;
    return levels.sort((a, b) => sign * (a.priceTicks - b.priceTicks)).slice(0, limit);
  }

  quote(instrumentNo: number): Quote {
    const market = this.markets.get(instrumentNo);
    const nowMs = this.clock();
    return {
      askTicks: bestOf(market?.levels.sell, Math.min),
      bidTicks: bestOf(market?.levels.buy, Math.max),
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
      for (const level of exchange.depth(instrumentNo, side, Number.MAX_SAFE_INTEGER)) {
        const { priceTicks, quantity, orderCount } = level;
        market.levels[side].set(priceTicks, { priceTicks, quantityUnits: quantity, orderCount });
      }
    }
  }

  private open(instrumentNo: number): MarketState {
    let market = this.markets.get(instrumentNo);
    if (market === undefined) {
      market = {
        levels: { buy: new Map(), sell: new Map() },
        history: new TradeHistory(),
        sequence: 0,
        tradingState: 'open',
        totalTrades: 0,
        totalVolumeUnits: 0,
        updatedAtMs: this.clock(),
      };
      this.markets.set(instrumentNo, market);
    }
    return market;
  }

  private async loadTrades(database: Database): Promise<void> {
    const totals = await database.query<{ instrument_no: number; trades: number; volume: number }>({
      text: `select instrument_no, count(*) as trades, sum(quantity_units) as volume from trades group by instrument_no`,
    });
    for (const row of totals.rows) {
      const market = this.open(row.instrument_no);
      market.totalTrades = row.trades;
      market.totalVolumeUnits = row.volume;
    }
    const { rows } = await database.query<TradeRow>({
      text: `select instrument_no, price_ticks, quantity_units, excluded_units, executed_at_ms from trades t
             where executed_at_ms > $1 or market_trade = (
               select max(market_trade) from trades l where l.instrument_no = t.instrument_no)
             order by trade_seq`,
      values: [this.clock() - WEEK_MS],
    });
    for (const row of rows) {
      this.open(row.instrument_no).history.add({
        atMs: row.executed_at_ms,
        priceTicks: row.price_ticks,
        quantityUnits: row.quantity_units,
        excludedUnits: row.excluded_units,
      });
    }
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
    else if (event.type === 'trade') this.followTrade(event, atMs);
    else if (event.type === 'market') this.open(event.instrument).tradingState = event.state;
  }

  private followLevel(event: Extract<ExchangeEvent, { type: 'level' }>, atMs: number): void {
    const market = this.open(event.instrument);
    const { priceTicks, quantityUnits, orderCount } = event;
    if (quantityUnits === 0) market.levels[event.side].delete(priceTicks);
    else market.levels[event.side].set(priceTicks, { priceTicks, quantityUnits, orderCount });
    market.updatedAtMs = atMs;
  }

  private followTrade(event: Extract<ExchangeEvent, { type: 'trade' }>, atMs: number): void {
    const market = this.open(event.instrument);
    const { priceTicks, quantityUnits, excludedUnits } = event;
    market.history.add({ atMs, priceTicks, quantityUnits, excludedUnits });
    market.totalTrades += 1;
    market.totalVolumeUnits += quantityUnits;
    market.updatedAtMs = atMs;
  }
}

function bestOf(
  levels: Map<number, BookLevel> | undefined,
  pick: (...prices: number[]) => number,
): number | undefined {
  let best: number | undefined;
  for (const price of levels?.keys() ?? []) best = best === undefined ? price : pick(best, price);
  return best;
}
