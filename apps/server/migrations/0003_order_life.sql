-- Orders that expire and are amended, trades of auctions.
select 1;
