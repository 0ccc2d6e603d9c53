import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type GridError, gridError } from '@opengrid/wire';
import type { FastifyInstance } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Sequencer } from '../../sequencer/types.ts';
import { CLOSE, Connection, type ConnectionHost } from './connection.ts';
import type { SocketDeps } from './deps.ts';
import type { FrameVersion } from './frames.ts';
import { handBack, isWebSocket, refuseUpgrade } from './upgrade.ts';

export interface SocketServerDeps extends SocketDeps {
  readonly sequencer: Sequencer;
}

const PATHS: ReadonlySet<string> = new Set(['/trading_socket/websocket', '/ws', '/v1']);
const VERSIONS: ReadonlySet<string> = new Set(['1.0.0', '2.0.0']);
const MAX_FRAME_BYTES = 65_536;
/** Sockets that are not authenticated, of all addresses: an attacker may have many. */
const MAX_STRANGERS = 10_000;
const SWEEP_MS = 100;
const REVOCATION_SWEEPS = 4;
const TICK_SWEEPS = 10;

/**
 * Compression is offered, but no window is kept between messages and the buffers are small, so that a socket costs tens of
 * kilobytes whatever it sends. Small messages are sent as they are.
 */
const COMPRESSION = {
  threshold: 1_024,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 11,
  concurrencyLimit: 4,
  zlibDeflateOptions: { level: 1, memLevel: 4 },
  zlibInflateOptions: { chunkSize: 4_096 },
};

/** Every socket of the Trading surface: who may have one, and what happens to all of them. */
export class SocketServer implements ConnectionHost {
  private readonly deps: SocketServerDeps;
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: COMPRESSION,
  });
  private readonly connections = new Set<Connection>();
  private readonly ending = new Set<Promise<void>>();
  private readonly byAccount = new Map<number, Set<Connection>>();
  /** Sockets that are not authenticated, by address. */
  private readonly strangers = new Map<string, Set<Connection>>();
  private strangerCount = 0;
  private readonly timer: NodeJS.Timeout;
  private sweeps = 0;
  private isClosing = false;

  constructor(deps: SocketServerDeps) {
    this.deps = deps;
    this.timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  /** Takes upgrades of the application's server, and ends every socket before it closes. */
  attach(app: FastifyInstance): void {
    app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isWebSocket(request)) this.upgrade(request, socket, head);
      else handBack(app.server, request, { socket, head });
    });
    app.addHook('preClose', () => this.close());
  }

  get count(): number {
    return this.connections.size;
  }

  admit(connection: Connection, accountNumber: number): boolean {
    const own = this.byAccount.get(accountNumber) ?? new Set();
    const { socketConnections: limit } = this.deps.settings;
    if (!own.has(connection) && limit > 0 && own.size >= limit) return false;
    own.add(connection);
    this.byAccount.set(accountNumber, own);
    this.known(connection);
    return true;
  }

  ended(connection: Connection): void {
    this.connections.delete(connection);
    this.known(connection);
    for (const account of this.byAccount.keys()) forget(this.byAccount, account, connection);
    const ending = Promise.resolve().then(() => connection.settled());
    this.ending.add(ending);
    void ending.finally(() => this.ending.delete(ending));
  }

  /** Ends every socket in order, and waits until the orders that end with them are cancelled. */
  async close(): Promise<void> {
    this.isClosing = true;
    clearInterval(this.timer);
    for (const connection of [...this.connections]) connection.end(CLOSE.goingAway, { isOrderly: true });
    while (this.ending.size > 0) await Promise.all(this.ending);
    this.deps.markets.close();
    this.deps.accounts.close();
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = targetOf(request);
    const version = searchParams.get('vsn') ?? '1.0.0';
    const address = request.socket.remoteAddress ?? '';
    const refused = this.refusalOf({ pathname, version, address });
    if (refused !== undefined) {
      refuseUpgrade(socket, refused.error, refused.status);
      return;
    }
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.open(webSocket, { version: version as FrameVersion, address }),
    );
  }

  private refusalOf(wanted: {
    pathname: string;
    version: string;
    address: string;
  }): { error: GridError; status?: number } | undefined {
    // One slash at the end is tolerated, as on every route.
    if (!PATHS.has(wanted.pathname.replace(/\/$/, ''))) return { error: gridError('not_found') };
    if (!VERSIONS.has(wanted.version))
      return { error: gridError('invalid_request', { message: 'vsn takes 1.0.0 or 2.0.0.' }), status: 403 };
    if (this.isClosing) return { error: gridError('engine_unavailable') };
    const { socketsPerAddress: limit } = this.deps.settings;
    const isFull = limit > 0 && (this.strangers.get(wanted.address)?.size ?? 0) >= limit;
    if (isFull) return { error: gridError('rate_limited', { retryAfterSeconds: 10 }) };
    return this.strangerCount < MAX_STRANGERS ? undefined : { error: gridError('overloaded') };
  }

  /** The connection is no stranger any more, or none at all. */
  private known(connection: Connection): void {
    if (forget(this.strangers, connection.address, connection)) this.strangerCount -= 1;
  }

  private open(webSocket: WebSocket, { version, address }: { version: FrameVersion; address: string }): void {
    const connection = new Connection(webSocket, { deps: this.deps, host: this, version, address });
    this.connections.add(connection);
    const strangers = this.strangers.get(address) ?? new Set();
    this.strangers.set(address, strangers.add(connection));
    this.strangerCount += 1;
  }

  /** Ten times a second: what waits is sent, and who must go goes. */
  private sweep(): void {
    try {
      this.sweepAll();
    } catch (error) {
      this.deps.telemetry.fault('socket sweep', error);
    }
  }

  private sweepAll(): void {
    this.sweeps += 1;
    this.deps.markets.recover();
    this.deps.accounts.recover();
    if (this.sweeps % TICK_SWEEPS === 0) this.deps.markets.tick();
    const nowMs = this.deps.clock();
    for (const connection of [...this.connections]) {
      connection.sweep(nowMs);
      if (this.sweeps % REVOCATION_SWEEPS === 0 && this.isRevoked(connection))
        connection.end(CLOSE.unauthorized, { isOrderly: true });
    }
  }

  private isRevoked({ credential }: Connection): boolean {
    if (credential === undefined) return false;
    return !credential.isLive() || this.deps.sequencer.exchange.isSuspended(credential.accountNumber);
  }
}

function targetOf({ url = '/' }: IncomingMessage): URL {
  // A target that starts with two slashes would be read as a host.
  const target = URL.canParse(`http://localhost${url}`) ? `http://localhost${url}` : 'http://localhost/-';
  return new URL(target);
}

/** @returns whether it was there. */
function forget<Key>(map: Map<Key, Set<Connection>>, key: Key, connection: Connection): boolean {
  const connections = map.get(key);
  const wasThere = connections?.delete(connection) ?? false;
  if (connections?.size === 0) map.delete(key);
  return wasThere;
}
