import type { FastifyInstance } from 'fastify';
import type { IdempotencyKeys } from '../http/idempotency/idempotency-keys.ts';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import type { AccountDirectory, KeyDirectory, SigningKeyDirectory } from '../ports/identity.ts';
import type { SupplierDirectory } from '../ports/supply.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import { accountRoutes } from './accounts/routes.ts';
import { Authenticator } from './auth/authenticator.ts';
import type { SignatureReplays } from './auth/replays.ts';
import { candleRoutes } from './candles/routes.ts';
import { diagnosticsRoute } from './diagnostics/routes.ts';
import { PrivateRoom } from './http/private-room.ts';
import { TradingRates } from './http/rates.ts';
import { OpenInterest } from './instruments/open-interest.ts';
import type { MarketView } from './market-view.ts';
import { OrderLookup } from './orders/order-lookup.ts';
import { OrderPlacement } from './orders/place.ts';
import { orderRoutes } from './orders/routes.ts';
import { PublicRoom } from './public-room.ts';
import type { TradingSettings } from './settings.ts';
import { type OpenSockets, registerTradingSocket } from './socket/register.ts';
import { supplyRoutes } from './supply/routes.ts';
import { tradeRoutes } from './trades/routes.ts';
import { transferRoutes } from './transfers/routes.ts';

export interface TradingDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
  readonly keys: KeyDirectory;
  readonly signingKeys: SigningKeyDirectory;
  readonly accounts: AccountDirectory;
  readonly replays: SignatureReplays;
  readonly idempotency: IdempotencyKeys;
  readonly settings: TradingSettings;
  readonly view: MarketView;
  /** Made here when left out; only who records it over time needs to give it. */
  readonly openInterest?: OpenInterest;
  readonly telemetry: Telemetry;
  readonly version: string;
  /** Public requests a second and address; 0 = no limit. */
  readonly publicRate: number;
  readonly clock?: () => number;
}

const PREFIXES = ['/v1', '/v1/trading', '/api/v1/trading'] as const;
/** Market data, orders and accounts under every alias of the Trading surface. */
export function registerTrading(app: FastifyInstance, deps: TradingDeps): OpenSockets {
  const { settings, clock = Date.now } = deps;
  const { originalTargetHeader } = settings;
  const authenticator = new Authenticator({ ...deps, originalTargetHeader, clock });
  const openInterest = deps.openInterest ?? new OpenInterest(deps);
  const room = new PublicRoom({ ...deps, openInterest }, authenticator);
  void app.register((scope, _options, done) => {
    scope.addHook('onRequest', async (request, reply) => room.admit(request, reply));
    scope.setErrorHandler((error, _request, reply) => room.fail(error, reply));
    for (const prefix of PREFIXES) room.mount(scope, prefix);
    room.mountHealth(scope, '/health');
    done();
  });
  void app.register((scope, _options, done) => {
    scope.addHook('onRequest', async (request, reply) => room.admit(request, reply));
    scope.setErrorHandler((error, _request, reply) => room.failPlatform(error, reply));
    room.mountPlatform(scope);
    done();
  });
  const rates = new TradingRates(settings, clock);
  const lookup = new OrderLookup(deps.database);
  const placement = new OrderPlacement({ ...deps, lookup });
  const sockets = registerTradingSocket(app, { ...deps, lookup, placement, rates, clock });
  const privateRoom = new PrivateRoom({ ...deps, authenticator, rates, clock });
  void app.register((scope, _options, done) => {
    privateRoom.mount(scope, PREFIXES, [
      ...orderRoutes({ ...deps, lookup, placement }),
      ...tradeRoutes(deps),
      ...accountRoutes(deps),
      ...transferRoutes(deps),
      ...candleRoutes(deps),
      ...supplyRoutes(deps),
      diagnosticsRoute(deps),
    ]);
    done();
  });
  return sockets;
}
