import type { FastifyInstance } from 'fastify';
import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory, SigningKeyDirectory } from '../../ports/identity.ts';
import type { SupplierDirectory } from '../../ports/supply.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';
import type { TradingRates } from '../http/rates.ts';
import type { MarketView } from '../market-view.ts';
import type { OrderLookup } from '../orders/order-lookup.ts';
import type { OrderPlacement } from '../orders/place.ts';
import type { TradingSettings } from '../settings.ts';
import { AccountFeeds } from './feed/account-feeds.ts';
import { MarketFeed } from './feed/market-feed.ts';
import { SocketServer } from './server.ts';

export interface TradingSocketDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
  readonly signingKeys: SigningKeyDirectory;
  readonly accounts: AccountDirectory;
  readonly settings: TradingSettings;
  readonly view: MarketView;
  readonly telemetry: Telemetry;
  /** Shared with the routes: an order id is unique and a limit holds whatever an order came over. */
  readonly lookup: OrderLookup;
  readonly placement: OrderPlacement;
  readonly rates: TradingRates;
  readonly clock: () => number;
}

/** How many sockets are open, for the operator. */
export interface OpenSockets {
  readonly count: number;
}

/** The WebSocket of the Trading surface, on the server of the application. */
export function registerTradingSocket(app: FastifyInstance, deps: TradingSocketDeps): OpenSockets {
  const markets = new MarketFeed(deps);
  const accounts = new AccountFeeds(deps);
  const server = new SocketServer({ ...deps, markets, accounts, orders: deps });
  server.attach(app);
  return server;
}
