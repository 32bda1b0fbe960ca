-- What CockroachDB says in other words; https://www.cockroachlabs.com/docs/stable/ has the pages that are named here.

-- name: begin
-- SERIALIZABLE is always there, the weaker levels are not (transactions#isolation-levels). There is no jit to switch off
-- (session-variables).
begin isolation level serializable read only;
set local statement_timeout = {{timeout_ms}};
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'iso_8601';
set local extra_float_digits = 1;
set local bytea_output = 'hex'

-- name: bucket
-- FNV64A is FNV-1a by name, so upgrades cannot change it (functions-and-operators).
mod(fnv64a(concat_ws('/', {{keys}})) & 9223372036854775807, {{buckets}})

-- name: hash
-- Of md5's text: the sums of FNV's own values do not change when two rows that are alike swap their last bytes.
fnv64a(md5(concat({{texts}}))) & 9223372036854775807
