import { z } from 'zod';
import {
  COUNT,
  DECIMAL,
  INSTRUMENT_ID,
  INTEGER,
  id,
  MARKET_ID,
  named,
  PAGING,
  PRICE,
  QUALIFICATION,
  SUPPLIER_ID,
  TEXT,
  TIME,
  TOKENS,
  UNITS,
} from './parts.ts';

/** Models and receipts of the Consumption API. */

const MODALITIES = z.array(z.enum(['text', 'image']));

const MODEL = named(
  'Model',
  z.strictObject({
    id: TEXT.meta({ examples: ['text-standard'] }),
    object: z.literal('model'),
    created: INTEGER,
    owned_by: z.literal('opengrid'),
    display_name: TEXT,
    instrument_id: INSTRUMENT_ID,
    market_id: MARKET_ID,
    family: TEXT,
    tier: TEXT,
    stage: TEXT,
    status: z.enum(['active', 'deprecated']),
    qualification: QUALIFICATION,
    spec_version: INTEGER,
    context_length: TOKENS,
    max_input_tokens: TOKENS,
    max_completion_tokens: TOKENS,
    input_modalities: MODALITIES,
    output_modalities: MODALITIES,
    attachments: z.boolean(),
    capabilities: z.record(z.string(), z.boolean()),
    reasoning: z.strictObject({
      supported: z.boolean(),
      mandatory: z.boolean(),
      toggle: z.boolean(),
      supported_efforts: z.array(TEXT),
      default_effort: TEXT.nullable(),
    }),
    quality: z.strictObject({ index: TEXT.nullable(), floor: z.number().nullable() }),
    sla: z.strictObject({
      ttft_ms_max: z.number(),
      tokens_per_second_min: z.number(),
      uptime_min: z.number(),
      error_rate_max: z.number(),
    }),
    pricing: z.strictObject({
      currency: z.literal('USD'),
      unit_tokens: z.literal(1_000_000),
      ask: PRICE.nullable(),
      bid: PRICE.nullable(),
      last: PRICE.nullable(),
      vwap_24h: PRICE.nullable(),
      vwap_7d: PRICE.nullable(),
      input_per_token: DECIMAL.nullable(),
      output_per_token: DECIMAL.nullable(),
    }),
    supported_endpoints: z.array(TEXT),
    recently_served: z.array(TEXT),
    zero_data_retention: z.literal(true),
    funded: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether the account could be served now; null without a key.' }),
  }),
);

const ANTHROPIC_MODEL = named(
  'AnthropicModel',
  z.strictObject({
    type: z.literal('model'),
    id: TEXT,
    display_name: TEXT,
    created_at: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/),
  }),
);

export const MODEL_ANSWER = named('ModelAnswer', z.union([MODEL, ANTHROPIC_MODEL]));

export const MODEL_LIST = named(
  'ModelList',
  z.union([
    z.strictObject({ object: z.literal('list'), data: z.array(MODEL) }),
    z.strictObject({
      data: z.array(ANTHROPIC_MODEL),
      has_more: z.literal(false),
      first_id: TEXT.nullable(),
      last_id: TEXT.nullable(),
    }),
  ]),
);

const COST_STATUS = z.enum(['pending', 'reconciled', 'unpriced', 'cancelled']);

const DRAW = named(
  'Draw',
  z.strictObject({
    lot_id: id('lot').nullable(),
    trade_id: id('trade').nullable(),
    unit_from: UNITS,
    unit_to: UNITS,
    supplier_id: SUPPLIER_ID.nullable(),
    supplier: TEXT.nullable(),
    acquisition_price_per_unit: PRICE.nullable(),
    acquisition_price_per_token: DECIMAL.nullable(),
    tokens: TOKENS,
    subtotal: DECIMAL.nullable(),
  }),
);

const COST = {
  amount: DECIMAL.nullable().meta({ description: 'USD, exact; null while pending or when not billed.' }),
  currency: z.literal('USD'),
  status: COST_STATUS,
  effective_price_per_token: DECIMAL.nullable(),
  metering_policy_version: TEXT,
  reconciled_at: TIME.nullable(),
} as const;

const RECEIPT_MEMBERS = {
  request_id: id('req'),
  status: z.enum(['pending', 'reconciled', 'error']),
  requested_model: TEXT,
  serving_model: TEXT.nullable(),
  endpoint: TEXT,
  api_key_id: id('key').nullable(),
  created_at: TIME,
  usage: z.strictObject({
    input_tokens: TOKENS.nullable(),
    output_tokens: TOKENS.nullable(),
    total_tokens: TOKENS.nullable(),
    reasoning_tokens: TOKENS.nullable(),
    cache_read_tokens: TOKENS.nullable(),
    cache_write_tokens: TOKENS.nullable(),
    cached_input_tokens: TOKENS.nullable(),
  }),
  usage_source: z.enum(['supplier', 'partial', 'estimated']).nullable(),
  timing: z.strictObject({
    ttft_ms: z.number().nullable(),
    tokens_per_second: z.number().nullable(),
    duration_ms: z.number().nullable(),
  }),
  instrument_id: INSTRUMENT_ID.nullable(),
  spec_version: INTEGER,
  served_by: z
    .strictObject({
      supplier_id: SUPPLIER_ID.nullable(),
      supplier: TEXT.nullable(),
      substituted: z.boolean(),
      qualification: z.enum(['probed', 'waived']).nullable(),
    })
    .nullable(),
  in_spec: z.boolean().nullable(),
  spec_waived: z.boolean(),
  stream: z.boolean(),
  finish_reason: TEXT.nullable(),
  error_code: TEXT.nullable(),
} as const;

export const RECEIPT_ANSWER = named(
  'Receipt',
  z.strictObject({ ...RECEIPT_MEMBERS, cost: z.strictObject({ ...COST, breakdown: z.array(DRAW) }) }),
);

export const RECEIPT_PAGE = named(
  'ReceiptPage',
  z.strictObject({
    data: z.array(
      named('ReceiptSummary', z.strictObject({ ...RECEIPT_MEMBERS, cost: z.strictObject(COST) })),
    ),
    paging: PAGING,
  }),
);

const SUMS = {
  request_count: COUNT,
  input_tokens: TOKENS,
  output_tokens: TOKENS,
  total_tokens: TOKENS,
  cost: z.strictObject({
    reconciled_amount: DECIMAL.nullable(),
    currency: z.literal('USD'),
    reconciled_requests: COUNT,
    pending_requests: COUNT,
    unpriced_requests: COUNT,
    cancelled_requests: COUNT,
    unpriced_tokens: TOKENS,
  }),
} as const;

export const USAGE_SUMMARY_ANSWER = named(
  'UsageSummary',
  z.strictObject({
    totals: z.strictObject(SUMS),
    group_by: z.enum(['day', 'model', 'api_key']).nullable(),
    from: TIME,
    to: TIME,
    buckets: z.array(z.strictObject({ key: TEXT.nullable(), ...SUMS })).optional(),
  }),
);
