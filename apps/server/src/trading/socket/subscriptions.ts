import type { AccountFeed, AccountStreamName } from './feed/account-feed.ts';
import type { MarketFeed, MarketTarget } from './feed/market-feed.ts';
import type { MarketSubscriber } from './feed/subscriber.ts';
import { encodePush } from './frames.ts';
import type { Outlet } from './outlet.ts';
import type { StreamRequest, WantedStream } from './stream-request.ts';

export interface SubscriptionsOptions {
  readonly outlet: Outlet;
  readonly markets: MarketFeed;
  /** Streams one socket may have; 0 = no limit. */
  readonly limit: number;
}

interface MarketSubscription {
  readonly target: MarketTarget;
  readonly subscriber: MarketSubscriber;
}

type Failure = 'unknown_stream' | 'unknown_market' | 'unauthorized' | 'limit';

/** What became of one stream of a request. */
interface Settled {
  readonly wanted: WantedStream;
  readonly failure?: Failure;
}

/** The streams that one socket gets. */
export class Subscriptions {
  private readonly options: SubscriptionsOptions;
  private readonly markets = new Map<string, MarketSubscription>();
  private readonly accountStreams = new Set<AccountStreamName>();
  private feed: AccountFeed | undefined;

  constructor(options: SubscriptionsOptions) {
    this.options = options;
  }

  get count(): number {
    return this.markets.size + this.accountStreams.size;
  }

  /** Acknowledges, then begins the streams with what they say first. `feed` is there for an authenticated socket. */
  subscribe({ requestId, streams }: StreamRequest, feed: AccountFeed | undefined): void {
    this.feed = feed;
    const coming = new Set<string>();
    const settled = streams.map((wanted) => this.admit(wanted, coming));
    this.acknowledge('subscribe', requestId, settled);
    for (const { wanted, failure } of settled) if (failure === undefined) this.begin(wanted);
  }

  unsubscribe({ requestId, streams }: StreamRequest): void {
    for (const { target } of streams) {
      if (target.kind === 'market') this.leaveMarket(keyOf(target.market));
      else if (target.kind === 'account') this.leaveAccount(target.name);
    }
    const settled = streams.map((wanted) => {
      const { target } = wanted;
      return target.kind === 'failed' ? { wanted, failure: target.reason } : { wanted };
    });
    this.acknowledge('unsubscribe', requestId, settled);
  }

  /** Ends every stream. */
  clear(): void {
    for (const key of [...this.markets.keys()]) this.leaveMarket(key);
    this.clearAccount();
  }

  /** Ends the private streams. */
  clearAccount(): void {
    for (const name of [...this.accountStreams]) this.leaveAccount(name);
    this.feed = undefined;
  }

  private admit(wanted: WantedStream, coming: Set<string>): Settled {
    const { target } = wanted;
    if (target.kind === 'failed') return { wanted, failure: target.reason };
    if (target.kind === 'account' && this.feed === undefined) return { wanted, failure: 'unauthorized' };
    const key = target.kind === 'market' ? keyOf(target.market) : target.name;
    const isThere = target.kind === 'account' && this.accountStreams.has(target.name);
    if (isThere || this.markets.has(key) || coming.has(key)) return { wanted };
    const { limit } = this.options;
    if (limit > 0 && this.count + coming.size >= limit) return { wanted, failure: 'limit' };
    coming.add(key);
    return { wanted };
  }

  private begin({ target, market = '' }: WantedStream): void {
    const { outlet } = this.options;
    if (target.kind === 'account') {
      this.accountStreams.add(target.name);
      this.feed?.join(target.name, outlet);
    } else if (target.kind === 'market') {
      const key = keyOf(target.market);
      this.leaveMarket(key);
      const subscriber = { outlet, market };
      this.markets.set(key, { target: target.market, subscriber });
      this.options.markets.join(target.market, subscriber);
    }
  }

  private leaveMarket(key: string): void {
    const subscription = this.markets.get(key);
    if (subscription === undefined) return;
    this.markets.delete(key);
    this.options.markets.leave(subscription.target, subscription.subscriber);
  }

  private leaveAccount(name: AccountStreamName): void {
    if (!this.accountStreams.delete(name)) return;
    this.feed?.leave(name, this.options.outlet);
  }

  private acknowledge(
    action: 'subscribe' | 'unsubscribe',
    requestId: string,
    settled: readonly Settled[],
  ): void {
    const failed = settled.filter(({ failure }) => failure !== undefined).length;
    const some = failed === settled.length ? 'error' : 'partial';
    const ack = {
      type: 'ack',
      action,
      request_id: requestId,
      status: failed === 0 ? 'ok' : some,
      streams: settled.map((one) => streamOf(one, action)),
    };
    const { outlet } = this.options;
    outlet.send(encodePush(outlet.version, 'ack', JSON.stringify(ack)));
  }
}

function streamOf(
  { wanted, failure }: Settled,
  action: 'subscribe' | 'unsubscribe',
): Record<string, unknown> {
  const { target: _target, ...said } = wanted;
  const isSubscribed = action === 'subscribe' && failure === undefined;
  return { ...said, subscribed: isSubscribed, ...(failure === undefined ? {} : { reason: failure }) };
}

/** A market is subscribed to once per stream, whatever its spelling and depth: a repetition replaces them. */
function keyOf({ name, instrumentNo }: MarketTarget): string {
  return `${name}:${instrumentNo}`;
}
