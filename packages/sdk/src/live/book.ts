import { OpenGridError } from '../core/error.ts';
import { BookState, type LiveLevel } from './book-state.ts';
import { emit } from './emit.ts';
import type { Fields } from './frame.ts';

/** A live book at one moment: all of it is of the same moment. */
export type BookView = {
  /** As it was asked for. */
  market_id: string;
  /** The market's sequence, the same counter as `sequence` of `markets.orderbook`. */
  sequence: number;
  /** ISO 8601; empty where the server sent none. */
  timestamp: string;
  /** Best price first. */
  bids: readonly LiveLevel[];
  asks: readonly LiveLevel[];
  checksum: number;
};

/** `resyncing` also before the first snapshot and while the connection is down. */
export type BookStatus = 'live' | 'resyncing' | 'closed';

/** How a book gets a fresh snapshot and tells that nobody follows it any more. */
export type BookParts = {
  market: string;
  depth: number;
  /** Subscribes again, which makes the server send a snapshot. */
  requestSnapshot: () => void;
  onClose: () => void;
  /** First pause between two requests for a snapshot. */
  retryMs: number;
};

const longestRetryMs = 10_000;

/**
 * An order book kept up by the server's stream: a snapshot, then every change. Each change must follow the one before
 * it and lead to the checksum that the server has. Where it does not, the book is thrown away and asked for anew, and
 * until it is there again nothing is shown rather than something old.
 */
export class LiveBook {
  readonly #parts: BookParts;
  readonly #listeners = new Set<(view: BookView | null) => void>();
  #state: BookState | null = null;
  #view: BookView | null = null;
  #isClosed = false;
  #reason: Error | null = null;
  #resyncCount = 0;
  /** Highest sequence that was shown since the connection was opened. */
  #newest = -1;
  /** Times the book was lost since a change was last applied to it. */
  #troubleCount = 0;
  #pauseMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: BookParts) {
    this.#parts = parts;
    this.#pauseMs = parts.retryMs;
  }

  get status(): BookStatus {
    if (this.#isClosed) return 'closed';
    return this.#state === null ? 'resyncing' : 'live';
  }

  /** Levels a side that are followed; 0 is all of them. */
  get depth(): number {
    return this.#parts.depth;
  }

  /** How often the book was thrown away because a message was missing or wrong. */
  get resyncCount(): number {
    return this.#resyncCount;
  }

  /** The book as it is now, or null while it is not known. */
  current(): BookView | null {
    const state = this.#state;
    if (state === null) return null;
    const { sequence, timestamp, checksum } = state;
    const head = { market_id: this.#parts.market, sequence, timestamp };
    this.#view ??= { ...head, bids: state.bids(), asks: state.asks(), checksum };
    return this.#view;
  }

  /** Calls back after every change, with null when the book is lost. @returns what ends the calls */
  onChange(listener: (view: BookView | null) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The book as soon as it is known. @throws OpenGridError when it is closed or refused before */
  ready(): Promise<BookView> {
    return new Promise((resolve, reject) => {
      const look = (view: BookView | null): void => {
        if (view === null && !this.#isClosed) return;
        stop();
        if (view === null) reject(this.#reason);
        else resolve(view);
      };
      const stop = this.onChange(look);
      look(this.current());
    });
  }

  close(): void {
    this.fail(new OpenGridError('The book was closed.'));
  }

  /** Ends the book for a reason. For the connection, not for users. */
  fail(reason: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reason = reason;
    this.#lose();
    this.#parts.onClose();
  }

  /** Takes an event of the stream. For the connection, not for users. */
  receive(event: 'book_snapshot' | 'book_delta', data: Fields): void {
    if (this.#isClosed) return;
    if (event === 'book_snapshot') this.#takeSnapshot(data);
    else this.#takeDelta(data);
  }

  /** The server has promised a snapshot. For the connection, not for users. */
  subscribed(): void {
    if (this.#state === null && !this.#isClosed) this.#await();
  }

  /** The connection is gone; it subscribes again by itself. For the connection, not for users. */
  disconnected(): void {
    // Whoever answers next may be a server whose data were restored.
    this.#newest = -1;
    this.#lose();
  }

  #takeSnapshot(data: Fields): void {
    clearTimeout(this.#timer);
    const state = BookState.from(data, this.#parts.depth);
    // The market's sequence never goes back, so a snapshot that does was overtaken on its way.
    if (state === null || state.sequence < this.#newest) {
      this.#resync();
      return;
    }
    this.#pauseMs = this.#parts.retryMs;
    this.#set(state);
  }

  #takeDelta(data: Fields): void {
    // Changes of a book that was thrown away may still be on their way.
    if (this.#state === null) return;
    if (!this.#state.apply(data)) {
      this.#resync();
      return;
    }
    this.#troubleCount = 0;
    this.#set(this.#state);
  }

  #set(state: BookState): void {
    this.#state = state;
    this.#newest = state.sequence;
    this.#view = null;
    if (this.#listeners.size > 0) emit(this.#listeners, this.current());
  }

  /** Asks for a snapshot at once where this is the first trouble; a server that goes on being wrong is not hurried. */
  #resync(): void {
    this.#resyncCount += 1;
    this.#lose();
    if (this.#troubleCount === 0) this.#parts.requestSnapshot();
    this.#troubleCount += 1;
    this.#await();
  }

  #await(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#parts.requestSnapshot();
      this.#await();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestRetryMs);
  }

  #lose(): void {
    clearTimeout(this.#timer);
    const wasKnown = this.#state !== null;
    this.#state = null;
    this.#view = null;
    if (wasKnown || this.#isClosed) emit(this.#listeners, null);
  }
}
