import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { SigningKeyDirectory } from '../../ports/identity.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { TradingSettings } from '../settings.ts';
import type { OrderDeskDeps } from './entry/order-desk.ts';
import type { AccountFeeds } from './feed/account-feeds.ts';
import type { MarketFeed } from './feed/market-feed.ts';

/** What a socket needs of the rest of the program. */
export interface SocketDeps {
  readonly settings: TradingSettings;
  readonly signingKeys: SigningKeyDirectory;
  readonly instruments: InstrumentCatalogue;
  readonly markets: MarketFeed;
  readonly accounts: AccountFeeds;
  readonly orders: OrderDeskDeps;
  readonly telemetry: Telemetry;
  readonly clock: () => number;
}
