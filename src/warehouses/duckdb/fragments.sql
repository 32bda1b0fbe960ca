-- Pieces of the other templates.

-- name: bucket
-- Stored in the ledger, so it may not move when DuckDB is upgraded: md5 is stable, `hash()` is not promised to be.
-- 1M keys take 150 ms of processor time (`hash` 30 ms, reading md5's hexadecimal digits 270 ms), as the remainder is one of
-- 32 bits: of md5's 128 bits it takes 4,500 ms. Small, because grouping by it then takes 10 ms instead of 90 ms.
((md5_number({{whole_key}}) & 4294967295)::uinteger % {{buckets}})::usmallint

-- name: hash
-- 1M rows of 5 columns: 8 ms, md5 of their texts 370 ms. Should an upgrade change it, every bucket is fetched once and
-- found equal by its fingerprints. 63 bits, for the ledger's bigint.
(hash({{columns}}) >> 1)::bigint

-- name: tracked
-- Length and text: ('a', 'bc') is not ('ab', 'c'), and null is not ''.
coalesce(strlen({{column}}::varchar) || ':' || {{column}}::varchar, 'n')

-- name: key_list
unnest(${{number}}::{{type}}[])

-- name: one_key
{{columns}} in (select {{lists}})

-- name: several_keys
({{columns}}) in (select {{lists}})

-- name: same_key
{{one}}::varchar = {{other}}::varchar

-- name: known_text
unnest(from_json(${{number}}::varchar, '["VARCHAR"]'))

-- name: known_key
unnest(from_json(${{number}}::varchar, '["VARCHAR"]')::{{type}}[])
