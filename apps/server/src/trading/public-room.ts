import { crc32 } from 'node:zlib';
import type { MarketRules } from '@opengrid/exchange';
import {
  errorHeaders,
  formatIso,
  GridFailure,
  gridError,
  httpStatusOf,
  platformErrorBody,
} from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TokenBuckets } from '../http/rate-limit.ts';
import { setCommonHeaders } from '../http/request-ids.ts';
import type { Instrument, InstrumentCatalogue } from '../ports/catalogue.ts';
import { DEFAULT_MARKET_RULES } from '../ports/market-rules.ts';
import type { SupplierDirectory } from '../ports/supply.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { sendError, toGridError } from './http/errors.ts';
import { refuseOtherMethods } from './http/other-methods.ts';
import { invalidField } from './http/route.ts';
import type { OpenInterest } from './instruments/open-interest.ts';
import { referenceIndex } from './instruments/reference-index.ts';
import { specificationVersions } from './instruments/specifications.ts';
import { wholeList } from './list/list-page.ts';
import { memoryNumberedPage, memoryPage, type PlacedRow } from './list/memory-list.ts';
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
import { listTrades } from './trade-list.ts';

export interface PublicDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
  readonly view: MarketView;
  readonly openInterest: OpenInterest;
  readonly telemetry: Telemetry;
  readonly version: string;
  /** Public requests a second and address; 0 = no limit. */
  readonly publicRate: number;
  readonly clock?: () => number;
}

const NO_BODY = Buffer.alloc(0);
const PLATFORM_INSTRUMENTS = '/api/v1/instruments';
const DEFAULT_DEPTH = 20;
const MAX_DEPTH = 100;

const INSTRUMENT_LIST = {
  name: 'instruments',
  fields: ['instrument_id', 'market_id', 'symbol', 'instrument_type', 'status', 'family', 'tier', 'stage'],
  orderBy: ['created_at', 'symbol'],
} as const;

const MARKET_LIST = {
  name: 'markets',
  fields: ['market_id', 'symbol', 'name', 'market_type', 'status', 'trading_state'],
  orderBy: ['created_at', 'symbol'],
} as const;

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
      refuseOtherMethods(scope, `${prefix}${path}`, ['GET']);
    };
    this.mountHealth(scope, `${prefix}/health`, '/v1/health');
    get('/instruments', (request) => this.listInstruments(searchOf(request)));
    get('/instruments/by-symbol/:reference', (request) => this.instrumentDetail(request));
    get('/instruments/:reference', (request) => this.instrumentDetail(request));
    get('/instruments/:reference/specs', (request) => this.specifications(request));
    get('/instruments/:reference/index', (request) => this.referenceIndex(request));
    get('/markets', (request) => this.listMarkets(searchOf(request)));
    get('/markets/:reference', (request) => this.marketDetail(request));
    get('/markets/:reference/ticker', (request) => this.ticker(request));
    get('/markets/:reference/orderbook', (request) => this.orderbook(request));
    get('/markets/:reference/trades', (request) => this.trades(request));
    get('/markets/:reference/stats', (request) => this.stats(request));
  }

  /** The instruments once more, with the envelopes of the Platform surface, for clients that know no other. */
  mountPlatform(scope: FastifyInstance): void {
    const spec = { ...INSTRUMENT_LIST, instruments: this.deps.instruments };
    scope.get(PLATFORM_INSTRUMENTS, async (request) =>
      memoryNumberedPage(this.instrumentRows(), spec, searchOf(request)),
    );
    refuseOtherMethods(scope, PLATFORM_INSTRUMENTS, ['GET']);
  }

  failPlatform(error: unknown, reply: FastifyReply): FastifyReply {
    const fault = toGridError(error, this.deps.telemetry);
    void reply.header('cache-control', 'no-store').headers(errorHeaders(fault));
    const body = platformErrorBody(fault, formatIso(this.clock()));
    return reply.code(httpStatusOf(fault.code, 'platform')).send(body);
  }

  /** `route` is what the path is an alias of, itself when left out. */
  mountHealth(scope: FastifyInstance, url: string, route = url): void {
    scope.get(url, { config: { route } }, async (_request, reply) => this.health(reply));
    refuseOtherMethods(scope, url, ['GET']);
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

  private health(reply: FastifyReply): unknown {
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
    rules: MarketRules;
    servedModels: string[];
    qualification: string | null;
    nowMs: number;
  } {
    const endpoints = this.deps.suppliers.endpointsFor(instrument.instrumentNo);
    const kinds = new Set(endpoints.map((endpoint) => endpoint.qualification));
    const [kind] = kinds;
    return {
      view: this.deps.view,
      rules: this.deps.sequencer.exchange.rulesOf(instrument.instrumentNo) ?? DEFAULT_MARKET_RULES,
      servedModels: [...new Set(endpoints.map((endpoint) => endpoint.servedModel))],
      qualification: kinds.size > 1 ? 'mixed' : (kind ?? null),
      nowMs: this.clock(),
    };
  }

  private listInstruments(search: URLSearchParams): unknown {
    const spec = { ...INSTRUMENT_LIST, instruments: this.deps.instruments };
    return memoryPage(this.instrumentRows(), spec, search).body;
  }

  private instrumentRows(): PlacedRow[] {
    const list = this.deps.instruments.list();
    const usd = usdInstrument(list[0]?.createdAtMs ?? this.clock());
    const rows = list.map((item) => ({
      place: item.instrumentNo,
      row: instrumentShape(item, this.context(item)),
    }));
    return [...rows, { place: Number.MAX_SAFE_INTEGER, row: usd }];
  }

  private instrumentDetail(request: FastifyRequest): unknown {
    const { reference } = request.params as { reference: string };
    const oldest = this.deps.instruments.list()[0]?.createdAtMs ?? this.clock();
    const usd = usdInstrument(oldest);
    if (reference.toLowerCase() === 'usd' || reference === usd.instrument_id) return { data: usd };
    const instrument = this.find(request, 'instrument_not_found');
    return { data: instrumentShape(instrument, this.context(instrument)) };
  }

  private specifications(request: FastifyRequest): unknown {
    return wholeList(specificationVersions(this.find(request, 'instrument_not_found'))).body;
  }

  private async referenceIndex(request: FastifyRequest): Promise<unknown> {
    const instrument = this.find(request, 'instrument_not_found');
    const facts = { ...this.deps, nowMs: this.clock() };
    return wholeList(await referenceIndex(facts, instrument, searchOf(request))).body;
  }

  private listMarkets(search: URLSearchParams): unknown {
    const { instruments } = this.deps;
    const rows = instruments.list().map((item) => ({
      place: item.instrumentNo,
      row: marketShape(item, this.context(item)),
    }));
    return memoryPage(rows, { ...MARKET_LIST, instruments }, search).body;
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
    const depth = depthOf(searchOf(request));
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
    return (await listTrades(this.deps, instrument, searchOf(request))).body;
  }
}

/** The query as it was sent: what a framework makes of repeated and nested names is not what our lists mean. */
function searchOf(request: FastifyRequest): URLSearchParams {
  const target = request.raw.url ?? '';
  const mark = target.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1));
}

function depthOf(search: URLSearchParams): number {
  const [depth, ...more] = search.getAll('depth');
  if (depth === undefined) return DEFAULT_DEPTH;
  const isNumber = more.length === 0 && /^\d{1,9}$/.test(depth);
  if (isNumber && Number(depth) >= 1 && Number(depth) <= MAX_DEPTH) return Number(depth);
  throw invalidField('depth', `takes a whole number from 1 to ${MAX_DEPTH}`);
}
