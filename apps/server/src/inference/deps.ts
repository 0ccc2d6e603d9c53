import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import type { KeyDirectory } from '../ports/identity.ts';
import type { SupplierConduct, SupplierDirectory } from '../ports/supply.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import type { InferenceSettings } from './settings.ts';

/** What the book of an instrument says right now, in ticks per unit; null where nothing is known. */
export interface MarketQuote {
  readonly askTicks: number | null;
  readonly bidTicks: number | null;
  readonly lastTicks: number | null;
  readonly vwap24hTicks: number | null;
  readonly vwap7dTicks: number | null;
}

/** Prices for `GET /v1/models`. */
export interface MarketQuotes {
  quote(instrumentNo: number): MarketQuote;
}

/** Everything the Consumption API needs of the other rooms. */
export interface InferenceDeps {
  readonly sequencer: Sequencer;
  readonly keys: KeyDirectory;
  readonly instruments: InstrumentCatalogue;
  readonly suppliers: SupplierDirectory;
  /** Told how deliveries went. */
  readonly conduct: SupplierConduct;
  readonly database: Database;
  readonly telemetry: Telemetry;
  readonly market: MarketQuotes;
  readonly settings: InferenceSettings;
  /** Seals the proofs of suppliers' reasoning that clients carry back. */
  readonly reasoningKey: Uint8Array;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/** The running Consumption API. */
export interface InferenceRoom {
  /** Inference requests that were admitted and have not ended. */
  readonly inFlight: number;
  /**
   * Takes no new inference requests (`503 overloaded`) and waits for the running ones. What still runs after `timeoutMs`
   * is cut, unbilled. Resolves when everything is settled and the connections to suppliers are closed.
   */
  drain(timeoutMs: number): Promise<void>;
}
