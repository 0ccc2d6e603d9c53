import type { WebSocket } from 'ws';
import type { Broadcast } from './broadcast.ts';
import type { FrameVersion } from './frames.ts';

/** Beyond this many bytes in its send buffer a socket gets no book, ticker or balance changes, and later a fresh copy. */
const LAG_BYTES = 1_048_576;
/** What waits beside the send buffer; more than that counts as not delivered. */
const BACKLOG_LIMIT_BYTES = 8 * 1_048_576;
export const DELIVERY_PATIENCE_MS = 10_000;

/** The part of a WebSocket that is written to. */
export type Sink = Pick<WebSocket, 'send' | 'bufferedAmount'>;

interface Waiting {
  readonly frame: Buffer | string;
  readonly sinceMs: number;
}

/**
 * What leaves a socket. Market data is dropped while the consumer lags, which its subscription is told. Replies and
 * private events are kept in order and never dropped: when they cannot go out in time the socket has to end.
 */
export class Outlet {
  readonly version: FrameVersion;
  private readonly sink: Sink;
  private readonly clock: () => number;
  private backlog: Waiting[] = [];
  private backlogBytes = 0;

  constructor(sink: Sink, version: FrameVersion, clock: () => number) {
    this.sink = sink;
    this.version = version;
    this.clock = clock;
  }

  get isLagging(): boolean {
    return this.backlog.length > 0 || this.sink.bufferedAmount > LAG_BYTES;
  }

  /** Whether something that must not be dropped has waited too long, or too much of it waits. */
  get isStuck(): boolean {
    const oldest = this.backlog[0];
    if (oldest === undefined) return false;
    return this.backlogBytes > BACKLOG_LIMIT_BYTES || this.clock() - oldest.sinceMs >= DELIVERY_PATIENCE_MS;
  }

  /** Sends a frame that must arrive, after those that wait already. */
  send(frame: Buffer | string): void {
    if (!this.isLagging) {
      this.write(frame);
      return;
    }
    this.backlog.push({ frame, sinceMs: this.clock() });
    this.backlogBytes += frame.length;
  }

  /** Sends market data, or nothing when the consumer lags. Whoever calls has looked at {@link isLagging} first. */
  sendShared(message: Broadcast, spelling: string): void {
    this.write(message.frameFor(this.version, spelling));
  }

  /** Sends what waits, as far as there is room. Called several times a second. */
  drain(): void {
    let count = 0;
    while (count < this.backlog.length && this.sink.bufferedAmount <= LAG_BYTES) {
      const { frame } = this.backlog[count]!;
      this.backlogBytes -= frame.length;
      this.write(frame);
      count += 1;
    }
    if (count > 0) this.backlog = this.backlog.slice(count);
  }

  private write(frame: Buffer | string): void {
    this.sink.send(frame, { binary: false });
  }
}
