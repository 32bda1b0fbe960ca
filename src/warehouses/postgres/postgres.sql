-- PostgreSQL's own. `row(...)::text` quotes its fields, so ('a', 'bc') is not ('ab', 'c') and null is not ''.

-- name: begin
-- Every read is one transaction that cannot write and sees one moment; only snapshots are written, in one of their own.
-- The settings make texts exact and the same whatever the role's defaults are; they end with the transaction, so a
-- connection pooler in between is safe. The last query takes the snapshot: after it Postgres refuses to make the
-- transaction writable again. Compiling (jit) costs a second and more on large reads that the interpreter finishes sooner.
begin isolation level repeatable read {{access}};
set local statement_timeout = {{timeout_ms}};
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'iso_8601';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local jit = off;
select 1

-- name: bucket
-- Positive, and 0 when the key is null. The collation is named so that only the bytes count.
mod(hashtextextended({{whole_key}} collate "C", 0) & 9223372036854775807, {{buckets}})

-- name: hash
hashtextextended(row({{columns}})::text collate "C", 0) & 9223372036854775807

-- name: tracked
{{column}}

-- name: fingerprint
-- Postgres keeps rows of hash partitions on disk by this function, so upgrades cannot change it.
-- 1M rows of 3 columns, 2 workers: this 220 ms, md5 601 ms (and md5 is switched off on FIPS servers), sha256 624 ms.
lpad(to_hex(hashtextextended(row({{columns}})::text collate "C", 0)), 16, '0')

-- name: same_key
{{one}}::text collate "C" = {{other}}::text collate "C"

-- name: known_text
json_array_elements_text(${{number}}::json)

-- name: known_key
json_array_elements_text(${{number}}::json)::{{type}}

-- name: create_table
-- Unlogged: no log is written, and what a crash of the server empties is seen by its number of rows and made again.
create unlogged table
