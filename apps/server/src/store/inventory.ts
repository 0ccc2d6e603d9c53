/**
 * The data inventory: every column that the program stores, with what it is for and how long it stays. A test compares it
 * with the live schema, so a migration that adds a column must say here what the column holds.
 */

/** Why a column exists. Retention follows the class. */
export type DataClass =
  | 'account'
  | 'credential'
  | 'billing_reference'
  | 'financial'
  | 'market'
  | 'metering'
  | 'supplier'
  | 'operator'
  | 'operational'
  | 'public'
  | 'technical';

/** What erasing an account does: `unlink` keeps the row and destroys the one row that maps its number to a person. */
export type Erasure = 'delete' | 'nullify' | 'unlink' | 'keep';

/** Which requests and events fill a column. */
export type Source =
  | 'registration'
  | 'settings'
  | 'key creation'
  | 'supplier registration'
  | 'order placement'
  | 'inference'
  | 'any command'
  | 'catalogue'
  | 'program';

/** One column. */
export interface InventoryRow {
  readonly store: 'postgres';
  readonly table: string;
  readonly column: string;
  /** Type as PostgreSQL prints it. */
  readonly type: string;
  readonly class: DataClass;
  readonly source: Source;
  /** Longest text in characters that a user can put in, or `null` when no user's text gets here. */
  readonly freeText: number | null;
  /** Name of the retention period, see {@link RETENTION}. */
  readonly retention: string;
  readonly erasure: Erasure;
  /** Part of the account export. */
  readonly export: boolean;
}

/** Sources that an inference request reaches. No column they fill may hold a user's text. */
export const REQUEST_SOURCES: ReadonlySet<Source> = new Set(['inference', 'any command']);

/** How long each class is meant to stay, at most. */
export const RETENTION: Readonly<Record<DataClass, string>> = {
  metering: '400 days',
  market: '7 years',
  financial: '7 years',
  operator: '7 years',
  account: 'life of the account + 30 days',
  credential: 'life of the credential + 90 days',
  billing_reference: 'life of the account + 30 days',
  supplier: 'life of the supplier + 7 years',
  operational: '14 days',
  public: 'as long as the installation',
  technical: 'as long as the installation',
};

interface Defaults {
  readonly class: DataClass;
  readonly source: Source;
  readonly erasure: Erasure;
  readonly export: boolean;
}

type Details = Partial<Defaults> & { readonly freeText?: number };

/** `name type`, with what differs from the rest of the table. */
type Column = string | readonly [string, Details];

function table(name: string, defaults: Defaults, columns: readonly Column[]): InventoryRow[] {
  return columns.map((entry) => {
    const [text, details] = typeof entry === 'string' ? [entry, {} as Details] : entry;
    const space = text.indexOf(' ');
    const { freeText = null, ...facts } = { ...defaults, ...details };
    return {
      store: 'postgres',
      table: name,
      column: text.slice(0, space),
      type: text.slice(space + 1),
      ...facts,
      freeText,
      retention: RETENTION[facts.class],
    };
  });
}

const TECHNICAL: Defaults = { class: 'technical', source: 'program', erasure: 'keep', export: false };
const PUBLIC: Defaults = { class: 'public', source: 'catalogue', erasure: 'keep', export: false };
const ACCOUNT: Defaults = { class: 'account', source: 'registration', erasure: 'delete', export: true };
const CREDENTIAL: Defaults = {
  class: 'credential',
  source: 'key creation',
  erasure: 'delete',
  export: false,
};
const SUPPLIER: Defaults = {
  class: 'supplier',
  source: 'supplier registration',
  erasure: 'unlink',
  export: true,
};
const ORDER: Defaults = { class: 'market', source: 'order placement', erasure: 'unlink', export: true };
const MARKET: Defaults = { class: 'market', source: 'any command', erasure: 'unlink', export: true };
const FINANCIAL: Defaults = { class: 'financial', source: 'any command', erasure: 'unlink', export: true };
const METERING: Defaults = { class: 'metering', source: 'inference', erasure: 'unlink', export: true };

const PROGRAM_TABLES = [
  table('schema_migration', TECHNICAL, [
    'number integer',
    'name text',
    'checksum text',
    'applied_at_ms bigint',
  ]),
  table('writer_lease', TECHNICAL, [
    'id integer',
    'epoch bigint',
    'batch bigint',
    'command_seq bigint',
    'at_ms bigint',
  ]),
  table('journal', { ...FINANCIAL, export: false }, [
    'seq bigint',
    'batch bigint',
    'at_ms bigint',
    'kind text',
    'body jsonb',
  ]),
  table('snapshots', TECHNICAL, [
    'command_seq bigint',
    'at_ms bigint',
    'state_hash text',
    'version integer',
    ['body bytea', { class: 'financial', source: 'any command', erasure: 'unlink' }],
  ]),
  table('instruments', PUBLIC, [
    'instrument_no integer',
    'instrument_id text',
    'market_id text',
    'symbol text',
    'name text',
    'family text',
    'tier text',
    'stage text',
    'status text',
    'spec_version integer',
    'specification jsonb',
    'created_at_ms bigint',
    'updated_at_ms bigint',
  ]),
];

const ACCOUNT_TABLES = [
  table('accounts', ACCOUNT, [
    'account_number bigint',
    'user_id text',
    ['email text', { freeText: 254 }],
    ['name text', { freeText: 100 }],
    ['mode text', { source: 'settings' }],
    ['role text', { export: false }],
    'is_email_verified boolean',
    ['settings jsonb', { source: 'settings' }],
    'created_at_ms bigint',
    'updated_at_ms bigint',
  ]),
  table('consumption_keys', CREDENTIAL, [
    ['key_id text', { export: true }],
    'account_number bigint',
    'key_hmac bytea',
    ['key_prefix text', { export: true }],
    ['name text', { export: true, freeText: 100 }],
    ['scopes text[]', { export: true }],
    ['routing_mode text', { export: true }],
    ['monthly_token_limit bigint', { export: true }],
    ['is_active boolean', { export: true }],
    ['expires_at_ms bigint', { export: true }],
    ['revoked_at_ms bigint', { export: true }],
    ['last_used_at_ms bigint', { source: 'inference', export: true }],
    ['created_at_ms bigint', { export: true }],
    'updated_at_ms bigint',
  ]),
  table('signing_keys', { ...CREDENTIAL, export: true }, [
    'key_id text',
    ['account_number bigint', { export: false }],
    'public_key bytea',
    'fingerprint text',
    ['label text', { freeText: 100 }],
    'require_nonce boolean',
    'read_only boolean',
    'is_active boolean',
    'expires_at_ms bigint',
    'revoked_at_ms bigint',
    'last_used_at_ms bigint',
    'created_at_ms bigint',
  ]),
  table('signature_replays', { ...TECHNICAL, class: 'operational', erasure: 'delete' }, [
    'key_id text',
    'signature_hash bytea',
    'command_seq bigint',
    'object_id text',
    'at_ms bigint',
  ]),
  // The kept answers are what the client was told: orders, transfers, errors. The key itself is stored as a hash.
  table('idempotency_keys', { ...TECHNICAL, class: 'operational', erasure: 'delete' }, [
    'account_number bigint',
    'scope_hmac bytea',
    'request_hmac bytea',
    'claim_id text',
    'epoch bigint',
    'claimed_until_ms bigint',
    'key_id text',
    'signature_hash bytea',
    'status integer',
    ['response text', { source: 'order placement', freeText: 64 }],
    'created_at_ms bigint',
    'expires_at_ms bigint',
  ]),
];

const SUPPLIER_TABLES = [
  table('suppliers', SUPPLIER, [
    'supplier_id text',
    'account_number bigint',
    ['display_name text', { freeText: 100 }],
    'status text',
    'is_managed boolean',
    'is_builtin boolean',
    'created_at_ms bigint',
    'updated_at_ms bigint',
  ]),
  table('endpoints', SUPPLIER, [
    'endpoint_id text',
    'supplier_id text',
    ['name text', { freeText: 100 }],
    ['base_url text', { freeText: 300 }],
    'wire text',
    'auth_style text',
    ['credential_ciphertext bytea', { erasure: 'delete', export: false }],
    ['credential_hint text', { erasure: 'delete' }],
    ['upstream_model text', { freeText: 100 }],
    ['served_model text', { freeText: 100 }],
    ['region text', { freeText: 8 }],
    'capabilities jsonb',
    'max_concurrency integer',
    'accepts_substitution boolean',
    'substitution_price_ticks bigint',
    'qualification text',
    'state text',
    'allow_private boolean',
    'created_at_ms bigint',
    'updated_at_ms bigint',
  ]),
  table('endpoint_instruments', SUPPLIER, ['endpoint_id text', 'instrument_no integer']),
  table('supplier_strikes', { ...SUPPLIER, source: 'inference' }, [
    'strike_id text',
    'supplier_id text',
    'endpoint_id text',
    'instrument_no integer',
    'reason text',
    'request_count bigint',
    'share_percent integer',
    'struck_at_ms bigint',
    'expires_at_ms bigint',
  ]),
  table('issuances', { ...MARKET, class: 'supplier' }, [
    'issuance_id text',
    'account_number bigint',
    'instrument_no integer',
    'unit_from bigint',
    'unit_to bigint',
    'issued_at_ms bigint',
  ]),
  table('retirements', { ...MARKET, class: 'supplier' }, [
    'command_seq bigint',
    'account_number bigint',
    'instrument_no integer',
    'unit_from bigint',
    'unit_to bigint',
    'retired_at_ms bigint',
  ]),
];

const MARKET_TABLES = [
  table('orders', ORDER, [
    'order_seq bigint',
    'order_id text',
    'account_number bigint',
    'instrument_no integer',
    ['client_order_id text', { erasure: 'nullify', freeText: 64 }],
    'side text',
    'type text',
    'time_in_force text',
    'origin text',
    'is_post_only boolean',
    'self_trade_prevention text',
    'is_autotransfer boolean',
    'price_ticks bigint',
    'quantity_units bigint',
    'filled_units bigint',
    'remaining_units bigint',
    'filled_value_micros bigint',
    'fee_micros bigint',
    'status text',
    'closure_reason text',
    'submitted_at_ms bigint',
    'updated_at_ms bigint',
    'closed_at_ms bigint',
    'expires_at_ms bigint',
    'cancels_on_disconnect boolean',
  ]),
  table('placed_terms', ORDER, [
    'order_seq bigint',
    'quantity_units bigint',
    'price_ticks bigint',
    'time_in_force text',
    'expires_at_ms bigint',
  ]),
  table('trades', MARKET, [
    'trade_seq bigint',
    'trade_id text',
    'instrument_no integer',
    'market_trade bigint',
    'price_ticks bigint',
    'quantity_units bigint',
    'buyer_account bigint',
    'seller_account bigint',
    'buy_order_seq bigint',
    'sell_order_seq bigint',
    'aggressor text',
    'buyer_fee_micros bigint',
    'seller_fee_micros bigint',
    'units jsonb',
    'excluded_units bigint',
    'executed_at_ms bigint',
    'is_auction boolean',
  ]),
  table('user_sequences', { ...MARKET, export: false }, ['account_number bigint', 'last_seq bigint']),
  table('candles', { ...PUBLIC, source: 'any command' }, [
    'instrument_no integer',
    'resolution text',
    'period_start_ms bigint',
    'open_ticks bigint',
    'high_ticks bigint',
    'low_ticks bigint',
    'close_ticks bigint',
    'units bigint',
    'value_ticks bigint',
    'counted_units bigint',
    'counted_ticks bigint',
    'trade_count bigint',
  ]),
  table('open_interest', PUBLIC, [
    'instrument_no integer',
    'hour_start_ms bigint',
    ['outstanding_tokens bigint', { source: 'any command' }],
  ]),
  table('lots', MARKET, [
    'lot_seq bigint',
    'lot_id text',
    'account_number bigint',
    'instrument_no integer',
    'trade_seq bigint',
    'price_ticks bigint',
    'issuer_account bigint',
    'acquisition bigint',
    'unit_from bigint',
    'unit_to bigint',
    'tokens_total bigint',
    'tokens_remaining bigint',
    'status text',
    'deposited_at_ms bigint',
    'updated_at_ms bigint',
  ]),
  table('transfers', MARKET, [
    'transfer_id text',
    'command_seq bigint',
    'account_number bigint',
    'instrument_no integer',
    'direction text',
    'origin text',
    'quantity_units bigint',
    'transferred_at_ms bigint',
  ]),
];

const MONEY_TABLES = [
  table('escrow_ranges', FINANCIAL, [
    'range_seq bigint',
    'issuer_account bigint',
    'instrument_no integer',
    'trade_seq bigint',
    'unit_from bigint',
    'unit_to bigint',
    'escrow_micros bigint',
    'tokens_total bigint',
    'tokens_delivered bigint',
    'released_micros bigint',
    'is_closed boolean',
  ]),
  table('entries', FINANCIAL, [
    'command_seq bigint',
    'position integer',
    'kind smallint',
    'account_number bigint',
    'instrument_no integer',
    'amount bigint',
  ]),
  table('balances', FINANCIAL, [
    'kind smallint',
    'account_number bigint',
    'instrument_no integer',
    'amount bigint',
  ]),
];

const RECEIPT_TABLES = [
  table('receipts', METERING, [
    'request_id text',
    'command_seq bigint',
    'account_number bigint',
    'receipt_no bigint',
    'instrument_no integer',
    'spec_version integer',
    'requested_model text',
    'serving_model text',
    'route text',
    'key_id text',
    'status text',
    ['cost_status text', { class: 'financial' }],
    ['cost_e10 numeric(30,0)', { class: 'financial' }],
    'priced_tokens bigint',
    'error_code text',
    'finish_reason text',
    'is_stream boolean',
    'input_tokens bigint',
    'output_tokens bigint',
    'reasoning_tokens bigint',
    'cache_read_tokens bigint',
    'cache_write_tokens bigint',
    'usage_source text',
    'held_tokens bigint',
    'ttft_ms double precision',
    'tokens_per_second double precision',
    'duration_ms bigint',
    'supplier_id text',
    'endpoint_id text',
    'attempt_count integer',
    'is_substituted boolean',
    'qualification text',
    'is_in_spec boolean',
    'is_spec_waived boolean',
    'created_at_ms bigint',
    'settled_at_ms bigint',
  ]),
  table('receipt_draws', { ...METERING, class: 'financial' }, [
    'request_id text',
    'position integer',
    'lot_seq bigint',
    'trade_seq bigint',
    'issuer_account bigint',
    'unit_from bigint',
    'unit_to bigint',
    'tokens bigint',
    'price_ticks bigint',
    'released_micros bigint',
    'paid_micros bigint',
  ]),
];

/** Every column of every table. */
export const DATA_INVENTORY: readonly InventoryRow[] = [
  ...PROGRAM_TABLES,
  ...ACCOUNT_TABLES,
  ...SUPPLIER_TABLES,
  ...MARKET_TABLES,
  ...MONEY_TABLES,
  ...RECEIPT_TABLES,
].flat();
