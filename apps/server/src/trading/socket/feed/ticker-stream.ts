import { formatIso, formatPriceTicks } from '@opengrid/wire';
import type { Telemetry } from '../../../ports/telemetry.ts';
import type { MarketView } from '../../market-view.ts';
import { Broadcast } from '../broadcast.ts';
import type { MarketSubscriber } from './subscriber.ts';

/** Ten messages a second, the latest wins. */
const INTERVAL_MS = 100;

function price(ticks: number | undefined): string {
  return ticks === undefined ? 'null' : `"${formatPriceTicks(ticks)}"`;
}

/** The ticker of one market: sent to everyone who joins, and when one of its figures changes. */
export class TickerStream {
  private readonly view: MarketView;
  private readonly telemetry: Telemetry;
  private readonly instrumentNo: number;
  private readonly clock: () => number;
  private readonly members = new Set<MarketSubscriber>();
  private readonly lagging = new Set<MarketSubscriber>();
  private timer: NodeJS.Timeout | undefined;
  private lastFlushMs = Number.NEGATIVE_INFINITY;
  private lastFigures = '';

  constructor(options: {
    view: MarketView;
    telemetry: Telemetry;
    instrumentNo: number;
    clock: () => number;
  }) {
    this.telemetry = options.telemetry;
    this.view = options.view;
    this.instrumentNo = options.instrumentNo;
    this.clock = options.clock;
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  join(subscriber: MarketSubscriber): void {
    const figures = this.figures();
    if (this.members.size === 0) this.lastFigures = figures;
    this.members.add(subscriber);
    const { outlet, market } = subscriber;
    outlet.send(this.message(figures).frameFor(outlet.version, market));
  }

  leave(subscriber: MarketSubscriber): void {
    this.members.delete(subscriber);
    this.lagging.delete(subscriber);
    if (this.isEmpty) this.stop();
  }

  /** Something happened in the market, or time went by: the figures are looked at soon. */
  follow(): void {
    if (this.members.size === 0 || this.timer !== undefined) return;
    const waitMs = Math.max(0, this.lastFlushMs + INTERVAL_MS - performance.now());
    this.timer = setTimeout(() => {
      try {
        this.flush();
      } catch (error) {
        this.telemetry.fault('ticker stream', error);
      }
    }, waitMs);
    this.timer.unref();
  }

  /** Whoever missed a message and has caught up gets the present one. */
  recover(): void {
    for (const subscriber of this.lagging) {
      const { outlet, market } = subscriber;
      if (outlet.isLagging) continue;
      this.lagging.delete(subscriber);
      outlet.sendShared(this.message(this.figures()), market);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private flush(): void {
    this.timer = undefined;
    const figures = this.figures();
    if (figures === this.lastFigures) return;
    this.lastFlushMs = performance.now();
    this.lastFigures = figures;
    const message = this.message(figures);
    for (const subscriber of this.members) {
      const { outlet, market } = subscriber;
      if (outlet.isLagging) this.lagging.add(subscriber);
      else outlet.sendShared(message, market);
    }
  }

  private message(figures: string): Broadcast {
    const sequence = this.view.market(this.instrumentNo)?.sequence ?? 0;
    const tail = `${figures},"timestamp":"${formatIso(this.clock())}","sequence":${sequence}}`;
    return new Broadcast('market_ticker', (market) => `{"market_id":${JSON.stringify(market)},${tail}`);
  }

  /** Everything but the time and the sequence, as JSON text. What there is none of in 24 hours is left out. */
  private figures(): string {
    const quote = this.view.quote(this.instrumentNo);
    const history = this.view.market(this.instrumentNo)?.history;
    const day = history?.dayStatistics(this.clock());
    const last = history?.last;
    const figures = [
      `"last_price":${price(last?.priceTicks)}`,
      `"bid":${price(quote.bidTicks)}`,
      `"ask":${price(quote.askTicks)}`,
      `"volume_24h":"${day?.volumeUnits ?? 0}"`,
    ];
    if (last !== undefined) figures.push(`"last_quantity":"${last.quantityUnits}"`);
    if (day?.highTicks !== undefined) figures.push(`"high_24h":${price(day.highTicks)}`);
    if (day?.lowTicks !== undefined) figures.push(`"low_24h":${price(day.lowTicks)}`);
    return figures.join(',');
  }
}
