-- Pieces of the other templates. Functions whose results are kept in the ledger are standard ones (MD5), never HASH, whose
-- values the vendor does not promise to keep.

-- name: key_text
coalesce({{column}}::varchar, '')

-- name: bucket
-- MD5_NUMBER_UPPER64 is a whole number from 0 to 2^64 - 1.
mod(md5_number_upper64(concat_ws('/', {{keys}})), {{buckets}})

-- name: hash
-- From 0 to 2^63 - 2, for the ledger's bigint.
mod(md5_number_lower64(concat({{texts}})), 9223372036854775807)

-- name: time
{{column}}::timestamp_tz

-- name: no_time
null::timestamp_tz

-- name: key_list
-- All keys are one JSON text, a list of lists: the protocol binds no arrays in a query.
get(place.value, {{number}} - 1)::varchar::{{type}}

-- name: one_key
{{columns}} in (select {{lists}} from table(flatten(input => parse_json(:1))) as place)

-- name: several_keys
({{columns}}) in (select {{lists}} from table(flatten(input => parse_json(:1))) as place)
