-- Orders that end at a time; trades of auctions; the shape of a snapshot, so that an old one is passed over and not misread.
alter table orders add column expires_at_ms bigint;
alter table trades add column is_auction boolean not null default false;
alter table snapshots add column version integer not null default 1;

-- Units that were taken out of the world unsold, in runs of serials. Insert-only: a unit is retired once.
create table retirements (
  command_seq bigint not null,
  account_number bigint not null,
  instrument_no integer not null,
  unit_from bigint not null,
  unit_to bigint not null,
  retired_at_ms bigint not null,
  primary key (instrument_no, unit_from)
);
create index retirements_account on retirements (account_number, instrument_no);
create index retirements_command on retirements (command_seq);
