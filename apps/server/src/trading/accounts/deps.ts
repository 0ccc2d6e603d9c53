import type { InstrumentCatalogue } from '../../ports/catalogue.ts';
import type { AccountDirectory } from '../../ports/identity.ts';
import type { SupplierDirectory } from '../../ports/supply.ts';
import type { Sequencer } from '../../sequencer/types.ts';
import type { Database } from '../../store/database.ts';
import type { MarketView } from '../market-view.ts';
import type { TradingSettings } from '../settings.ts';

/** What the routes of accounts, positions, supply and diagnostics stand on. */
export interface AccountDeps {
  readonly sequencer: Sequencer;
  readonly database: Database;
  readonly instruments: InstrumentCatalogue;
  readonly accounts: AccountDirectory;
  readonly suppliers: SupplierDirectory;
  readonly view: MarketView;
  readonly settings: TradingSettings;
}
