-- What Materialize says in other words; https://materialize.com/docs/sql/ has the pages that are named here.

-- name: begin
-- Always serializable (begin). Without a query of ours: the first one decides which schemas the transaction may read. Zone
-- and styles are UTC and ISO by default, and most cannot be set (set).
begin read only;
set local statement_timeout = '{{timeout_ms}}ms'

-- name: bucket
-- CRC32 is the one of zlib, and gives 32 bits without a sign (functions).
mod(crc32(concat_ws('/', {{keys}}))::bigint, {{buckets}})

-- name: hash
-- SEAHASH gives 64 bits without a sign (functions); 63 are for the ledger's bigint.
mod(seahash(concat({{texts}}))::numeric, 9223372036854775808)
