import { OpenGridError } from './core/error.ts';
import { ServerClock } from './internal/clock.ts';
import type { Credentials } from './internal/credentials.ts';
import { type RequestOptions, Transport } from './internal/transport.ts';
import type { LiveOptions } from './live/connection.ts';
import { Live, type LiveParts } from './live/live.ts';
import { AccountResource } from './resources/account.ts';
import {
  AccountsResource,
  ConsumptionAccountsResource,
  type CurrencyAccount,
  type TradingAccount,
} from './resources/accounts.ts';
import { type Health, HealthResource } from './resources/health.ts';
import { InstrumentsResource } from './resources/instruments.ts';
import { MarketsResource } from './resources/markets.ts';
import { ModelsResource } from './resources/models.ts';
import { OrdersResource } from './resources/orders.ts';
import { PositionsResource } from './resources/positions.ts';
import { PriceHistoriesResource } from './resources/price-histories.ts';
import { SupplyResource } from './resources/supply.ts';
import { TradesResource } from './resources/trades.ts';
import { TransfersResource } from './resources/transfers.ts';
import { UsageResource } from './resources/usage.ts';
import type { Signer } from './signing/signer.ts';

/** Settings of an `OpenGrid` client. */
export type OpenGridOptions = {
  /** Origin of the installation, `http://localhost:4000` for instance. A trailing `/v1` is tolerated. */
  baseUrl: string;
  /** Consumption key, or an access token. Public market data needs none. */
  apiKey?: string | undefined;
  /** Signs everything on the Trading routes; see `signerFromKey`. */
  signer?: Signer | undefined;
  /** `strict` also covers host and query, and spends a nonce on every request. Default `compatible`. */
  signatureScheme?: 'compatible' | 'strict' | undefined;
  /** How long a signed command may take to the engine, 1 to 30,000 ms; later it is dropped without effect. */
  receiveWindowMs?: number | undefined;
  /** Longest time of one attempt, in milliseconds. Default 30,000. */
  timeoutMs?: number | undefined;
  /** Repetitions after a failure that may pass. Default 2. */
  maxRetries?: number | undefined;
  /** Replaces the platform's `fetch`, to go through a proxy for instance. */
  fetch?: typeof globalThis.fetch | undefined;
};

const defaultTimeoutMs = 30_000;
const defaultMaxRetries = 2;

const originOf = (baseUrl: string): string => {
  if (!URL.canParse(baseUrl)) throw new OpenGridError('baseUrl must be an absolute URL.');
  const { protocol, host, pathname } = new URL(baseUrl);
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new OpenGridError('baseUrl must be http or https.');
  const path = pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  return `${protocol}//${host}${path}`;
};

const credentialsOf = (options: OpenGridOptions): Credentials => ({
  bearer: options.apiKey,
  signer: options.signer,
  scheme: options.signatureScheme ?? 'compatible',
  receiveWindowMs: options.receiveWindowMs,
});

/**
 * A client of one OpenGrid installation; resources mirror the URL tree.
 *
 * ```ts
 * const grid = new OpenGrid({ baseUrl: 'http://localhost:4000' });
 * const book = await grid.markets.orderbook('text-standard', { depth: 10 });
 * ```
 */
export class OpenGrid {
  readonly markets: MarketsResource;
  readonly instruments: InstrumentsResource;
  readonly models: ModelsResource;
  readonly usage: UsageResource;
  readonly account: AccountResource;
  readonly orders: OrdersResource;
  readonly trades: TradesResource;
  readonly positions: PositionsResource;
  readonly tradingAccounts: AccountsResource<TradingAccount>;
  readonly currencyAccounts: AccountsResource<CurrencyAccount>;
  readonly consumptionAccounts: ConsumptionAccountsResource;
  readonly transfers: TransfersResource;
  readonly supply: SupplyResource;
  readonly priceHistories: PriceHistoriesResource;
  readonly #health: HealthResource;
  readonly #liveParts: Omit<LiveParts, 'options'>;

  /** @throws OpenGridError when `baseUrl` is no http or https URL */
  constructor(options: OpenGridOptions) {
    // One clock for requests and sockets: what one of them learns of the server's time, the other knows.
    const origin = originOf(options.baseUrl);
    this.#liveParts = { origin, credentials: credentialsOf(options), clock: new ServerClock() };
    const transport = new Transport({
      ...this.#liveParts,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      maxRetries: options.maxRetries ?? defaultMaxRetries,
      // A browser's fetch must be called on the window, so it is wrapped rather than passed on.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    });
    this.markets = new MarketsResource(transport);
    this.instruments = new InstrumentsResource(transport);
    this.models = new ModelsResource(transport);
    this.usage = new UsageResource(transport);
    this.account = new AccountResource(transport);
    this.orders = new OrdersResource(transport);
    this.trades = new TradesResource(transport);
    this.positions = new PositionsResource(transport);
    this.tradingAccounts = new AccountsResource(transport, '/v1/trading-accounts');
    this.currencyAccounts = new AccountsResource(transport, '/v1/currency-trading-accounts');
    this.consumptionAccounts = new ConsumptionAccountsResource(transport);
    this.transfers = new TransfersResource(transport);
    this.supply = new SupplyResource(transport);
    this.priceHistories = new PriceHistoriesResource(transport);
    this.#health = new HealthResource(transport);
  }

  /** `GET /v1/health`. Throws `ServerError` (503) when the engine has no leader. */
  health(options?: RequestOptions): Promise<Health> {
    return this.#health.retrieve(options);
  }

  /** Opens a socket for books, trades, the account's own events and order entry. It lives until `close()`. */
  live(options: LiveOptions = {}): Live {
    return new Live({ ...this.#liveParts, options });
  }
}
