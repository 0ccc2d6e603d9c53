import type { LevelEvent, MarketEvent, TradeEvent } from '@opengrid/exchange';
import { formatIso, formatPriceTicks } from '@opengrid/wire';
import type { Telemetry } from '../../../ports/telemetry.ts';
import type { Committed, CommittedBatch, Sequencer } from '../../../sequencer/types.ts';
import type { MarketView } from '../../market-view.ts';
import { marketStatus } from '../../shapes.ts';
import { Broadcast } from '../broadcast.ts';
import { BookStream } from './book-stream.ts';
import type { MarketSubscriber } from './subscriber.ts';
import { TickerStream } from './ticker-stream.ts';

export type MarketStreamName = 'market.trades' | 'market.ticker' | 'market.book' | 'market.status';

/** What is subscribed to in a market. */
export interface MarketTarget {
  readonly name: MarketStreamName;
  readonly instrumentNo: number;
  /** Levels a side of `market.book`; 0 = all. */
  readonly depth: number;
}

export interface MarketFeedOptions {
  readonly sequencer: Sequencer;
  readonly view: MarketView;
  readonly telemetry: Telemetry;
  readonly clock: () => number;
}

interface Channel {
  readonly trades: Set<MarketSubscriber>;
  readonly status: Set<MarketSubscriber>;
  readonly ticker: TickerStream;
  readonly books: Map<number, BookStream>;
}

/** Public market data for subscribers, from committed batches only. */
export class MarketFeed {
  private readonly options: MarketFeedOptions;
  private readonly channels = new Map<number, Channel>();

  constructor(options: MarketFeedOptions) {
    this.options = options;
    options.sequencer.onCommitted((batch) => this.follow(batch));
  }

  /** Begins a subscription with what its stream says first. */
  join(target: MarketTarget, subscriber: MarketSubscriber): void {
    const channel = this.open(target.instrumentNo);
    if (target.name === 'market.trades') channel.trades.add(subscriber);
    else if (target.name === 'market.ticker') channel.ticker.join(subscriber);
    else if (target.name === 'market.book') this.bookOf(channel, target).join(subscriber);
    else this.joinStatus(channel, target.instrumentNo, subscriber);
  }

  leave(target: MarketTarget, subscriber: MarketSubscriber): void {
    const channel = this.channels.get(target.instrumentNo);
    if (channel === undefined) return;
    if (target.name === 'market.trades') channel.trades.delete(subscriber);
    else if (target.name === 'market.ticker') channel.ticker.leave(subscriber);
    else if (target.name === 'market.status') channel.status.delete(subscriber);
    else this.leaveBook(channel, target, subscriber);
  }

  /** Gives a fresh start to whoever lagged and has caught up. Called several times a second. */
  recover(): void {
    for (const { ticker, books } of this.channels.values()) {
      ticker.recover();
      for (const book of books.values()) book.recover();
    }
  }

  /** Figures of the last 24 hours change without a trade. Called about once a second. */
  tick(): void {
    for (const { ticker } of this.channels.values()) ticker.follow();
  }

  close(): void {
    for (const { ticker, books } of this.channels.values()) {
      ticker.stop();
      for (const book of books.values()) book.stop();
    }
    this.channels.clear();
  }

  private open(instrumentNo: number): Channel {
    let channel = this.channels.get(instrumentNo);
    if (channel === undefined) {
      const ticker = new TickerStream({ ...this.options, instrumentNo });
      channel = { trades: new Set(), status: new Set(), ticker, books: new Map() };
      this.channels.set(instrumentNo, channel);
    }
    return channel;
  }

  private bookOf(channel: Channel, { instrumentNo, depth }: MarketTarget): BookStream {
    let book = channel.books.get(depth);
    if (book === undefined) {
      book = new BookStream({ ...this.options, instrumentNo, depth });
      channel.books.set(depth, book);
    }
    return book;
  }

  private leaveBook(channel: Channel, { depth }: MarketTarget, subscriber: MarketSubscriber): void {
    const book = channel.books.get(depth);
    book?.leave(subscriber);
    if (book?.isEmpty === true) channel.books.delete(depth);
  }

  private joinStatus(channel: Channel, instrumentNo: number, subscriber: MarketSubscriber): void {
    channel.status.add(subscriber);
    const market = this.options.view.market(instrumentNo);
    const state = market?.tradingState ?? 'closed';
    const at = market?.updatedAtMs ?? this.options.clock();
    const message = statusMessage({ state, sequence: market?.sequence ?? 0, atMs: at });
    const { outlet } = subscriber;
    outlet.send(message.frameFor(outlet.version, subscriber.market));
  }

  private follow({ entries }: CommittedBatch): void {
    if (this.channels.size === 0) return;
    for (const entry of entries) this.followOne(entry);
  }

  private followOne(entry: Committed): void {
    const { events, marketSequences } = entry.outcome;
    let trade = 0;
    for (const event of events) {
      if (event.type === 'level') this.followLevel(event);
      else if (event.type === 'trade') {
        this.followTrade(event, { tradeId: entry.tradeIds?.[trade] ?? '', atMs: entry.atMs });
        trade += 1;
      } else if (event.type === 'market') this.followStatus(event, entry);
    }
    for (const { instrument } of marketSequences) this.channels.get(instrument)?.ticker.follow();
  }

  private followLevel(event: LevelEvent): void {
    const channel = this.channels.get(event.instrument);
    if (channel === undefined) return;
    for (const book of channel.books.values()) book.follow(event);
  }

  private followTrade(event: TradeEvent, { tradeId, atMs }: { tradeId: string; atMs: number }): void {
    const subscribers = this.channels.get(event.instrument)?.trades;
    if (subscribers === undefined || subscribers.size === 0) return;
    const figures = `"price":"${formatPriceTicks(event.priceTicks)}","quantity":"${event.quantityUnits}"`;
    const place = `"side":"${event.aggressor}","executed_at":"${formatIso(atMs)}","sequence":${event.marketTrade}`;
    sendAll(
      new Broadcast(
        'new_trade',
        (market) =>
          `{"data":{"trade_id":"${tradeId}","market_id":${JSON.stringify(market)},${figures},${place}}}`,
      ),
      subscribers,
    );
  }

  private followStatus(event: MarketEvent, { atMs, outcome }: Committed): void {
    const subscribers = this.channels.get(event.instrument)?.status;
    if (subscribers === undefined || subscribers.size === 0) return;
    const own = outcome.marketSequences.find(({ instrument }) => instrument === event.instrument);
    sendAll(statusMessage({ state: event.state, sequence: own?.sequence ?? 0, atMs }), subscribers);
  }
}

/** Trades and changes of state are few and are kept for a consumer that lags. */
function sendAll(message: Broadcast, subscribers: Iterable<MarketSubscriber>): void {
  for (const { outlet, market } of subscribers) outlet.send(message.frameFor(outlet.version, market));
}

function statusMessage(now: { state: string; sequence: number; atMs: number }): Broadcast {
  const { state, sequence, atMs } = now;
  const words = `"trading_state":"${state}","status":"${marketStatus(state)}","reason":null`;
  const tail = `${words},"sequence":${sequence},"at":"${formatIso(atMs)}"`;
  return new Broadcast(
    'market_status',
    (market) => `{"data":{"market_id":${JSON.stringify(market)},${tail}}}`,
  );
}
