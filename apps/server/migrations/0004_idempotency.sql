-- First answers of calls that carried an Idempotency-Key. The key and what was sent are here as keyed hashes only.
create table idempotency_keys (
  account_number bigint not null,
  -- HMAC of method, path and key.
  scope_hmac bytea not null,
  -- HMAC of query and body.
  request_hmac bytea not null,
  -- The attempt that carries the call out, under the writer's epoch of that time.
  claim_id text not null,
  epoch bigint not null,
  claimed_until_ms bigint not null,
  -- Signature of that attempt: its row commits with the command, so that a crash leaves no doubt.
  key_id text,
  signature_hash bytea,
  -- Null while the call runs. The body is the text that was sent.
  status integer,
  response text,
  created_at_ms bigint not null,
  expires_at_ms bigint not null,
  primary key (account_number, scope_hmac)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at_ms);
create index idempotency_keys_running on idempotency_keys (key_id, signature_hash) where status is null;
