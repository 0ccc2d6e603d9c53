import type { PagePromise } from '../core/pagination.ts';
import { readOne, readPages } from '../internal/read.ts';
import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { CursorParams, DecimalString, OpenEnum, TimeInput, Timestamp } from './common.ts';

/** What every model that fills the instrument must offer. */
export type AiSpecs = {
  context_window: number;
  max_input_tokens: number;
  max_output_tokens: number;
  /** Tokens per second. */
  token_throughput: number;
  tokens_per_unit: number;
  unit_definition: string;
  input_modalities: string[];
  output_modalities: string[];
  reasoning_efforts: string[];
  reasoning_toggle: boolean;
  temperature: boolean;
  qualifying_models: string[];
};

/** The thresholds a supplier is measured against. */
export type SlaRequirements = {
  availability_target: number;
  max_latency_ms: number;
  /** `null` where no index is asked for. */
  quality_index: string | null;
  /** `null` while the operator has set no floor. */
  quality_score_min: number | null;
  tokens_per_second_min: number;
  error_rate_max: number;
};

/** Sizes and ticks of orders. */
export type TradingParams = {
  min_quantity: number;
  max_quantity: number;
  quantity_increment: number;
  tick_size: DecimalString;
};

/** A quality tier that can be bought, or the currency it is paid in. */
export type Instrument = {
  instrument_id: string;
  id: string;
  /** Lower case, `USD` excepted. */
  symbol: string;
  name: string;
  description: string;
  instrument_type: 'ai_commodity' | 'currency' | 'token';
  precision: number;
  is_active: boolean;
  status: 'active' | 'inactive' | 'deprecated';
  created_at: Timestamp;
  updated_at: Timestamp;
  basic_info: Record<string, unknown>;
  ai_specs?: AiSpecs;
  sla_requirements?: SlaRequirements;
  trading_params?: TradingParams;
  /** Absent on a currency, as are the members up to `stage`. */
  market_id?: string;
  spec_version?: number;
  family?: OpenEnum<'text' | 'code' | 'agent'>;
  tier?: OpenEnum<'standard' | 'prime' | 'max'>;
  stage?: OpenEnum<'live' | 'preview'>;
  lot_ttl_seconds?: number | null;
  last_trade_price?: DecimalString | null;
  last_trade_at?: Timestamp | null;
  last_quote_at?: Timestamp | null;
  price_range_24h_high?: DecimalString | null;
  price_range_24h_low?: DecimalString | null;
  /** Units. */
  volume_24h?: number | null;
  total_volume?: number | null;
  total_trades?: number | null;
  total_quotes?: number | null;
};

/** Filters of `instruments.list`. */
export type InstrumentListParams = CursorParams & {
  symbol?: string | undefined;
  instrument_type?: Instrument['instrument_type'] | undefined;
  status?: Instrument['status'] | undefined;
};

/** One version of an instrument's specification. Never changed once announced. */
export type InstrumentSpec = {
  spec_version: number;
  effective_from: Timestamp;
  announced_at: Timestamp;
  thresholds: Record<string, unknown>;
  changes: unknown[];
};

/** The reference index of an instrument in one period. */
export type IndexPoint = {
  period_start: Timestamp;
  vwap: DecimalString | null;
  /** Units. */
  volume: DecimalString | number;
  num_trades: number;
  /** Units bought and not yet consumed. */
  open_interest_units: number | null;
  vwap_7d?: DecimalString | null;
};

/** Range and resolution of `instruments.index`. */
export type IndexParams = {
  resolution?: string | undefined;
  from?: TimeInput | undefined;
  to?: TimeInput | undefined;
};

/** `/v1/instruments`. Public. An instrument is named by its id or symbol. */
export class InstrumentsResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All instruments, USD among them. */
  list(params: InstrumentListParams = {}, options?: RequestOptions): PagePromise<Instrument> {
    return readPages(this.#transport, { path: '/v1/instruments', query: params, options });
  }

  /** @throws NotFoundError `instrument_not_found` */
  async retrieve(instrument: string, options?: RequestOptions): Promise<Instrument> {
    return await readOne<Instrument>(this.#transport, { path: pathOf(instrument), options });
  }

  /** Versions of the specification, newest first. */
  specs(instrument: string, options?: RequestOptions): PagePromise<InstrumentSpec> {
    return readPages(this.#transport, { path: pathOf(instrument, '/specs'), options });
  }

  /** The volume-weighted reference index, period by period. */
  index(instrument: string, params: IndexParams = {}, options?: RequestOptions): PagePromise<IndexPoint> {
    return readPages(this.#transport, { path: pathOf(instrument, '/index'), query: params, options });
  }
}

const pathOf = (instrument: string, rest = ''): string =>
  `/v1/instruments/${encodeURIComponent(instrument)}${rest}`;
