-- Pieces of the other templates.

-- name: key_text
{{column}}::varchar

-- name: bucket
-- Stored in the ledger, so it may not move when DuckDB is upgraded: md5 is stable, `hash()` is not promised to be.
-- 1M keys: this 104 ms, `md5_number_lower` 207 ms, `hash` 13 ms. Small, because grouping by it then takes 10 ms instead
-- of 90 ms.
(('0x' || left(md5(concat_ws('/', {{keys}})), 8))::ubigint % {{buckets}})::usmallint

-- name: hash
-- 1M rows of 5 columns: 8 ms, md5 of their texts 370 ms. Should an upgrade change it, every bucket is fetched once and
-- found equal by its fingerprints. 63 bits, for the ledger's bigint.
(hash({{columns}}) >> 1)::bigint

-- name: tracked
-- Length and text: ('a', 'bc') is not ('ab', 'c'), and null is not ''.
coalesce(strlen({{column}}::varchar) || ':' || {{column}}::varchar, 'n')

-- name: fingerprint
-- Stable over versions. 1M rows of 3 columns: 270 ms.
left(md5(concat({{columns}})), 16)

-- name: armed
coalesce((
{{when}}
), false)

-- name: holds
(
{{when}}
)

-- name: not_disarmed
((
{{when}}
) or not coalesce((
{{rearm}}
), false))

-- name: in_buckets
{{bucket}} in ({{only}})

-- name: time
{{column}}::timestamptz

-- name: no_time
null::timestamptz

-- name: key_list
unnest(${{number}}::{{type}}[])

-- name: one_key
{{columns}} in (select {{lists}})

-- name: several_keys
({{columns}}) in (select {{lists}})

-- name: same_key
{{one}}::varchar = {{other}}::varchar

-- name: no_key
{{column}} is null

-- name: known_text
unnest(from_json(${{number}}::varchar, '["VARCHAR"]'))

-- name: known_key
unnest(from_json(${{number}}::varchar, '["VARCHAR"]')::{{type}}[])

-- name: create_table
create table
