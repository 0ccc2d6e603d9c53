-- How many events each account was told over its private streams: numbered without a gap, whoever listens.
create table user_sequences (
  account_number bigint primary key,
  last_seq bigint not null
);

-- Orders that end with the socket they came over. After a crash no socket is left, so those that are open are cancelled.
alter table orders add column cancels_on_disconnect boolean not null default false;
create index orders_of_sockets on orders (order_seq) where closed_at_ms is null and cancels_on_disconnect;
