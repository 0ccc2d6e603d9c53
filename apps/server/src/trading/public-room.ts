import { crc32 } from 'node:zlib';
import { formatIso, GridFailure, gridError } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TokenBuckets } from '../http/rate-limit.ts';
import { setCommonHeaders } from '../http/request-ids.ts';
import type { Instrument, InstrumentCatalogue } from '../ports/catalogue.ts';
import type { SupplierDirectory } from '../ports/supply.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { sendError, toGridError } from './http/errors.ts';
import type { MarketView } from './market-view.ts';
import {
  checksumText,
  instrumentShape,
  levelShapes,
  marketShape,
  statsShape,
  tickerShape,
  usdInstrument,
} from './shapes.ts';
import { listTrades, type PageQuery } from './trade-list.ts';

export interface PublicDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
  readonly view: MarketView;
  readonly telemetry: Telemetry;
  readonly version: string;
  /** Public requests a second and address; 0 = no limit. */
  readonly publicRate: number;
  readonly clock?: () => number;
}

const NO_BODY = Buffer.alloc(0);
const DEFAULT_DEPTH = 20;
const MAX_DEPTH = 100;

type Handler = (request: FastifyRequest) => Promise<unknown> | unknown;

/** Market data for everybody, and the health of the exchange. */
export class PublicRoom {
  private readonly deps: PublicDeps;
  private readonly clock: () => number;
  private readonly publicRate: TokenBuckets;
  private readonly authenticator: Authenticator;

  constructor(deps: PublicDeps, authenticator: Authenticator) {
    this.deps = deps;
    this.authenticator = authenticator;
    this.clock = deps.clock ?? Date.now;
    this.publicRate = new TokenBuckets({ capacity: deps.publicRate, refillPerSecond: deps.publicRate });
  }

  mount(scope: FastifyInstance, prefix: string): void {
    const get = (path: string, handler: Handler): void => {
      scope.get(`${prefix}${path}`, { config: { route: `/v1${path}` } }, async (request) => handler(request));
    };
    scope.get(`${prefix}/health`, { config: { route: '/v1/health' } }, async (_request, reply) =>
      this.health(reply),
    );
    get('/instruments', (request) => this.listInstruments(request.query as PageQuery));
    get('/instruments/by-symbol/:reference', (request) => this.instrumentDetail(request));
    get('/instruments/:reference', (request) => this.instrumentDetail(request));
    get('/markets', () => this.listMarkets());
    get('/markets/:reference', (request) => this.marketDetail(request));
    get('/markets/:reference/ticker', (request) => this.ticker(request));
    get('/markets/:reference/orderbook', (request) => this.orderbook(request));
    get('/markets/:reference/trades', (request) => this.trades(request));
    get('/markets/:reference/stats', (request) => this.stats(request));
  }

  /** A credential is optional on public routes, but one that is sent is checked. */
  async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    void reply.header('cache-control', 'max-age=1').header('x-content-type-options', 'nosniff');
    setCommonHeaders(request, reply);
    if (this.authenticator.isPresent(request)) {
      const result = this.authenticator.check(request, NO_BODY);
      if (!result.ok) throw new GridFailure(result.error);
    }
    const decision = this.publicRate.take(request.ip);
    if (decision.limit > 0) {
      void reply
        .header('x-ratelimit-limit', decision.limit)
        .header('x-ratelimit-remaining', decision.remaining)
        .header('x-ratelimit-reset', decision.resetSeconds);
    }
    if (!decision.isAllowed) {
      throw new GridFailure(gridError('rate_limited', { retryAfterSeconds: decision.retryAfterSeconds }));
    }
  }

  fail(error: unknown, reply: FastifyReply): FastifyReply {
    return sendError(reply, toGridError(error, this.deps.telemetry), this.clock());
  }

  health(reply: FastifyReply): unknown {
    const { isLeading } = this.deps.sequencer.status;
    if (!isLeading) void reply.code(503);
    void reply.header('cache-control', 'no-store');
    const status = isLeading ? 'ok' : 'fail';
    return {
      data: { status, service: 'trading', version: this.deps.version, time: formatIso(this.clock()) },
    };
  }

  private find(request: FastifyRequest, code: 'market_not_found' | 'instrument_not_found'): Instrument {
    const { reference } = request.params as { reference: string };
    const instrument = this.deps.instruments.find(reference);
    if (instrument === undefined) throw new GridFailure(gridError(code));
    return instrument;
  }

  private context(instrument: Instrument): {
    view: MarketView;
    rules: ReturnType<Sequencer['exchange']['rulesOf']>;
    servedModels: string[];
    qualification: string | null;
    nowMs: number;
  } {
    const endpoints = this.deps.suppliers.endpointsFor(instrument.instrumentNo);
    const kinds = new Set(endpoints.map((endpoint) => endpoint.qualification));
    const [kind] = kinds;
    return {
      view: this.deps.view,
      rules: this.deps.sequencer.exchange.rulesOf(instrument.instrumentNo),
      servedModels: [...new Set(endpoints.map((endpoint) => endpoint.servedModel))],
      qualification: kinds.size > 1 ? 'mixed' : (kind ?? null),
      nowMs: this.clock(),
    };
  }

  private listInstruments(query: PageQuery): unknown {
    const shapes = this.deps.instruments.list().map((item) => instrumentShape(item, this.context(item)));
    const oldest = this.deps.instruments.list()[0]?.createdAtMs ?? this.clock();
    const rows = [...shapes, usdInstrument(oldest)].filter((row) => matches(row, query));
    return { data: rows, paging: { next_cursor: null, prev_cursor: null, has_more: false } };
  }

  private instrumentDetail(request: FastifyRequest): unknown {
    const { reference } = request.params as { reference: string };
    const oldest = this.deps.instruments.list()[0]?.createdAtMs ?? this.clock();
    const usd = usdInstrument(oldest);
    if (reference.toLowerCase() === 'usd' || reference === usd.instrument_id) return { data: usd };
    const instrument = this.find(request, 'instrument_not_found');
    return { data: instrumentShape(instrument, this.context(instrument)) };
  }

  private listMarkets(): unknown {
    const data = this.deps.instruments.list().map((item) => marketShape(item, this.context(item)));
    return { data, paging: { next_cursor: null, prev_cursor: null, has_more: false } };
  }

  private marketDetail(request: FastifyRequest): unknown {
    const instrument = this.find(request, 'market_not_found');
    return { data: marketShape(instrument, this.context(instrument)) };
  }

  private ticker(request: FastifyRequest): unknown {
    return { data: tickerShape(this.find(request, 'market_not_found'), this.deps.view, this.clock()) };
  }

  private stats(request: FastifyRequest): unknown {
    return { data: statsShape(this.find(request, 'market_not_found'), this.deps.view, this.clock()) };
  }

  private orderbook(request: FastifyRequest): unknown {
    const instrument = this.find(request, 'market_not_found');
    const depth = depthOf(request.query as PageQuery);
    const { view } = this.deps;
    const [bids, asks] = (['buy', 'sell'] as const).map((side) =>
      view.depth(instrument.instrumentNo, side, Math.max(depth, 10)),
    ) as [ReturnType<MarketView['depth']>, ReturnType<MarketView['depth']>];
    const buy = levelShapes(bids.slice(0, depth));
    const sell = levelShapes(asks.slice(0, depth));
    return {
      data: {
        market_id: instrument.marketId,
        symbol: instrument.symbol,
        sequence: view.market(instrument.instrumentNo)?.sequence ?? 0,
        timestamp: formatIso(this.clock()),
        buy,
        sell,
        bids: buy,
        asks: sell,
        checksum: crc32(checksumText(asks, bids)),
      },
    };
  }

  private async trades(request: FastifyRequest): Promise<unknown> {
    const instrument = this.find(request, 'market_not_found');
    const result = await listTrades(this.deps.database, instrument, request.query as PageQuery);
    if (!result.ok) throw new GridFailure(result.error);
    return result.page;
  }
}

function depthOf(query: PageQuery): number {
  const { depth } = query;
  if (depth === undefined) return DEFAULT_DEPTH;
  const isNumber = typeof depth === 'string' && /^\d{1,9}$/.test(depth);
  if (isNumber && Number(depth) >= 1 && Number(depth) <= MAX_DEPTH) return Number(depth);
  throw new GridFailure(
    gridError('validation_failed', {
      param: 'depth',
      message: `depth takes a whole number from 1 to ${MAX_DEPTH}.`,
    }),
  );
}

function matches(row: Record<string, unknown>, query: PageQuery): boolean {
  for (const field of ['symbol', 'instrument_type', 'status'] as const) {
    const wanted = query[field];
    if (typeof wanted === 'string' && String(row[field]).toLowerCase() !== wanted.toLowerCase()) return false;
  }
  return true;
}
