import { createParser, type EventSourceParser } from 'eventsource-parser';

/** One server-sent event. `event` is absent when the sender named none. */
export interface SseEvent {
  readonly event: string | undefined;
  readonly data: string;
}

/** What one piece of the stream gave. After an error the parser takes no more bytes. */
export interface SseBatch {
  readonly events: readonly SseEvent[];
  /** An event (or a line) was longer than the limit. */
  readonly error?: 'event_too_large';
}

/** Four mebi-characters: far above any delta, far below what would hurt. */
export const SSE_EVENT_LIMIT = 4 * 1024 * 1024;

const FAILED: SseBatch = { events: [], error: 'event_too_large' };

/**
 * Reads server-sent events from bytes cut at any place, within a character or between CR and LF included.
 * Comments, ids, retry hints and unknown fields are skipped: none of them means anything between a
 * supplier and the exchange.
 */
export class SseParser {
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  readonly #limitCharacters: number;
  #events: SseEvent[] = [];
  #isTooLarge = false;

  /** @param limitCharacters longest event accepted; up to 64 characters below it may be refused too. */
  constructor(limitCharacters = SSE_EVENT_LIMIT) {
    this.#limitCharacters = limitCharacters;
    this.#parser = createParser({
      maxBufferSize: limitCharacters,
      onEvent: ({ event, data }) => this.#take(event, data),
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.#isTooLarge = true;
      },
    });
    // The decoder already drops a byte order mark. An empty first piece keeps the parser's own search for
    // one, which looks at a piece rather than at the stream, from depending on where the stream was cut.
    this.#parser.feed('');
  }

  /** Takes the next bytes and gives the events they completed. */
  push(bytes: Uint8Array): SseBatch {
    return this.#feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The stream has ended: gives an event whose blank line never came, which some suppliers leave out. */
  end(): SseBatch {
    return this.#feed(`${this.#decoder.decode()}\n\n`);
  }

  #take(event: string | undefined, data: string): void {
    if (this.#isTooLarge) return;
    if (data.length > this.#limitCharacters) this.#isTooLarge = true;
    else this.#events.push({ event, data });
  }

  #feed(text: string): SseBatch {
    if (this.#isTooLarge) return FAILED;
    this.#parser.feed(text);
    const events = this.#events;
    this.#events = [];
    return this.#isTooLarge ? { events, error: 'event_too_large' } : { events };
  }
}
