import { OpenGridError } from '../core/error.ts';
import { LiveError } from './errors.ts';
import { type Fields, isFields } from './frame.ts';
import type { Session } from './session.ts';

/** A stream as it is subscribed to. */
export type Stream = { name: string; market?: string; depth?: number };

/** Something that follows a stream. Called by the connection only. */
export type Follower = {
  stream: Stream;
  /** An event of the stream. */
  receive: (event: string, payload: Fields) => void;
  /** The server has acknowledged the stream; also after every loss of the connection. */
  subscribed: () => void;
  /** The server will not send the stream. */
  refused: (error: Error) => void;
  /** The connection is gone for now, or for good. */
  dropped: () => void;
};

const streamOfEvent = new Map([
  ['new_order', 'user.orders'],
  ['order_update', 'user.orders'],
  ['user_trade', 'user.trades'],
  ['balance_snapshot', 'user.balances'],
  ['balance_update', 'user.balances'],
  ['new_trade', 'market.trades'],
  ['update_trade', 'market.trades'],
  ['market_ticker', 'market.ticker'],
  ['book_snapshot', 'market.book'],
  ['book_delta', 'market.book'],
  ['market_status', 'market.status'],
]);

const keyOf = ({ name, market = '' }: { name: string; market?: string | undefined }): string =>
  `${name}:${market}`;

/** Who follows what, over all sockets of one connection. Followers of one stream share one subscription. */
export class Subscriptions {
  readonly #followers = new Map<string, Set<Follower>>();

  /** @returns whether this is the first follower of its stream, so that it must be subscribed to */
  add(follower: Follower): boolean {
    const key = keyOf(follower.stream);
    const followers = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, followers.add(follower));
    return followers.size === 1;
  }

  /** @returns whether nobody follows the stream any more */
  remove(follower: Follower): boolean {
    const key = keyOf(follower.stream);
    const followers = this.#followers.get(key);
    if (followers?.delete(follower) !== true || followers.size > 0) return false;
    return this.#followers.delete(key);
  }

  /** Any follower of a stream. */
  find(stream: Stream): Follower | undefined {
    return this.#followers.get(keyOf(stream))?.values().next().value;
  }

  /** Subscribes a session to every stream that somebody follows. */
  async subscribeAll(session: Session): Promise<void> {
    const streams = [...this.#followers.values()].flatMap((followers) => [...followers][0]?.stream ?? []);
    if (streams.length > 0) await this.subscribe(session, streams);
  }

  /** Subscribes and tells the followers what came of it. @throws ConnectionError when no answer came */
  async subscribe(session: Session, streams: readonly Stream[]): Promise<void> {
    try {
      const ack = await session.acknowledged('subscribe', streams);
      for (const entry of Array.isArray(ack.streams) ? ack.streams : []) this.#tell(entry);
    } catch (error) {
      if (!(error instanceof LiveError)) throw error;
      for (const stream of streams) this.#each(stream, (follower) => follower.refused(error));
    }
  }

  dispatch(event: string, payload: Fields): void {
    const name = streamOfEvent.get(event);
    if (name === undefined) return;
    const data = isFields(payload.data) ? payload.data : payload;
    const isPublic = name.startsWith('market.');
    const market = isPublic ? String(data.market_id) : undefined;
    for (const follower of this.#followers.get(keyOf({ name, market })) ?? []) follower.receive(event, data);
  }

  dropped(): void {
    for (const followers of this.#followers.values()) for (const follower of followers) follower.dropped();
  }

  #tell(entry: unknown): void {
    if (!isFields(entry)) return;
    const stream: Stream = { name: String(entry.name) };
    if (typeof entry.market === 'string') stream.market = entry.market;
    if (entry.subscribed === true) {
      this.#each(stream, (follower) => follower.subscribed());
      return;
    }
    const reason = String(entry.reason);
    const error = new LiveError(reason, `The server does not send the stream ${stream.name}: ${reason}.`);
    this.#each(stream, (follower) => follower.refused(error));
  }

  #each(stream: Stream, call: (follower: Follower) => void): void {
    for (const follower of [...(this.#followers.get(keyOf(stream)) ?? [])]) call(follower);
  }
}

/** A stream that is being followed. */
export class Subscription {
  readonly #close: () => void;
  /** Resolves when the server sends the stream. Rejects when it refuses to, or the connection is closed. */
  readonly ready: Promise<void>;

  constructor(ready: Promise<void>, close: () => void) {
    this.ready = ready;
    // Those who do not wait for it must not be told of it as of an unhandled rejection.
    ready.catch(() => undefined);
    this.#close = close;
  }

  close(): void {
    this.#close();
  }
}

/** A promise that a follower settles. */
export const readiness = (): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
} => {
  let resolve = (): void => undefined;
  let reject = (_error: Error): void => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
};

/** What ends a wait for a stream whose connection is closed. */
export const closedError = (): Error => new OpenGridError('The live connection was closed.');
