-- Public keys that Trading requests are signed with. The private key never reaches the server.
create table signing_keys (
  key_id text primary key,
  account_number bigint not null references accounts (account_number),
  public_key bytea not null unique check (length(public_key) = 32),
  fingerprint text not null unique,
  label text not null,
  require_nonce boolean not null,
  read_only boolean not null,
  is_active boolean not null,
  expires_at_ms bigint,
  revoked_at_ms bigint,
  last_used_at_ms bigint,
  created_at_ms bigint not null
);
create index signing_keys_account on signing_keys (account_number);

-- Signatures of recorded commands, written in the command's own commit and looked at for 90 seconds.
create table signature_replays (
  key_id text not null,
  signature_hash bytea not null,
  command_seq bigint not null,
  -- Public id of what the command made: an order, a transfer or an issuance.
  object_id text,
  at_ms bigint not null,
  primary key (key_id, signature_hash, command_seq)
);
create index signature_replays_time on signature_replays (at_ms);

create index orders_open on orders (account_number, instrument_no) where closed_at_ms is null;
create index trades_time on trades (instrument_no, executed_at_ms);
