-- Tokens that buyers have and have not consumed yet, as of the last look in each hour.
-- Hours in which nothing changed have no row.
create table open_interest (
  instrument_no integer not null,
  hour_start_ms bigint not null,
  outstanding_tokens bigint not null,
  primary key (instrument_no, hour_start_ms)
);
