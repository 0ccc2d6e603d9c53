import type { LevelEvent } from '@opengrid/exchange';
import { formatIso } from '@opengrid/wire';
import type { Telemetry } from '../../../ports/telemetry.ts';
import type { MarketView } from '../../market-view.ts';
import { Broadcast } from '../broadcast.ts';
import type { MarketSubscriber } from './subscriber.ts';
import {
  type BookChanges,
  type BookWindow,
  changesBetween,
  checksumOf,
  isNoChange,
  type LevelChange,
  levelsText,
} from './window.ts';

export interface BookStreamOptions {
  readonly view: MarketView;
  readonly telemetry: Telemetry;
  readonly instrumentNo: number;
  /** Levels a side; 0 = all. */
  readonly depth: number;
  readonly clock: () => number;
}

/** Subscribers that were sent the same state last: `seq` and window of their last message. */
interface Cohort {
  readonly seq: number;
  readonly window: BookWindow;
  readonly members: Set<MarketSubscriber>;
}

/** 20 messages a second, and 100 for the whole book. */
const INTERVAL_MS = 50;
const FULL_INTERVAL_MS = 10;
const CHECKSUM_LEVELS = 10;
const ALL_LEVELS = Number.MAX_SAFE_INTEGER;
const NOTHING: BookWindow = { bids: [], asks: [] };

/** The book of one market at one depth: a snapshot for everyone who joins, then merged changes in a chain without gaps. */
export class BookStream {
  private readonly options: BookStreamOptions;
  private cohorts: Cohort[] = [];
  /** Whoever was not sent a change and is owed a whole book. */
  private readonly lagging = new Set<MarketSubscriber>();
  /** Quantities by price that changed since the last message: the whole book is not compared, but sent by what changed. */
  private readonly touched = { buy: new Map<number, number>(), sell: new Map<number, number>() };
  private timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  private lastFlushMs = Number.NEGATIVE_INFINITY;

  constructor(options: BookStreamOptions) {
    this.options = options;
  }

  get isEmpty(): boolean {
    return this.cohorts.length === 0 && this.lagging.size === 0;
  }

  private get isFull(): boolean {
    return this.options.depth === 0;
  }

  /** Sends a snapshot and follows with changes. A subscriber that is there already starts anew. */
  join(subscriber: MarketSubscriber): void {
    this.leave(subscriber);
    this.start([subscriber], { isReset: false });
  }

  leave(subscriber: MarketSubscriber): void {
    this.lagging.delete(subscriber);
    for (const { members } of this.cohorts) members.delete(subscriber);
    this.cohorts = this.cohorts.filter(({ members }) => members.size > 0);
    if (this.isEmpty) this.stop();
  }

  /** A level changed in a committed batch. The message goes out soon, with whatever else changes until then. */
  follow(event: LevelEvent): void {
    if (this.cohorts.length === 0) return;
    if (this.isFull) this.touched[event.side].set(event.priceTicks, event.quantityUnits);
    if (this.timer !== undefined) return;
    const interval = this.isFull ? FULL_INTERVAL_MS : INTERVAL_MS;
    const waitMs = this.lastFlushMs + interval - performance.now();
    this.timer =
      waitMs <= 0 ? setImmediate(() => this.flushSafely()) : setTimeout(() => this.flushSafely(), waitMs);
    this.timer.unref();
  }

  /** Whoever has caught up gets a whole book again. */
  recover(): void {
    if (this.lagging.size === 0) return;
    const caughtUp = [...this.lagging].filter(({ outlet }) => !outlet.isLagging);
    for (const subscriber of caughtUp) this.lagging.delete(subscriber);
    if (caughtUp.length > 0) this.start(caughtUp, { isReset: true });
  }

  stop(): void {
    if (this.timer !== undefined) {
      clearTimeout(this.timer as NodeJS.Timeout);
      clearImmediate(this.timer as NodeJS.Immediate);
    }
    this.timer = undefined;
    this.touched.buy.clear();
    this.touched.sell.clear();
  }

  private get seq(): number {
    return this.options.view.market(this.options.instrumentNo)?.sequence ?? 0;
  }

  private read(levels: number): BookWindow {
    const { view, instrumentNo } = this.options;
    return {
      bids: view.depth(instrumentNo, 'buy', levels),
      asks: view.depth(instrumentNo, 'sell', levels),
    };
  }

  private start(subscribers: readonly MarketSubscriber[], { isReset }: { isReset: boolean }): void {
    const { seq } = this;
    const window = this.read(this.isFull ? ALL_LEVELS : this.options.depth);
    const snapshot = this.snapshot(window, { seq, isReset });
    for (const { outlet, market } of subscribers) outlet.send(snapshot.frameFor(outlet.version, market));
    this.admit(subscribers, { seq, window });
  }

  private snapshot(window: BookWindow, { seq, isReset }: { seq: number; isReset: boolean }): Broadcast {
    const { depth, clock } = this.options;
    const levels = `"bids":${levelsText(window.bids)},"asks":${levelsText(window.asks)}`;
    const reset = isReset ? ',"reset":true' : '';
    const tail = `${levels},"checksum":${checksumOf(window)},"timestamp":"${formatIso(clock())}"${reset}`;
    return new Broadcast(
      'book_snapshot',
      (market) => `{"data":{"market_id":${JSON.stringify(market)},"seq":${seq},"depth":${depth},${tail}}}`,
    );
  }

  /** A fault here must not end the program: whoever follows is sent a whole book again. */
  private flushSafely(): void {
    try {
      this.flush();
    } catch (error) {
      this.options.telemetry.fault('book stream', error);
      for (const { members } of this.cohorts) for (const one of members) this.lagging.add(one);
      this.cohorts = [];
    }
  }

  private flush(): void {
    this.timer = undefined;
    this.lastFlushMs = performance.now();
    const { seq } = this;
    const window = this.read(this.isFull ? CHECKSUM_LEVELS : this.options.depth);
    const touched = this.isFull ? this.takeTouched() : undefined;
    const checksum = checksumOf(window);
    const moved = new Set<MarketSubscriber>();
    const still: Cohort[] = [];
    for (const cohort of this.cohorts) {
      const changes = touched ?? changesBetween(cohort.window, window, this.options.depth);
      // A change that was undone before it was sent, or that lies outside of the window, is no message.
      if (isNoChange(changes) || cohort.seq === seq) still.push(cohort);
      else this.sendDelta(cohort, { seq, changes, checksum, moved });
    }
    this.cohorts = still;
    if (moved.size > 0) this.admit(moved, { seq, window });
  }

  /** Subscribers whose last message is the state of this sequence. */
  private admit(subscribers: Iterable<MarketSubscriber>, { seq, window }: Omit<Cohort, 'members'>): void {
    let cohort = this.cohorts.find((one) => one.seq === seq);
    if (cohort === undefined) {
      // The whole book is not kept: its changes are known by price.
      cohort = { seq, window: this.isFull ? NOTHING : window, members: new Set() };
      this.cohorts.push(cohort);
    }
    for (const subscriber of subscribers) cohort.members.add(subscriber);
  }

  private sendDelta(
    cohort: Cohort,
    next: { seq: number; changes: BookChanges; checksum: number; moved: Set<MarketSubscriber> },
  ): void {
    const { seq, changes, checksum, moved } = next;
    const chain = `"prev_seq":${cohort.seq},"seq":${seq}`;
    const levels = `"bids":${levelsText(changes.bids)},"asks":${levelsText(changes.asks)}`;
    const tail = `${chain},${levels},"checksum":${checksum},"timestamp":"${formatIso(this.options.clock())}"`;
    const delta = new Broadcast(
      'book_delta',
      (market) => `{"data":{"market_id":${JSON.stringify(market)},${tail}}}`,
    );
    for (const subscriber of cohort.members) {
      if (subscriber.outlet.isLagging) {
        this.lagging.add(subscriber);
      } else {
        subscriber.outlet.sendShared(delta, subscriber.market);
        moved.add(subscriber);
      }
    }
  }

  /** The present quantities at the prices that changed, best first. */
  private takeTouched(): BookChanges {
    const { buy, sell } = this.touched;
    const sorted = (levels: Map<number, number>, sign: 1 | -1): LevelChange[] =>
      [...levels]
        .sort(([a], [b]) => sign * (a - b))
        .map(([priceTicks, quantityUnits]) => ({ priceTicks, quantityUnits }));
    const changes = { bids: sorted(buy, -1), asks: sorted(sell, 1) };
    buy.clear();
    sell.clear();
    return changes;
  }
}
