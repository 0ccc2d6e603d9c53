/** Helpers of the socket's tests. Nothing of the program imports this file. */
import { crc32 } from 'node:zlib';
import { WebSocket } from 'ws';

type TestLevels = readonly (readonly [price: string, quantity: string])[];

/** Members of answers and events that tests look into; which are there depends on the frame. */
export interface TestData {
  readonly reason: string;
  readonly challenge: string;
  readonly server_time: string;
  readonly status: string;
  readonly order_id: string;
  readonly market_id: string;
  readonly price: string;
  readonly closure_reason: string | null;
  readonly user_seq: number;
  readonly last_user_seq: number;
  readonly cause: string;
  readonly ref_id: string | null;
  readonly accounts: readonly Readonly<Record<string, unknown>>[];
  readonly cancelled: number;
  readonly sequence: number;
  readonly seq: number;
  readonly prev_seq: number;
  readonly depth: number;
  readonly bids: TestLevels;
  readonly asks: TestLevels;
  readonly checksum: number;
  readonly at: string;
  readonly data: TestData;
}

export interface TestPayload {
  readonly status: string;
  readonly response: TestData;
  readonly data: TestData;
  readonly bid: string | null;
  readonly request_id: string;
  readonly streams: readonly { readonly subscribed: boolean; readonly reason?: string }[];
}

/** A frame of version 1, as tests look into it. */
export interface TestFrame {
  readonly topic: string;
  readonly event: string;
  readonly ref: string | null;
  readonly payload: TestPayload;
}

/** Whoever can sign the challenge of a socket. */
export interface SocketSigner {
  signSocket(challenge: string): object;
}

const PATIENCE_MS = 10_000;

/** A client that keeps everything it is sent, in order. */
export class TestSocket {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  closeCode: number | undefined;
  private ref = 0;
  private wake = (): void => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.texts.push(String(data));
      this.wake();
    });
    socket.on('close', (code) => {
      this.closeCode = code;
      this.wake();
    });
    socket.on('error', () => {});
  }

  static async open(
    origin: string,
    path = '/trading_socket/websocket?vsn=1.0.0',
    options = {},
  ): Promise<TestSocket> {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, options);
    const client = new TestSocket(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Opens, joins, and authenticates with method 2. */
  static async trader(
    origin: string,
    trader: SocketSigner,
    options: Record<string, unknown> = {},
  ): Promise<TestSocket> {
    const client = await TestSocket.open(origin);
    const { challenge } = await client.join();
    await client.call('authenticate', { ...trader.signSocket(challenge), ...options });
    return client;
  }

  get frames(): TestFrame[] {
    return this.texts.map((text) => JSON.parse(text) as TestFrame);
  }

  sendText(text: string): void {
    this.socket.send(text);
  }

  /** Sends an event and returns its ref. */
  send(event: string, payload: unknown = {}, topic = 'ws:trading'): string {
    this.ref += 1;
    const ref = String(this.ref);
    this.sendText(JSON.stringify({ topic, event, payload, ref }));
    return ref;
  }

  /** The first frame after those that were waited for already, or anywhere, that fits. */
  async wait(fits: (frame: TestFrame) => boolean, what = 'a frame'): Promise<TestFrame> {
    const deadline = Date.now() + PATIENCE_MS;
    let seen = 0;
    for (;;) {
      for (; seen < this.texts.length; seen += 1) {
        const frame = JSON.parse(this.texts[seen]!) as TestFrame;
        if (fits(frame)) return frame;
      }
      const left = deadline - Date.now();
      if (left <= 0 || this.closeCode !== undefined)
        throw new Error(
          `${what} did not come; close code ${this.closeCode}; got ${this.texts.slice(-5).join('\n')}`,
        );
      await this.change(left);
    }
  }

  /** Sends an event and waits for its reply, whatever its status. */
  async ask(event: string, payload: unknown = {}): Promise<TestPayload> {
    const ref = this.send(event, payload);
    const frame = await this.wait(
      (one) => one.event === 'phx_reply' && one.ref === ref,
      `a reply to ${event}`,
    );
    return frame.payload;
  }

  /** Sends an event and insists on success. */
  async call(event: string, payload: unknown = {}): Promise<TestData> {
    const { status, response } = await this.ask(event, payload);
    if (status !== 'ok') throw new Error(`${event}: ${JSON.stringify(response)}`);
    return response;
  }

  join(): Promise<TestData> {
    return this.call('phx_join');
  }

  async streams(action: 'subscribe' | 'unsubscribe', ...streams: unknown[]): Promise<TestPayload> {
    const request_id = `req-${this.texts.length}-${Math.random()}`;
    this.send(action, { streams, request_id });
    return (await this.wait((frame) => frame.payload?.request_id === request_id, 'an ack')).payload;
  }

  of(...events: string[]): TestFrame[] {
    return this.frames.filter(({ event }) => events.includes(event));
  }

  async closed(): Promise<number> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.closeCode === undefined && Date.now() < deadline) await this.change(deadline - Date.now());
    if (this.closeCode === undefined) throw new Error('the socket was not closed');
    return this.closeCode;
  }

  /** Waits until something is true, looking again whenever something arrives. */
  async until(isTrue: () => boolean, what = 'what was waited for'): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!isTrue()) {
      if (Date.now() >= deadline) throw new Error(`${what} did not happen`);
      await this.change(50);
    }
  }

  private async change(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A client's book that checks every rule of the stream. */
export class StrictBook {
  seq: number | undefined;
  deltas = 0;
  private depth = 0;
  private readonly sides = { bids: new Map<string, string>(), asks: new Map<string, string>() };

  /** @throws Error for a gap in the chain or a wrong checksum. */
  apply({ event, payload: { data } }: TestFrame): void {
    if (event === 'book_snapshot') {
      this.depth = data.depth;
      this.sides.bids.clear();
      this.sides.asks.clear();
    } else if (data.prev_seq !== this.seq) {
      throw new Error(`${data.prev_seq} follows ${this.seq}`);
    } else {
      this.deltas += 1;
      if (data.seq <= data.prev_seq) throw new Error('the sequence goes back');
    }
    this.seq = data.seq;
    for (const side of ['bids', 'asks'] as const) {
      for (const [price, quantity] of data[side]) {
        if (quantity === '0') this.sides[side].delete(price);
        else this.sides[side].set(price, quantity);
      }
      this.truncate(side);
    }
    if (crc32(this.text()) !== data.checksum) throw new Error(`checksum at ${data.seq}`);
  }

  levels(side: 'bids' | 'asks'): [string, string][] {
    const sign = side === 'bids' ? -1 : 1;
    return [...this.sides[side]].sort(([a], [b]) => sign * (Number(a) - Number(b)));
  }

  private truncate(side: 'bids' | 'asks'): void {
    if (this.depth === 0) return;
    for (const [price] of this.levels(side).slice(this.depth)) this.sides[side].delete(price);
  }

  private text(): string {
    const side = (name: 'bids' | 'asks'): string =>
      this.levels(name)
        .slice(0, 10)
        .map(([price, quantity]) => `${price}:${quantity}`)
        .join(',');
    return `${side('asks')};${side('bids')}`;
  }
}
