-- Prices over periods, one row a period in which something was traded. Written in the commit of the trades.
create table candles (
  instrument_no integer not null,
  -- 1m 5m 15m 30m 1h 4h 1d 1w; weeks start on Monday, UTC.
  resolution text not null,
  period_start_ms bigint not null,
  open_ticks bigint not null,
  high_ticks bigint not null,
  low_ticks bigint not null,
  close_ticks bigint not null,
  units bigint not null,
  -- Sum of units x ticks. "Counted" leaves out what volume-weighted prices leave out.
  value_ticks bigint not null,
  counted_units bigint not null,
  counted_ticks bigint not null,
  trade_count bigint not null,
  primary key (instrument_no, resolution, period_start_ms)
) with (fillfactor = 80);

insert into candles
select t.instrument_no, r.resolution, (t.executed_at_ms - r.origin_ms) / r.period_ms * r.period_ms + r.origin_ms,
  (array_agg(t.price_ticks order by t.market_trade))[1], max(t.price_ticks), min(t.price_ticks),
  (array_agg(t.price_ticks order by t.market_trade desc))[1], sum(t.quantity_units),
  sum(t.quantity_units * t.price_ticks), sum(t.quantity_units - t.excluded_units),
  sum((t.quantity_units - t.excluded_units) * t.price_ticks), count(*)
from trades t cross join (values
  ('1m', 60000, 0), ('5m', 300000, 0), ('15m', 900000, 0), ('30m', 1800000, 0), ('1h', 3600000, 0),
  ('4h', 14400000, 0), ('1d', 86400000, 0), ('1w', 604800000, 345600000)
) as r (resolution, period_ms, origin_ms)
group by 1, 2, 3;
