import { ConnectionError, OpenGridError } from '../core/error.ts';
import type { ServerClock } from '../internal/clock.ts';
import type { Credentials } from '../internal/credentials.ts';
import { messageOfSocket, signText } from '../signing/messages.ts';
import { emit } from './emit.ts';
import { LiveError } from './errors.ts';
import type { Fields, Frame } from './frame.ts';
import { Session } from './session.ts';
import { type SocketClass, socketClass } from './socket.ts';

/** Settings of a live connection. */
export type LiveOptions = {
  /** Cancel the orders placed over this connection when its socket ends, for whatever reason. */
  cancelOnDisconnect?: boolean | undefined;
  /** Milliseconds between two heartbeats. Default 30,000. */
  heartbeatMs?: number | undefined;
  /** How long an answer may take. Default 10,000. */
  replyTimeoutMs?: number | undefined;
  /** First pause before connecting again; it doubles up to `maxBackoffMs`. Default 1,000. */
  backoffMs?: number | undefined;
  /** Default 30,000. */
  maxBackoffMs?: number | undefined;
  /** Replaces the platform's WebSocket. */
  WebSocket?: SocketClass | undefined;
};

/** `waiting` is the pause before another attempt; `closed` is final. */
export type LiveState = 'connecting' | 'open' | 'waiting' | 'closed';

/** What a listener of the connection learns. `error` says why it is closed, where `close()` was not the reason. */
export type LiveStatus = { state: LiveState; error: Error | null };

export type ConnectionParts = {
  url: string;
  credentials: Credentials;
  clock: ServerClock;
  options: LiveOptions;
  onEvent: (frame: Frame) => void;
  /** Subscribes again on a session that has just logged in. */
  onOpen: (session: Session) => Promise<void>;
  /** What was known is no longer followed. */
  onDrop: () => void;
};

const refusedCodes = new Set([1009, 4400, 4401]);
const limitCode = 4429;
const limitPauseMs = 10_000;

/** A socket that is there again after every loss. Everything that must survive a loss is kept by those who use it. */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #listeners = new Set<(status: LiveStatus) => void>();
  #status: LiveStatus = { state: 'connecting', error: null };
  #session: Session | undefined;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    void this.#connect();
  }

  get status(): LiveStatus {
    return this.#status;
  }

  onStatus(listener: (status: LiveStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when the socket is open and logged in. @throws Error that closed the connection for good */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = ({ state, error }: LiveStatus): void => {
        if (state !== 'open' && state !== 'closed') return;
        stop();
        if (state === 'open') resolve();
        else reject(error ?? new ConnectionError('The connection was closed.'));
      };
      const stop = this.onStatus(look);
      look(this.#status);
    });
  }

  /** The session that commands go to. @throws ConnectionError when none is open: nothing was sent */
  session(): Session {
    if (this.#session === undefined || this.#status.state !== 'open')
      throw new ConnectionError('The live connection is not open; nothing was sent.');
    return this.#session;
  }

  /** The session that is open, if one is. */
  openSession(): Session | undefined {
    return this.#status.state === 'open' ? this.#session : undefined;
  }

  close(): void {
    this.#finish(null);
  }

  #finish(error: Error | null): void {
    if (this.#status.state === 'closed') return;
    clearTimeout(this.#timer);
    this.#set({ state: 'closed', error });
    this.#session?.leave();
    this.#session = undefined;
    this.#parts.onDrop();
  }

  #set(status: LiveStatus): void {
    this.#status = status;
    emit(this.#listeners, status);
  }

  #isClosed(): boolean {
    return this.#status.state === 'closed';
  }

  async #connect(): Promise<void> {
    try {
      const session = await this.#openSession();
      if (this.#isClosed()) return session.leave();
      this.#session = session;
      await this.#logIn(session);
      if (this.#session !== session || this.#isClosed()) return;
      // What is followed already is asked for before anybody learns that the socket is open and asks for more.
      const subscribed = this.#parts.onOpen(session);
      this.#attempt = 0;
      this.#set({ state: 'open', error: null });
      await subscribed;
    } catch (error) {
      this.#fail(error);
    }
  }

  async #openSession(): Promise<Session> {
    const { url, options, onEvent } = this.#parts;
    const Socket = options.WebSocket ?? (await socketClass());
    const session: Session = await Session.open({
      url,
      Socket,
      heartbeatMs: options.heartbeatMs ?? 30_000,
      replyTimeoutMs: options.replyTimeoutMs ?? 10_000,
      onEvent,
      onEnd: (code) => this.#takeEnd(code),
    });
    return session;
  }

  /** Joins the topic, which tells the server's time and a challenge, and proves who is there where somebody is. */
  async #logIn(session: Session): Promise<void> {
    const joined = await session.request('phx_join', {});
    this.#parts.clock.learn(String(joined.server_time));
    const login = await this.#login(String(joined.challenge));
    if (login !== null) await session.request('authenticate', login);
  }

  async #login(challenge: string): Promise<Fields | null> {
    const { credentials, clock, options } = this.#parts;
    const wish = options.cancelOnDisconnect === true ? { cancel_on_disconnect: true } : {};
    const { signer, bearer } = credentials;
    if (signer !== undefined) {
      const { fingerprint } = signer;
      const timestamp = clock.nowSeconds();
      const signature = await signText(signer, messageOfSocket({ timestamp, fingerprint, challenge }));
      return { timestamp: String(timestamp), fingerprint, signature, challenge, ...wish };
    }
    return bearer?.startsWith('og_at_') ? { token: bearer, ...wish } : null;
  }

  /** What the server refuses will be refused again; everything else is worth another attempt. */
  #fail(error: unknown): void {
    const isRefusal = error instanceof LiveError && error.code !== 'rate_limited';
    const isOurs = !(error instanceof OpenGridError);
    if (isRefusal || isOurs) this.#finish(error as Error);
    else this.#session?.end();
  }

  #takeEnd(code: number): void {
    this.#session = undefined;
    if (this.#isClosed()) return;
    if (refusedCodes.has(code)) {
      this.#finish(new LiveError('closed', `The server closed the socket for good (code ${code}).`));
      return;
    }
    const leastMs = code === limitCode ? limitPauseMs : 0;
    // Before anybody is told, because who is told may close the connection.
    this.#timer = setTimeout(() => this.#again(), Math.max(leastMs, this.#pauseMs()));
    this.#set({ state: 'waiting', error: null });
    this.#parts.onDrop();
  }

  #again(): void {
    this.#attempt += 1;
    this.#set({ state: 'connecting', error: null });
    if (!this.#isClosed()) void this.#connect();
  }

  /** Shortened by up to a quarter, so that the clients of a server that was restarted do not come back in step. */
  #pauseMs(): number {
    const { backoffMs = 1_000, maxBackoffMs = 30_000 } = this.#parts.options;
    const pauseMs = Math.min(backoffMs * 2 ** this.#attempt, maxBackoffMs);
    return pauseMs * (1 - Math.random() * 0.25);
  }
}
