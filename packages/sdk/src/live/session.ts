import { ConnectionError } from '../core/error.ts';
import { decodeFrame, encodeFrame, type Fields, type Frame } from './frame.ts';
import { Pending } from './pending.ts';
import type { RawSocket, SocketClass } from './socket.ts';

/** How a session behaves. */
export type SessionOptions = {
  url: string;
  Socket: SocketClass;
  heartbeatMs: number;
  replyTimeoutMs: number;
  /** Frames that are no answers. */
  onEvent: (frame: Frame) => void;
  /** Called once, whatever ended it; the code is 1006 where the peer just vanished. */
  onEnd: (code: number) => void;
};

const topic = 'ws:trading';
const vanished = 1006;

/** One socket from its opening to its end. It is never opened again: the next one is another session. */
export class Session {
  readonly #options: SessionOptions;
  readonly #socket: RawSocket;
  readonly #replies: Pending;
  readonly #acks: Pending;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #failOpening: (() => void) | undefined;
  #hasEnded = false;
  #nextRef = 1;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#socket = new options.Socket(options.url);
    this.#replies = new Pending(options.replyTimeoutMs);
    this.#acks = new Pending(options.replyTimeoutMs);
    this.#socket.addEventListener('message', ({ data }) => this.#receive(data));
    this.#socket.addEventListener('close', ({ code }) => this.#finish(code));
    // A close follows every error and has what there is to know.
    this.#socket.addEventListener('error', () => undefined);
  }

  /** Opens a socket. @throws ConnectionError when it does not open in time; `onEnd` is called then as well */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    await session.#opened();
    session.#heartbeat = setInterval(() => session.#beat(), options.heartbeatMs);
    return session;
  }

  /** Sends an event and gives the response of its reply. @throws LiveError when it was refused, ConnectionError */
  async request(event: string, payload: Fields): Promise<Fields> {
    const ref = this.#send(topic, event, payload);
    return await this.#replies.wait(ref);
  }

  /** Subscribes or unsubscribes; these are answered by an `ack`, or by a reply that refuses them. */
  async acknowledged(event: 'subscribe' | 'unsubscribe', streams: readonly Fields[]): Promise<Fields> {
    const requestId = `${event}-${this.#nextRef}`;
    const ref = this.#send(topic, event, { streams, request_id: requestId });
    const acknowledged = this.#acks.wait(requestId);
    const refused = this.#replies.wait(ref).then(() => acknowledged);
    return await Promise.race([acknowledged, refused]).finally(() => {
      // Whichever did not come is not waited for any longer.
      refused.catch(() => undefined);
      this.#acks.resolve(requestId, {});
      this.#replies.settle(ref, { status: 'ok' });
    });
  }

  /** Ends the session at once, without waiting for the peer. */
  end(code = vanished): void {
    if (this.#hasEnded) return;
    if (this.#socket.terminate === undefined) this.#socket.close();
    else this.#socket.terminate();
    this.#finish(code);
  }

  /** Ends the session in good order; what was sent before still arrives. */
  leave(): void {
    this.#socket.close();
    this.#finish(1000);
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.end(), this.#options.replyTimeoutMs);
      this.#socket.addEventListener('open', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#failOpening = () => {
        clearTimeout(timer);
        reject(new ConnectionError('The socket could not be opened.'));
      };
    });
  }

  #send(frameTopic: string, event: string, payload: Fields): string {
    if (this.#hasEnded) throw new ConnectionError('The socket has ended; nothing was sent.');
    const ref = String(this.#nextRef);
    this.#nextRef += 1;
    this.#socket.send(encodeFrame({ topic: frameTopic, event, payload, ref }));
    return ref;
  }

  /** A peer that is gone without a word is noticed by its missing answer. */
  #beat(): void {
    this.#send('phoenix', 'heartbeat', {});
    this.#silence ??= setTimeout(() => this.end(), this.#options.replyTimeoutMs);
  }

  #receive(data: unknown): void {
    if (this.#hasEnded) return;
    const frame = decodeFrame(data);
    // Half a frame means that something between here and there is broken: what follows cannot be trusted either.
    if (frame === null) this.end();
    else if (frame.event === 'phx_reply') this.#takeReply(frame);
    else if (frame.event === 'ack') this.#acks.resolve(String(frame.payload.request_id), frame.payload);
    else this.#options.onEvent(frame);
  }

  #takeReply({ ref, payload }: Frame): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#replies.settle(ref, payload);
  }

  #finish(code: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#silence);
    const error = new ConnectionError('The socket ended before the answer came.');
    this.#replies.failAll(error);
    this.#acks.failAll(error);
    this.#failOpening?.();
    this.#options.onEnd(code);
  }
}
