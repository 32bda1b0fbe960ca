-- What Amazon Redshift says in other words; https://docs.aws.amazon.com/redshift/latest/dg/ has the pages that are named here.

-- name: begin
-- A transaction sees one snapshot at either isolation level of Redshift's (r_BEGIN, c_serial_isolation). At most two more
-- digits of a float are known here (r_extra_float_digits).
begin read only;
set local statement_timeout = {{timeout_ms}};
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local extra_float_digits = 2

-- name: key_text
-- Joined by `||`: CONCAT takes two texts (r_CONCAT), and CONCAT_WS is not there.
coalesce({{column}}::varchar, '')

-- name: bucket
-- STRTOL reads hexadecimal digits as BIGINT (r_STRTOL); eight of them are 32 bits.
mod(strtol(left(md5({{keys}}), 8), 16), {{buckets}})

-- name: tracked
-- FNV_HASH takes every basic type (r_FNV_HASH), which a cast to text does not: there is none from BOOLEAN. It is hashed
-- again below, as the sums of FNV's own values do not change when two rows that are alike swap their last bytes.
case when {{column}} is null then 'n' else fnv_hash({{column}})::varchar end

-- name: hash
-- Sixty bits.
strtol(left(md5({{texts}}), 15), 16)

-- name: fingerprint
left(md5({{columns}}), 16)
