-- Tokens that a key may use in a calendar month; null is no limit.
alter table consumption_keys add column monthly_token_limit bigint check (monthly_token_limit > 0);
