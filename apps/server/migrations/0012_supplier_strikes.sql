-- One row a strike: what a supplier's deliveries of the last hour showed. Kept when it has expired, as what it was.
create table supplier_strikes (
  strike_id text primary key,
  supplier_id text not null references suppliers (supplier_id),
  endpoint_id text not null,
  instrument_no integer not null,
  reason text not null check (reason in ('failed_or_out_of_spec', 'token_inflation')),
  request_count bigint not null,
  share_percent integer not null,
  struck_at_ms bigint not null,
  expires_at_ms bigint not null
);
create index supplier_strikes_supplier on supplier_strikes (supplier_id, struck_at_ms desc);
