-- Orders that expire and are amended, trades of auctions.
alter table orders add column expires_at_ms bigint;
