import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Fields, type Frame, fieldsOf } from '../live/frame.ts';

/** What became of a message on its way: the texts that arrive in its place. `cut` ends the socket instead. */
export type Tamper = (text: string) => readonly string[] | 'cut';

/** Answers an event by itself. Undefined leaves it to the server's own manners. */
export type Manners = (frame: Frame, socket: FakeSocket) => 'handled' | undefined;

const serverTime = (): string => new Date().toISOString();

/** One socket as the server sees it. */
export class FakeSocket {
  readonly #socket: WebSocket;
  readonly #server: SocketServer;
  /** Streams by name and market. */
  readonly streams = new Set<string>();

  constructor(socket: WebSocket, server: SocketServer) {
    this.#socket = socket;
    this.#server = server;
  }

  send(event: string, payload: Fields, ref = ''): void {
    const text = JSON.stringify({ topic: 'ws:trading', event, payload, ref });
    const arriving = this.#server.tamper(text);
    if (arriving === 'cut') this.#socket.terminate();
    else for (const one of arriving) this.#socket.send(one);
  }

  /** Sends something that is no frame. */
  sendText(text: string): void {
    this.#socket.send(text);
  }

  reply(ref: string, response: Fields, status: 'ok' | 'error' = 'ok'): void {
    this.send('phx_reply', { status, response }, ref);
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  /** The peer vanishes without a word. */
  cut(): void {
    this.#socket.terminate();
  }
}

/** A server of the trading socket that does what a test tells it, with the manners of the real one. */
export class SocketServer {
  readonly #server: WebSocketServer;
  /** Every frame as it arrived, of all sockets. */
  readonly received: Frame[] = [];
  /** Paths that sockets were opened on. */
  readonly paths: string[] = [];
  readonly sockets = new Set<FakeSocket>();
  manners: Manners = () => undefined;
  tamper: Tamper = (text) => [text];
  /** Called when a stream is subscribed to, behind the acknowledgement. */
  onSubscribe: (stream: Fields, socket: FakeSocket) => void = () => undefined;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      const one = new FakeSocket(socket, this);
      this.paths.push(request.url ?? '');
      this.sockets.add(one);
      socket.on('message', (data) => this.#take(one, JSON.parse(String(data)) as Frame));
      socket.on('close', () => this.sockets.delete(one));
      socket.on('error', () => undefined);
    });
  }

  /** Listens on loopback until the test ends. */
  static async open(): Promise<SocketServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise<void>((resolve) => server.once('listening', resolve));
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    return new SocketServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Frames of one event. */
  events(event: string): Frame[] {
    return this.received.filter((frame) => frame.event === event);
  }

  /** Sends an event on every socket that subscribed to its stream. */
  publish(stream: string, event: string, payload: Fields): void {
    for (const socket of this.sockets) if (socket.streams.has(stream)) socket.send(event, payload);
  }

  #take(socket: FakeSocket, frame: Frame): void {
    this.received.push(frame);
    if (this.manners(frame, socket) === 'handled') return;
    const { event, ref, payload } = frame;
    if (event === 'phx_join') socket.reply(ref, { challenge: 'q3b0m1d8k5s7x2c9', server_time: serverTime() });
    else if (event === 'authenticate') socket.reply(ref, { status: 'ok', order_entry: true });
    else if (event === 'heartbeat') socket.reply(ref, {});
    else if (event === 'subscribe' || event === 'unsubscribe') this.#acknowledge(socket, event, payload);
    else socket.reply(ref, { reason: 'unknown_event' }, 'error');
  }

  #acknowledge(socket: FakeSocket, action: string, payload: Fields): void {
    const asked = (payload.streams as Fields[]).map(fieldsOf);
    for (const { name, market } of asked) {
      const key = market === undefined ? String(name) : `${name}:${market}`;
      if (action === 'subscribe') socket.streams.add(key);
      else socket.streams.delete(key);
    }
    const streams = asked.map(({ name, market }) => ({ name, market, subscribed: action === 'subscribe' }));
    socket.send('ack', { type: 'ack', action, request_id: payload.request_id, status: 'ok', streams });
    if (action === 'subscribe') for (const stream of asked) this.onSubscribe(stream, socket);
  }
}
