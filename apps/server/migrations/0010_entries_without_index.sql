-- Nothing reads entries by account: verification goes through them as a whole, and balances have a table of their own. Keeping
-- this index in order was a good part of what a commit cost the store.
drop index entries_account;
