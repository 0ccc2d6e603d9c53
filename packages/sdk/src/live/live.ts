import { OpenGridError } from '../core/error.ts';
import type { ServerClock } from '../internal/clock.ts';
import type { Credentials } from '../internal/credentials.ts';
import { LiveBook } from './book.ts';
import { Connection, type LiveOptions, type LiveStatus } from './connection.ts';
import { emit } from './emit.ts';
import type { MarketStatusEvent, MarketTradeEvent, TickerEvent, UserHandlers } from './events.ts';
import { LiveOrders } from './live-orders.ts';
import {
  closedError,
  type Follower,
  readiness,
  type Stream,
  Subscription,
  Subscriptions,
} from './subscriptions.ts';
import { UserStream } from './user-stream.ts';

/** What a live client is made of. */
export type LiveParts = {
  /** Scheme, host and port of the installation. */
  origin: string;
  credentials: Credentials;
  clock: ServerClock;
  options: LiveOptions;
};

const userStreams = ['user.orders', 'user.trades', 'user.balances'] as const;
const defaultRetryMs = 1_000;
const depths = new Set([0, 10, 25, 100]);

/**
 * One socket for everything that moves: books, trades, tickers, the account's own events, and order entry. It connects
 * at once, comes back after every loss by itself, and subscribes again to everything that is followed.
 *
 * ```ts
 * const live = grid.live();
 * const book = live.book('text-standard');
 * book.onChange((view) => console.log(view === null ? 'resyncing' : view.bids[0]));
 * ```
 */
export class Live {
  /** Order entry; needs a signer whose key may trade. */
  readonly orders: LiveOrders;
  readonly #connection: Connection;
  readonly #subscriptions = new Subscriptions();
  readonly #books = new Map<string, LiveBook>();
  readonly #retryMs: number;

  constructor({ origin, credentials, clock, options }: LiveParts) {
    this.#connection = new Connection({
      url: `${origin.replace(/^http/, 'ws')}/trading_socket/websocket?vsn=1.0.0`,
      credentials,
      clock,
      options,
      onEvent: ({ event, payload }) => this.#subscriptions.dispatch(event, payload),
      onOpen: (session) => this.#subscriptions.subscribeAll(session),
      onDrop: () => this.#subscriptions.dropped(),
    });
    this.#retryMs = options.backoffMs ?? defaultRetryMs;
    const { receiveWindowMs } = credentials;
    this.orders = new LiveOrders({ session: () => this.#connection.session(), clock, receiveWindowMs });
  }

  get status(): LiveStatus {
    return this.#connection.status;
  }

  /** Calls back whenever the connection opens, is lost or ends. @returns what ends the calls */
  onStatus(listener: (status: LiveStatus) => void): () => void {
    return this.#connection.onStatus(listener);
  }

  /** Resolves when the socket is open and, where there is a signer, logged in. @throws LiveError when refused */
  ready(): Promise<void> {
    return this.#connection.ready();
  }

  /**
   * Follows the book of a market, named by id or symbol, down to `depth` levels a side: 10, 25 (default), 100, or 0
   * for all. Asking again gives the same book.
   * @throws OpenGridError when the depth is another one, or the book is already followed at another depth
   */
  book(market: string, { depth = 25 }: { depth?: 0 | 10 | 25 | 100 } = {}): LiveBook {
    const known = this.#books.get(market);
    if (known !== undefined && known.depth === depth) return known;
    if (known !== undefined) throw new OpenGridError('The book is already followed at another depth.');
    if (!depths.has(depth)) throw new OpenGridError('depth must be 0, 10, 25 or 100.');
    const stream = { name: 'market.book', market, depth };
    const book: LiveBook = new LiveBook({
      market,
      depth,
      retryMs: this.#retryMs,
      requestSnapshot: () => this.#subscribe([stream]),
      onClose: () => {
        this.#books.delete(market);
        this.#unfollow(follower);
      },
    });
    const follower: Follower = {
      stream,
      receive: (event, data) => book.receive(event as 'book_snapshot' | 'book_delta', data),
      subscribed: () => book.subscribed(),
      refused: (error) => book.fail(error),
      dropped: () => (this.#isClosed() ? book.fail(closedError()) : book.disconnected()),
    };
    this.#books.set(market, book);
    this.#follow(follower);
    return book;
  }

  /** Trades of everybody in a market. */
  trades(market: string, listener: (trade: MarketTradeEvent) => void): Subscription {
    return this.#listen({ name: 'market.trades', market }, (data) =>
      emit([listener], data as MarketTradeEvent),
    );
  }

  /** Best prices and 24-hour figures of a market: at once, and on every change. */
  ticker(market: string, listener: (ticker: TickerEvent) => void): Subscription {
    return this.#listen({ name: 'market.ticker', market }, (data) => emit([listener], data as TickerEvent));
  }

  /** Halts, auctions and what else becomes of a market. */
  marketStatus(market: string, listener: (status: MarketStatusEvent) => void): Subscription {
    return this.#listen({ name: 'market.status', market }, (data) =>
      emit([listener], data as MarketStatusEvent),
    );
  }

  /** Orders, trades and balances of the account, with a call where some were missed. Needs a signer. */
  user(handlers: UserHandlers): Subscription {
    const stream = new UserStream(handlers);
    const ready = readiness();
    // The numbers run over all three streams, so that gaps can be told only by those who follow all three.
    const missing = new Set<string>(userStreams);
    const followers = userStreams.map((name) => ({
      stream: { name },
      receive: (event: string, data: Record<string, unknown>) => stream.receive(event, data),
      subscribed: () => {
        // Somebody else's subscription to the same streams is acknowledged to all who follow them.
        if (!missing.delete(name) || missing.size > 0) return;
        stream.subscribed();
        ready.resolve();
      },
      refused: ready.reject,
      dropped: () => {
        missing.add(name);
        if (this.#isClosed()) ready.reject(closedError());
      },
    }));
    const fresh = followers.filter((follower) => this.#subscriptions.add(follower));
    this.#subscribe((fresh.length > 0 ? fresh : followers).map(({ stream: one }) => one));
    return new Subscription(ready.promise, () => {
      for (const follower of followers) this.#unfollow(follower);
    });
  }

  /** Ends the connection and everything that is followed over it. */
  close(): void {
    this.#connection.close();
  }

  #isClosed(): boolean {
    return this.#connection.status.state === 'closed';
  }

  #listen(stream: Stream, receive: (data: unknown) => void): Subscription {
    const ready = readiness();
    const follower: Follower = {
      stream,
      receive: (_event, data) => receive(data),
      subscribed: ready.resolve,
      refused: ready.reject,
      dropped: () => (this.#isClosed() ? ready.reject(closedError()) : undefined),
    };
    this.#follow(follower);
    return new Subscription(ready.promise, () => this.#unfollow(follower));
  }

  #follow(follower: Follower): void {
    this.#subscriptions.add(follower);
    if (this.#isClosed()) follower.dropped();
    else this.#subscribe([follower.stream]);
  }

  #unfollow(follower: Follower): void {
    if (!this.#subscriptions.remove(follower)) return;
    // Without an answer the server will find that nobody is there; there is nothing to repair on this side.
    this.#connection
      .openSession()
      ?.acknowledged('unsubscribe', [follower.stream])
      .catch(() => undefined);
  }

  /** Asks for streams on the open socket; on one that is not open yet they are asked for when it is. */
  #subscribe(streams: readonly Stream[]): void {
    const session = this.#connection.openSession();
    if (session === undefined) return;
    // A subscription that is not answered leaves the socket in a state that nobody knows.
    this.#subscriptions.subscribe(session, streams).catch(() => session.end());
  }
}
