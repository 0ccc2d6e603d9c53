import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { DecimalString, OpenEnum } from './common.ts';
import type { Qualification } from './markets.ts';

/** Prices of a model in USD; `null` where unknown. */
export type ModelPricing = {
  currency: 'USD';
  unit_tokens: number;
  /** USD per unit, as are the next four. */
  ask: DecimalString | null;
  bid: DecimalString | null;
  last: DecimalString | null;
  vwap_24h: DecimalString | null;
  vwap_7d: DecimalString | null;
  input_per_token: DecimalString | null;
  output_per_token: DecimalString | null;
};

/** An instrument as the OpenAI dialect sees it: the `id` goes into `model`. */
export type Model = {
  id: string;
  object: 'model';
  /** Unix seconds. */
  created: number;
  owned_by: string;
  display_name: string;
  instrument_id: string;
  market_id: string;
  family: OpenEnum<'text' | 'code' | 'agent'>;
  tier: OpenEnum<'standard' | 'prime' | 'max'>;
  stage: OpenEnum<'live' | 'preview'>;
  status: OpenEnum<'active' | 'deprecated'>;
  qualification: Qualification | null;
  spec_version: number;
  context_length: number;
  max_input_tokens: number;
  max_completion_tokens: number;
  input_modalities: string[];
  output_modalities: string[];
  attachments: boolean;
  capabilities: Record<string, boolean>;
  reasoning: {
    supported: boolean;
    mandatory: boolean;
    toggle: boolean;
    supported_efforts: string[];
    default_effort: string | null;
  };
  quality: { index: string | null; floor: number | null };
  sla: { ttft_ms_max: number; tokens_per_second_min: number; uptime_min: number; error_rate_max: number };
  pricing: ModelPricing;
  supported_endpoints: string[];
  recently_served: string[];
  zero_data_retention: boolean;
  /** Whether the account could be served now; `null` without a credential. */
  funded: boolean | null;
};

/** `/v1/models`. Public; a key that is sent is checked. */
export class ModelsResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All instruments by family and tier. */
  async list(params?: { funded?: boolean }, options?: RequestOptions): Promise<Model[]> {
    return (await this.#transport.get<{ data: Model[] }>('/v1/models', params, options)).data;
  }

  /** One instrument. @throws NotFoundError `model_not_found` */
  async retrieve(model: string, options?: RequestOptions): Promise<Model> {
    return await this.#transport.get<Model>(`/v1/models/${encodeURIComponent(model)}`, undefined, options);
  }
}
