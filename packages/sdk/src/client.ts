import { OpenGridError } from './core/error.ts';
import { type RequestOptions, Transport } from './internal/transport.ts';
import { type Health, HealthResource } from './resources/health.ts';
import { InstrumentsResource } from './resources/instruments.ts';
import { MarketsResource } from './resources/markets.ts';
import { ModelsResource } from './resources/models.ts';
import { UsageResource } from './resources/usage.ts';

/** Settings of an `OpenGrid` client. */
export type OpenGridOptions = {
  /** Origin of the installation, `http://localhost:4000` for instance. A trailing `/v1` is tolerated. */
  baseUrl: string;
  /** Consumption key. Public market data needs none. */
  apiKey?: string | undefined;
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
  readonly #health: HealthResource;

  /** @throws OpenGridError when `baseUrl` is no http or https URL */
  constructor(options: OpenGridOptions) {
    const transport = new Transport({
      origin: originOf(options.baseUrl),
      apiKey: options.apiKey,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      maxRetries: options.maxRetries ?? defaultMaxRetries,
      // A browser's fetch must be called on the window, so it is wrapped rather than passed on.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    });
    this.markets = new MarketsResource(transport);
    this.instruments = new InstrumentsResource(transport);
    this.models = new ModelsResource(transport);
    this.usage = new UsageResource(transport);
    this.#health = new HealthResource(transport);
  }

  /** `GET /v1/health`. Throws `ServerError` (503) when the engine has no leader. */
  health(options?: RequestOptions): Promise<Health> {
    return this.#health.retrieve(options);
  }
}
