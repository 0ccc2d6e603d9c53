-- Times are Unix milliseconds, USD is micro-dollars, prices are ticks of 100 micro-dollars per unit, tokens are tokens.
-- Orders, journal, entries, lots and receipts carry only a random account number; accounts maps it to a person.

create table writer_lease (
  id integer primary key check (id = 1),
  epoch bigint not null,
  batch bigint not null,
  command_seq bigint not null,
  at_ms bigint not null
);
insert into writer_lease (id, epoch, batch, command_seq, at_ms) values (1, 0, 0, 0, 0);

create table journal (
  seq bigint primary key,
  batch bigint not null,
  at_ms bigint not null,
  kind text not null,
  body jsonb not null
);

create table snapshots (
  command_seq bigint primary key,
  at_ms bigint not null,
  state_hash text not null,
  body bytea not null
);

create table instruments (
  instrument_no integer primary key,
  instrument_id text not null unique,
  market_id text not null unique,
  symbol text not null unique,
  name text not null,
  family text not null,
  tier text not null,
  stage text not null,
  status text not null,
  spec_version integer not null,
  specification jsonb not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null
);

create table accounts (
  account_number bigint primary key,
  user_id text not null unique,
  email text not null unique,
  name text,
  mode text not null check (mode in ('easy', 'advanced')),
  role text not null check (role in ('member', 'operator')),
  is_email_verified boolean not null,
  settings jsonb not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null
);

create table consumption_keys (
  key_id text primary key,
  account_number bigint not null references accounts (account_number),
  key_hmac bytea not null unique,
  key_prefix text not null,
  name text not null,
  scopes text[] not null,
  is_active boolean not null,
  expires_at_ms bigint,
  revoked_at_ms bigint,
  last_used_at_ms bigint,
  created_at_ms bigint not null,
  updated_at_ms bigint not null
);
create index consumption_keys_account on consumption_keys (account_number);

create table suppliers (
  supplier_id text primary key,
  account_number bigint not null unique references accounts (account_number),
  display_name text not null,
  status text not null check (status in ('applied', 'approved', 'suspended', 'terminated')),
  is_managed boolean not null,
  is_builtin boolean not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null
);

create table endpoints (
  endpoint_id text primary key,
  supplier_id text not null references suppliers (supplier_id),
  name text not null,
  base_url text not null,
  wire text not null check (wire in ('openai', 'openai-responses', 'anthropic')),
  auth_style text not null check (auth_style in ('bearer', 'x-api-key')),
  credential_ciphertext bytea,
  credential_hint text,
  upstream_model text not null,
  served_model text not null,
  region text,
  capabilities jsonb not null,
  max_concurrency integer not null,
  accepts_substitution boolean not null,
  substitution_price_ticks bigint,
  qualification text not null check (qualification in ('probed', 'waived')),
  state text not null check (state in ('new', 'qualified', 'paused', 'disqualified')),
  allow_private boolean not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null
);

create table endpoint_instruments (
  endpoint_id text not null references endpoints (endpoint_id) on delete cascade,
  instrument_no integer not null references instruments (instrument_no),
  primary key (endpoint_id, instrument_no)
);

create table orders (
  order_seq bigint primary key,
  order_id text not null unique,
  account_number bigint not null,
  instrument_no integer not null,
  client_order_id text,
  side text not null,
  type text not null,
  time_in_force text not null,
  origin text not null,
  is_post_only boolean not null,
  self_trade_prevention text not null,
  is_autotransfer boolean not null,
  price_ticks bigint,
  quantity_units bigint not null,
  filled_units bigint not null,
  remaining_units bigint not null,
  filled_value_micros bigint not null,
  fee_micros bigint not null,
  status text not null,
  closure_reason text,
  submitted_at_ms bigint not null,
  updated_at_ms bigint not null,
  closed_at_ms bigint,
  unique (account_number, client_order_id)
);
create index orders_account on orders (account_number, submitted_at_ms desc);

create table trades (
  trade_seq bigint primary key,
  trade_id text not null unique,
  instrument_no integer not null,
  market_trade bigint not null,
  price_ticks bigint not null,
  quantity_units bigint not null,
  buyer_account bigint not null,
  seller_account bigint not null,
  buy_order_seq bigint not null,
  sell_order_seq bigint not null,
  aggressor text not null,
  buyer_fee_micros bigint not null,
  seller_fee_micros bigint not null,
  units jsonb not null,
  excluded_units bigint not null,
  executed_at_ms bigint not null,
  unique (instrument_no, market_trade)
);
create index trades_buyer on trades (buyer_account, trade_seq desc);
create index trades_seller on trades (seller_account, trade_seq desc);

create table lots (
  lot_seq bigint primary key,
  lot_id text not null unique,
  account_number bigint not null,
  instrument_no integer not null,
  trade_seq bigint not null,
  price_ticks bigint,
  issuer_account bigint not null,
  acquisition bigint not null,
  unit_from bigint not null,
  unit_to bigint not null,
  tokens_total bigint not null,
  tokens_remaining bigint not null,
  status text not null,
  deposited_at_ms bigint not null,
  updated_at_ms bigint not null
);
create index lots_account on lots (account_number, instrument_no, lot_seq);

create table escrow_ranges (
  range_seq bigint primary key,
  issuer_account bigint not null,
  instrument_no integer not null,
  trade_seq bigint not null,
  unit_from bigint not null,
  unit_to bigint not null,
  escrow_micros bigint not null,
  tokens_total bigint not null,
  tokens_delivered bigint not null,
  released_micros bigint not null,
  is_closed boolean not null
);
create index escrow_ranges_issuer on escrow_ranges (issuer_account, instrument_no);

create table issuances (
  issuance_id text primary key,
  account_number bigint not null,
  instrument_no integer not null,
  unit_from bigint not null,
  unit_to bigint not null,
  issued_at_ms bigint not null
);

create table transfers (
  transfer_id text primary key,
  command_seq bigint not null,
  account_number bigint not null,
  instrument_no integer not null,
  direction text not null,
  origin text not null,
  quantity_units bigint not null,
  transferred_at_ms bigint not null
);
create index transfers_account on transfers (account_number, command_seq desc);

-- Double entry: the legs of a command sum to zero per asset. Insert-only.
create table entries (
  command_seq bigint not null,
  position integer not null,
  kind smallint not null,
  account_number bigint not null,
  instrument_no integer not null,
  amount bigint not null,
  primary key (command_seq, position)
);
create index entries_account on entries (account_number, command_seq desc);

create table balances (
  kind smallint not null,
  account_number bigint not null,
  instrument_no integer not null,
  amount bigint not null,
  primary key (account_number, instrument_no, kind)
);

-- One row an inference request that ended. Insert-only; no content, no text of the request.
create table receipts (
  request_id text primary key,
  command_seq bigint not null,
  account_number bigint not null,
  receipt_no bigint not null,
  instrument_no integer not null,
  spec_version integer not null,
  requested_model text not null,
  serving_model text,
  route text not null,
  key_id text,
  status text not null,
  cost_status text not null,
  -- Tenths of a nano-dollar (1e-10 USD): tokens x price ticks.
  cost_e10 numeric(30, 0),
  priced_tokens bigint not null,
  error_code text,
  finish_reason text,
  is_stream boolean not null,
  input_tokens bigint,
  output_tokens bigint,
  reasoning_tokens bigint,
  cache_read_tokens bigint,
  cache_write_tokens bigint,
  usage_source text,
  held_tokens bigint not null,
  ttft_ms double precision,
  tokens_per_second double precision,
  duration_ms bigint not null,
  supplier_id text,
  endpoint_id text,
  attempt_count integer not null,
  is_substituted boolean not null,
  qualification text,
  is_in_spec boolean,
  is_spec_waived boolean not null,
  created_at_ms bigint not null,
  settled_at_ms bigint not null,
  unique (account_number, receipt_no)
);
create index receipts_account on receipts (account_number, created_at_ms desc, request_id desc);

create table receipt_draws (
  request_id text not null,
  position integer not null,
  lot_seq bigint not null,
  trade_seq bigint not null,
  issuer_account bigint not null,
  unit_from bigint not null,
  unit_to bigint not null,
  tokens bigint not null,
  price_ticks bigint,
  released_micros bigint not null,
  paid_micros bigint not null,
  primary key (request_id, position)
);
