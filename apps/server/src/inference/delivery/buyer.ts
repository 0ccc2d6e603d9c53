import type { ServerResponse } from 'node:http';
import { type Content, type GridError, KEEP_ALIVE_COMMENT } from '@opengrid/wire';
import { openContent } from '@opengrid/wire/content';

/** Where the bytes of an answer are counted. */
export interface ByteCount {
  bytesOut: number;
}

/** The buyer's end of a request: one answer, whole or streamed, and the news that the buyer has left. */
export class Buyer {
  private readonly raw: ServerResponse;
  private readonly count: ByteCount;
  private readonly bufferedBytes: number;
  private isEnded = false;
  private hasLeft = false;
  private wroteSinceTick = false;
  private drained: (() => void) | undefined;
  /** Prints the event of a fault for a buyer who has the beginning of an answer. */
  printFault: ((error: GridError) => string) | undefined;
  /** Called once, when the buyer leaves before the answer is over. */
  onGone: (() => void) | undefined;

  constructor(raw: ServerResponse, options: { count: ByteCount; bufferedBytes: number }) {
    this.raw = raw;
    this.count = options.count;
    this.bufferedBytes = options.bufferedBytes;
    raw.on('error', () => undefined);
    raw.once('close', () => this.closed());
    raw.on('drain', () => this.release());
  }

  get isGone(): boolean {
    return this.hasLeft || this.raw.destroyed;
  }

  /** Whether status and headers of a stream are out. */
  get isStreaming(): boolean {
    return this.raw.headersSent;
  }

  startStream(headers: Readonly<Record<string, string>>): void {
    if (this.raw.headersSent || this.isGone) return;
    this.raw.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies in between must neither collect nor recode the events.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
  }

  /** Writes events of a started stream. */
  write(events: string): void {
    if (events === '' || this.isGone || this.isEnded) return;
    this.wroteSinceTick = true;
    this.count.bytesOut += Buffer.byteLength(events);
    this.raw.write(events);
  }

  /** Whether so much waits for a slow buyer that the supplier must wait too. */
  get isCongested(): boolean {
    return this.raw.writableLength > this.bufferedBytes;
  }

  /** Calls back once when what waits has been sent, or the buyer has left. */
  onceDrained(callback: () => void): void {
    this.drained = callback;
    if (this.isGone || this.raw.writableLength === 0) this.release();
  }

  /** Writes a sign of life if nothing was written since the last time: a comment, or what the dialect has for it. */
  keepAlive(headers: Readonly<Record<string, string>>, sign = KEEP_ALIVE_COMMENT): void {
    if (!this.wroteSinceTick && !this.isEnded) {
      this.startStream(headers);
      this.write(sign);
    }
    this.wroteSinceTick = false;
  }

  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string | Content<string>): void {
    if (this.isGone || this.isEnded) return;
    this.isEnded = true;
    const text = typeof body === 'string' ? body : openContent(body);
    const size = Buffer.byteLength(text);
    this.count.bytesOut += size;
    this.raw.writeHead(status, {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(size),
    });
    // As a string it leaves in one piece with the head.
    this.raw.end(text);
  }

  /** Sends the client elsewhere with the same request. */
  redirect(location: string, headers: Readonly<Record<string, string>>): void {
    if (this.isGone || this.isEnded) return;
    this.isEnded = true;
    this.raw.writeHead(307, { ...headers, location, 'content-length': '0' });
    this.raw.end();
  }

  /** Ends a stream after some last events. */
  end(events = ''): void {
    if (this.isEnded || this.isGone) return;
    this.isEnded = true;
    this.count.bytesOut += Buffer.byteLength(events);
    this.raw.end(events);
  }

  /** Ends a stream with a fault: the connection is closed, so that nobody takes the answer for a whole one. */
  breakOff(event: string): void {
    if (this.isEnded || this.isGone) return;
    this.isEnded = true;
    this.count.bytesOut += Buffer.byteLength(event);
    this.raw.end(event, () => this.raw.socket?.end());
  }

  private closed(): void {
    this.hasLeft = !this.isEnded || !this.raw.writableFinished;
    this.release();
    if (!this.isEnded) this.onGone?.();
  }

  private release(): void {
    const callback = this.drained;
    this.drained = undefined;
    callback?.();
  }
}
