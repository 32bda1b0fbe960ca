-- Pieces of the other templates. `row(...)::text` quotes its fields, so ('a', 'bc') is not ('ab', 'c') and null is not ''.

-- name: key_text
{{column}}::text

-- name: bucket
-- Positive, and 0 when the key is null. The collation is named so that only the bytes count.
mod(hashtextextended(concat_ws('/', {{keys}}) collate "C", 0) & 9223372036854775807, {{buckets}})

-- name: hash
hashtextextended(row({{columns}})::text collate "C", 0) & 9223372036854775807

-- name: tracked
{{column}}

-- name: fingerprint
-- Postgres keeps rows of hash partitions on disk by this function, so upgrades cannot change it.
-- 1M rows of 3 columns, 2 workers: this 220 ms, md5 601 ms (and md5 is switched off on FIPS servers), sha256 624 ms.
lpad(to_hex(hashtextextended(row({{columns}})::text collate "C", 0)), 16, '0')

-- name: key_list
${{number}}::{{type}}[]

-- name: one_key
{{columns}} = any({{lists}})

-- name: several_keys
({{columns}}) in (select * from unnest({{lists}}))

-- name: same_key
{{one}}::text collate "C" = {{other}}::text collate "C"

-- name: known_text
json_array_elements_text(${{number}}::json)

-- name: known_key
json_array_elements_text(${{number}}::json)::{{type}}

-- name: create_table
-- Unlogged: no log is written, and what a crash of the server empties is seen by its number of rows and made again.
create unlogged table
