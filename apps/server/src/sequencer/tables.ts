import type { TableShape } from './table-rows.ts';

/** Shapes of the tables a batch writes. Column types are those of the migrations. */

export const JOURNAL: TableShape = {
  name: 'journal',
  kind: 'insert',
  columns: { seq: 'bigint', batch: 'bigint', at_ms: 'bigint', kind: 'text', body: 'jsonb' },
};

const ORDER_STATE = {
  filled_units: 'bigint',
  remaining_units: 'bigint',
  filled_value_micros: 'bigint',
  fee_micros: 'bigint',
  status: 'text',
  closure_reason: 'text',
  updated_at_ms: 'bigint',
  closed_at_ms: 'bigint',
} as const;

export const ORDERS: TableShape = {
  name: 'orders',
  kind: 'insert',
  columns: {
    order_seq: 'bigint',
    order_id: 'text',
    account_number: 'bigint',
    instrument_no: 'integer',
    client_order_id: 'text',
    side: 'text',
    type: 'text',
    time_in_force: 'text',
    origin: 'text',
    is_post_only: 'boolean',
    self_trade_prevention: 'text',
    is_autotransfer: 'boolean',
    price_ticks: 'bigint',
    quantity_units: 'bigint',
    expires_at_ms: 'bigint',
    submitted_at_ms: 'bigint',
    cancels_on_disconnect: 'boolean',
    ...ORDER_STATE,
  },
};

export const ORDER_UPDATES: TableShape = {
  name: 'orders',
  kind: 'update',
  key: 'order_seq',
  columns: {
    order_seq: 'bigint',
    is_amended: 'boolean',
    time_in_force: 'text',
    price_ticks: 'bigint',
    quantity_units: 'bigint',
    expires_at_ms: 'bigint',
    ...ORDER_STATE,
  },
  onlyIf: {
    flag: 'is_amended',
    columns: ['time_in_force', 'price_ticks', 'quantity_units', 'expires_at_ms'],
  },
};

export const TRADES: TableShape = {
  name: 'trades',
  kind: 'insert',
  columns: {
    trade_seq: 'bigint',
    trade_id: 'text',
    instrument_no: 'integer',
    market_trade: 'bigint',
    price_ticks: 'bigint',
    quantity_units: 'bigint',
    buyer_account: 'bigint',
    seller_account: 'bigint',
    buy_order_seq: 'bigint',
    sell_order_seq: 'bigint',
    aggressor: 'text',
    is_auction: 'boolean',
    buyer_fee_micros: 'bigint',
    seller_fee_micros: 'bigint',
    units: 'jsonb',
    excluded_units: 'bigint',
    executed_at_ms: 'bigint',
  },
};

/** What a batch adds to a candle is merged with what earlier batches made of it. */
export const CANDLES: TableShape = {
  name: 'candles',
  kind: 'insert',
  columns: {
    instrument_no: 'integer',
    resolution: 'text',
    period_start_ms: 'bigint',
    open_ticks: 'bigint',
    high_ticks: 'bigint',
    low_ticks: 'bigint',
    close_ticks: 'bigint',
    units: 'bigint',
    value_ticks: 'bigint',
    counted_units: 'bigint',
    counted_ticks: 'bigint',
    trade_count: 'bigint',
  },
  onConflict: `on conflict (instrument_no, resolution, period_start_ms) do update
    set high_ticks = greatest(candles.high_ticks, excluded.high_ticks),
      low_ticks = least(candles.low_ticks, excluded.low_ticks), close_ticks = excluded.close_ticks,
      units = candles.units + excluded.units, value_ticks = candles.value_ticks + excluded.value_ticks,
      counted_units = candles.counted_units + excluded.counted_units,
      counted_ticks = candles.counted_ticks + excluded.counted_ticks,
      trade_count = candles.trade_count + excluded.trade_count`,
};

const LOT_STATE = {
  unit_to: 'bigint',
  tokens_total: 'bigint',
  tokens_remaining: 'bigint',
  status: 'text',
  updated_at_ms: 'bigint',
} as const;

export const LOTS: TableShape = {
  name: 'lots',
  kind: 'insert',
  columns: {
    lot_seq: 'bigint',
    lot_id: 'text',
    account_number: 'bigint',
    instrument_no: 'integer',
    trade_seq: 'bigint',
    price_ticks: 'bigint',
    issuer_account: 'bigint',
    acquisition: 'bigint',
    unit_from: 'bigint',
    deposited_at_ms: 'bigint',
    ...LOT_STATE,
  },
};

export const LOT_UPDATES: TableShape = {
  name: 'lots',
  kind: 'update',
  key: 'lot_seq',
  columns: { lot_seq: 'bigint', ...LOT_STATE },
};

export const ESCROW_RANGES: TableShape = {
  name: 'escrow_ranges',
  kind: 'insert',
  columns: {
    range_seq: 'bigint',
    issuer_account: 'bigint',
    instrument_no: 'integer',
    trade_seq: 'bigint',
    unit_from: 'bigint',
    unit_to: 'bigint',
    escrow_micros: 'bigint',
    tokens_total: 'bigint',
    tokens_delivered: 'bigint',
    released_micros: 'bigint',
    is_closed: 'boolean',
  },
  onConflict: `on conflict (range_seq) do update set tokens_delivered = excluded.tokens_delivered,
    released_micros = excluded.released_micros, is_closed = excluded.is_closed`,
};

export const ISSUANCES: TableShape = {
  name: 'issuances',
  kind: 'insert',
  columns: {
    issuance_id: 'text',
    account_number: 'bigint',
    instrument_no: 'integer',
    unit_from: 'bigint',
    unit_to: 'bigint',
    issued_at_ms: 'bigint',
  },
};

export const TRANSFERS: TableShape = {
  name: 'transfers',
  kind: 'insert',
  columns: {
    transfer_id: 'text',
    command_seq: 'bigint',
    account_number: 'bigint',
    instrument_no: 'integer',
    direction: 'text',
    origin: 'text',
    quantity_units: 'bigint',
    transferred_at_ms: 'bigint',
  },
};

export const RETIREMENTS: TableShape = {
  name: 'retirements',
  kind: 'insert',
  columns: {
    command_seq: 'bigint',
    account_number: 'bigint',
    instrument_no: 'integer',
    unit_from: 'bigint',
    unit_to: 'bigint',
    retired_at_ms: 'bigint',
  },
};

export const ENTRIES: TableShape = {
  name: 'entries',
  kind: 'insert',
  columns: {
    command_seq: 'bigint',
    position: 'integer',
    kind: 'integer',
    account_number: 'bigint',
    instrument_no: 'integer',
    amount: 'bigint',
  },
};

export const BALANCES: TableShape = {
  name: 'balances',
  kind: 'insert',
  columns: { kind: 'integer', account_number: 'bigint', instrument_no: 'integer', amount: 'bigint' },
  onConflict: `on conflict (account_number, instrument_no, kind) do update
    set amount = balances.amount + excluded.amount`,
};

export const RECEIPTS: TableShape = {
  name: 'receipts',
  kind: 'insert',
  columns: {
    request_id: 'text',
    command_seq: 'bigint',
    account_number: 'bigint',
    receipt_no: 'bigint',
    instrument_no: 'integer',
    spec_version: 'integer',
    requested_model: 'text',
    serving_model: 'text',
    route: 'text',
    key_id: 'text',
    status: 'text',
    cost_status: 'text',
    cost_e10: 'numeric',
    priced_tokens: 'bigint',
    error_code: 'text',
    finish_reason: 'text',
    is_stream: 'boolean',
    input_tokens: 'bigint',
    output_tokens: 'bigint',
    reasoning_tokens: 'bigint',
    cache_read_tokens: 'bigint',
    cache_write_tokens: 'bigint',
    usage_source: 'text',
    held_tokens: 'bigint',
    ttft_ms: 'double precision',
    tokens_per_second: 'double precision',
    duration_ms: 'bigint',
    supplier_id: 'text',
    endpoint_id: 'text',
    attempt_count: 'integer',
    is_substituted: 'boolean',
    qualification: 'text',
    is_in_spec: 'boolean',
    is_spec_waived: 'boolean',
    created_at_ms: 'bigint',
    settled_at_ms: 'bigint',
  },
};

export const RECEIPT_DRAWS: TableShape = {
  name: 'receipt_draws',
  kind: 'insert',
  columns: {
    request_id: 'text',
    position: 'integer',
    lot_seq: 'bigint',
    trade_seq: 'bigint',
    issuer_account: 'bigint',
    unit_from: 'bigint',
    unit_to: 'bigint',
    tokens: 'bigint',
    price_ticks: 'bigint',
    released_micros: 'bigint',
    paid_micros: 'bigint',
  },
};

export const SIGNATURE_REPLAYS: TableShape = {
  name: 'signature_replays',
  kind: 'insert',
  columns: {
    key_id: 'text',
    signature_hash: 'bytea',
    command_seq: 'bigint',
    object_id: 'text',
    at_ms: 'bigint',
  },
};

export const USER_SEQUENCES: TableShape = {
  name: 'user_sequences',
  kind: 'insert',
  columns: { account_number: 'bigint', last_seq: 'bigint' },
  onConflict: `on conflict (account_number) do update
    set last_seq = greatest(user_sequences.last_seq, excluded.last_seq)`,
};
