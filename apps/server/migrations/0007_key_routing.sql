-- How inference with a key is routed; null follows the installation.
alter table consumption_keys add column routing_mode text check (routing_mode in ('direct', 'redirect'));
