-- Pieces of the other templates, in GoogleSQL. JSON tells values apart: strings are quoted, null is null, and it takes
-- every type.

-- name: key_text
to_json_string({{column}})

-- name: bucket
-- Positive. FARM_FINGERPRINT is promised to stay as it is.
mod(farm_fingerprint(array_to_string([{{keys}}], '/')) & 0x7fffffffffffffff, {{buckets}})

-- name: hash
-- 63 bits, for the ledger's bigint.
farm_fingerprint(to_json_string(({{columns}}))) & 0x7fffffffffffffff

-- name: tracked
to_json_string({{column}})

-- name: fingerprint
-- Not FARM_FINGERPRINT: FORMAT writes a negative number as minus and hexadecimal digits.
substr(to_hex(md5(array_to_string([{{columns}}], ','))), 1, 16)

-- name: time
cast({{column}} as timestamp)

-- name: no_time
cast(null as timestamp)

-- name: key_list
@key_{{number}}[offset(place)]

-- name: one_key
-- Not a subquery: only a constant list lets BigQuery leave partitions and blocks unread.
{{columns}} in unnest(@key_1)

-- name: several_keys
struct({{columns}}) in (
  select struct({{lists}}) from unnest(generate_array(0, array_length(@key_1) - 1)) as place
)
