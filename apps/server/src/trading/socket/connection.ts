import { formatIso, type GridError, gridError, type JsonObject } from '@opengrid/wire';
import type { RawData, WebSocket } from 'ws';
import { TokenBuckets } from '../../http/rate-limit.ts';
import { engineError } from '../engine.ts';
import { toGridError } from '../http/errors.ts';
import { type Challenge, checkAuthentication, type SocketCredential } from './authentication.ts';
import { newChallenge } from './challenge.ts';
import type { SocketDeps } from './deps.ts';
import { OrderDesk } from './entry/order-desk.ts';
import { errorResponse, refusalResponse } from './failure.ts';
import type { AccountFeed } from './feed/account-feed.ts';
import {
  type Answered,
  encodePush,
  encodeReply,
  type FrameVersion,
  type Inbound,
  PHOENIX_TOPIC,
  parseFrame,
  TOPIC,
} from './frames.ts';
import { Outlet } from './outlet.ts';
import { parseStreamRequest, type StreamRequest } from './stream-request.ts';
import { Subscriptions } from './subscriptions.ts';

/** Codes that a socket is closed with. */
export const CLOSE = {
  goingAway: 1001,
  fault: 1011,
  protocolViolation: 4400,
  unauthorized: 4401,
  tooSlow: 4408,
  limits: 4429,
} as const;

/** What a connection asks of whoever keeps all of them. */
export interface ConnectionHost {
  /** Whether the account may have this socket, too. */
  admit(connection: Connection, accountNumber: number): boolean;
  ended(connection: Connection): void;
}

const ORDER_EVENTS: ReadonlySet<string> = new Set([
  'order.place',
  'order.amend',
  'order.cancel',
  'order.cancel_all',
  'order.cancel_all_after',
  'order.batch',
]);
const MAX_VIOLATIONS = 3;
const SILENCE_MS = 45_000;
/** A socket that does not answer a ping either is gone. */
const DEAD_MS = 3 * SILENCE_MS;
/** A client that keeps on sending too much is cut off after this many seconds' worth of refused messages. */
const REFUSED_SECONDS = 5;
const FAREWELL_MS = 2_000;
const NOTHING = '{}';
/** What a frame that cannot be told apart is answered as: the frames of either version have no `ref` of their own then. */
const UNTOLD: Readonly<Record<FrameVersion, Answered>> = {
  '1.0.0': { topic: TOPIC, ref: '', joinRef: null },
  '2.0.0': { topic: TOPIC, ref: null, joinRef: null },
};

/** One socket: the channel protocol, who is behind it, and what it gets. */
export class Connection {
  readonly outlet: Outlet;
  readonly address: string;
  credential: SocketCredential | undefined;
  private readonly socket: WebSocket;
  private readonly deps: SocketDeps;
  private readonly host: ConnectionHost;
  private readonly subscriptions: Subscriptions;
  private readonly rate: TokenBuckets;
  private readonly refusals: TokenBuckets;
  /** Unix milliseconds of the last sign of life, and of the last ping. */
  private heardAtMs: number;
  private pingedAtMs = 0;
  private isJoined = false;
  private isEnding = false;
  private challenge: Challenge | undefined;
  private violations = 0;
  private feed: AccountFeed | undefined;
  private desk: OrderDesk | undefined;
  /** Subscriptions and authentications one after the other: each may have to read the store. */
  private control: Promise<void> = Promise.resolve();
  /** Authentications under way and the commands behind them: what comes later must not overtake them. */
  private inLine = 0;
  private gone: Promise<void> | undefined;

  constructor(
    socket: WebSocket,
    options: { deps: SocketDeps; host: ConnectionHost; version: FrameVersion; address: string },
  ) {
    const { deps, version, address } = options;
    this.socket = socket;
    this.deps = deps;
    this.host = options.host;
    this.address = address;
    this.heardAtMs = deps.clock();
    this.outlet = new Outlet(socket, version, deps.clock);
    const { socketMessageRate: rate, socketSubscriptions: limit } = deps.settings;
    this.subscriptions = new Subscriptions({ outlet: this.outlet, markets: deps.markets, limit });
    this.rate = new TokenBuckets({ capacity: rate, refillPerSecond: rate });
    this.refusals = new TokenBuckets({ capacity: rate * REFUSED_SECONDS, refillPerSecond: rate / 10 });
    socket.on('message', (data, isBinary) =>
      this.guarded(() => this.receive(data, isBinary ? 'binary' : 'text')),
    );
    for (const event of ['ping', 'pong'] as const) socket.on(event, () => this.heard());
    // What is wrong with a frame itself closes the socket with its own code, 1009 for one that is too large.
    socket.on('error', () => {});
    socket.on('close', () => this.closed());
  }

  /** Says farewell and closes. What the client sends from now on is not read. */
  end(code: number, options: { isOrderly: boolean } = { isOrderly: false }): void {
    if (this.isEnding) return;
    this.isEnding = true;
    if (options.isOrderly) this.socket.send(encodePush(this.outlet.version, 'phx_close', NOTHING));
    this.socket.close(code);
    // A client that does not answer the close, or does not read, is cut off.
    setTimeout(() => this.socket.terminate(), FAREWELL_MS).unref();
    this.closed();
  }

  /** Resolves when the socket has ended and its orders have been cancelled, if that was chosen. */
  async settled(): Promise<void> {
    await this.gone;
  }

  /** Called ten times a second: sends what waits, pings a silent client, and ends a socket that is stuck or dead. */
  sweep(nowMs: number): void {
    this.guarded(() => this.look(nowMs));
  }

  private look(nowMs: number): void {
    this.outlet.drain();
    const silentMs = nowMs - this.heardAtMs;
    if (this.outlet.isStuck) {
      this.end(CLOSE.tooSlow);
    } else if (silentMs >= DEAD_MS) {
      this.socket.terminate();
      this.closed();
    } else if (silentMs >= SILENCE_MS && this.pingedAtMs < this.heardAtMs) {
      this.pingedAtMs = nowMs;
      this.socket.ping();
    }
  }

  /** A fault of ours ends this socket and nothing else. */
  private guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.deps.telemetry.fault('socket', error);
      this.end(CLOSE.fault);
    }
  }

  private heard(): void {
    this.heardAtMs = this.deps.clock();
  }

  private receive(data: RawData, form: 'binary' | 'text'): void {
    if (this.isEnding) return;
    this.heard();
    const text = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
    const parsed = form === 'text' ? parseFrame(text, this.outlet.version) : ({ kind: 'violation' } as const);
    if (parsed.kind === 'violation') this.violated();
    else if (!this.rate.take('').isAllowed)
      this.tooMany(parsed.kind === 'frame' ? parsed.frame : this.untold);
    else if (parsed.kind === 'plain') this.answerPlain(parsed.type);
    else this.dispatch(parsed.frame);
  }

  private violated(): void {
    this.violations += 1;
    const message = 'The frame is not a message of this protocol.';
    this.reply(this.untold, 'error', refusalResponse('invalid_frame', message));
    if (this.violations >= MAX_VIOLATIONS) this.end(CLOSE.protocolViolation);
  }

  private tooMany(frame: Answered): void {
    this.refuse(frame, gridError('rate_limited', { retryAfterSeconds: 1 }));
    if (!this.refusals.take('').isAllowed) this.end(CLOSE.limits);
  }

  private get untold(): Answered {
    return UNTOLD[this.outlet.version];
  }

  private answerPlain(type: string): void {
    const message = 'This socket speaks the Phoenix channel protocol.';
    const error = { type: 'error', data: { code: 'unsupported_protocol', message } };
    this.outlet.send(JSON.stringify(type === 'ping' ? { type: 'pong' } : error));
  }

  private dispatch(frame: Inbound): void {
    const { topic, event } = frame;
    const isChannel = topic === TOPIC;
    if (!isChannel && topic !== PHOENIX_TOPIC) this.deny(frame, 'unknown_topic', `The topic is ${TOPIC}.`);
    else if (event === 'heartbeat') this.reply(frame, 'ok', NOTHING);
    else if (!isChannel) this.deny(frame, 'unknown_event', 'This topic takes heartbeats.');
    else if (event === 'phx_join') this.join(frame);
    else if (!this.isJoined) this.deny(frame, 'not_joined', 'Join the topic first.');
    else this.dispatchJoined(frame);
  }

  private dispatchJoined(frame: Inbound): void {
    const { event } = frame;
    if (event === 'phx_leave') this.leave(frame);
    else if (event === 'authenticate') this.lineUp(frame, () => this.authenticate(frame));
    else if (event === 'subscribe' || event === 'unsubscribe') this.changeStreams(frame);
    else if (ORDER_EVENTS.has(event)) this.command(frame);
    else this.deny(frame, 'unknown_event', 'There is no such event.');
  }

  private join(frame: Inbound): void {
    const nowMs = this.deps.clock();
    this.isJoined = true;
    this.challenge = newChallenge(nowMs);
    const response = { challenge: this.challenge.text, server_time: formatIso(nowMs) };
    this.reply(frame, 'ok', JSON.stringify(response));
  }

  private leave(frame: Inbound): void {
    this.isJoined = false;
    this.challenge = undefined;
    this.subscriptions.clear();
    this.reply(frame, 'ok', NOTHING);
    this.outlet.send(encodePush(this.outlet.version, 'phx_close', NOTHING));
  }

  private inTurn(frame: Inbound, act: () => Promise<void>): void {
    this.control = this.control.then(act).catch((error: unknown) => {
      this.refuse(frame, engineError(error) ?? toGridError(error, this.deps.telemetry));
    });
  }

  private lineUp(frame: Inbound, act: () => Promise<void>): void {
    this.inLine += 1;
    this.inTurn(frame, async () => {
      try {
        await act();
      } finally {
        this.inLine -= 1;
      }
    });
  }

  private async authenticate(frame: Inbound): Promise<void> {
    const { signingKeys, clock } = this.deps;
    const result = checkAuthentication(frame.payload, {
      signingKeys,
      challenge: this.challenge,
      nowMs: clock(),
    });
    if (!result.ok) {
      const { error, reason, isFinal } = result;
      this.reply(frame, 'error', failureText(reason, errorResponse(error, clock())));
      if (isFinal) this.end(CLOSE.unauthorized);
      return;
    }
    this.challenge = undefined;
    await this.accept(frame, result.credential);
  }

  private async accept(frame: Inbound, credential: SocketCredential): Promise<void> {
    const { accountNumber, isForOrders } = credential;
    if (this.credential !== undefined && this.credential.accountNumber !== accountNumber) {
      this.deny(frame, 'already_authenticated', 'The socket belongs to another account.');
      return;
    }
    if (!this.host.admit(this, accountNumber)) {
      this.deny(frame, 'limit', 'The account has as many sockets as it may.');
      this.end(CLOSE.limits);
      return;
    }
    await this.openDesk(accountNumber);
    this.credential = credential;
    const caller = credential.admit();
    const account_mode = caller.ok ? caller.caller.mode : 'easy';
    this.reply(frame, 'ok', JSON.stringify({ status: 'ok', account_mode, order_entry: isForOrders }));
  }

  /** The account's orders and balances are followed from the first authentication on. */
  private async openDesk(accountNumber: number): Promise<void> {
    if (this.desk !== undefined) return;
    const feed = await this.deps.accounts.open(accountNumber);
    if (this.isEnding) {
      this.deps.accounts.release(accountNumber);
      return;
    }
    this.feed = feed;
    this.desk = new OrderDesk(this.deps.orders, feed);
  }

  private changeStreams(frame: Inbound): void {
    const request = parseStreamRequest(frame.payload, this.deps.instruments);
    if (request === undefined) {
      this.deny(frame, 'invalid_payload', 'streams and request_id are needed, each as documented.');
      return;
    }
    this.inTurn(frame, async () => {
      if (this.isEnding) return;
      if (frame.event === 'unsubscribe') this.subscriptions.unsubscribe(request);
      else if (this.feed === undefined && isPrivate(request)) this.denyUnauthorized(frame);
      else this.subscriptions.subscribe(request, this.feed);
    });
  }

  private command(frame: Inbound): void {
    if (this.inLine === 0) this.carryOut(frame);
    else
      this.lineUp(frame, async () => {
        if (!this.isEnding) this.carryOut(frame);
      });
  }

  private carryOut(frame: Inbound): void {
    const { credential, desk } = this;
    if (credential === undefined || desk === undefined) {
      this.denyUnauthorized(frame);
      return;
    }
    const answered = desk.handle(frame.event, frame.payload, credential);
    answered.then(
      ({ status, response }) => this.reply(frame, status, response),
      (error: unknown) => this.deps.telemetry.fault('socket command', error),
    );
  }

  private denyUnauthorized(frame: Inbound): void {
    this.deny(frame, 'unauthorized', 'Authenticate first.');
  }

  private deny(frame: Answered, reason: string, message: string): void {
    this.reply(frame, 'error', refusalResponse(reason, message));
  }

  private refuse(frame: Answered, error: GridError): void {
    this.reply(frame, 'error', errorResponse(error, this.deps.clock()));
  }

  private reply(frame: Answered, status: 'ok' | 'error', response: string): void {
    this.outlet.send(encodeReply(this.outlet.version, frame, { status, response }));
  }

  private closed(): void {
    if (this.gone !== undefined) return;
    this.isEnding = true;
    this.subscriptions.clear();
    this.host.ended(this);
    this.gone = this.release().catch((error: unknown) => {
      this.deps.telemetry.fault('socket end', error);
    });
  }

  private async release(): Promise<void> {
    const { credential, desk } = this;
    if (credential === undefined || desk === undefined) return;
    await desk.cancelPlaced(credential.accountNumber);
    this.deps.accounts.release(credential.accountNumber);
  }
}

function isPrivate({ streams }: StreamRequest): boolean {
  return streams.every(({ target }) => target.kind === 'account');
}

/** Authentication has a few reasons of its own beside the codes of the catalogue. */
function failureText(reason: string, response: string): string {
  const { context: _context, ...rest } = JSON.parse(response) as JsonObject;
  return JSON.stringify({ ...rest, reason });
}
