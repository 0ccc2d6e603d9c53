-- What an order was placed with, kept when it is first amended: its client order id still names the order that was sent.
create table placed_terms (
  order_seq bigint primary key,
  quantity_units bigint not null,
  price_ticks bigint,
  time_in_force text not null,
  expires_at_ms bigint
);
