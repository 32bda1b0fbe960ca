-- Functions of Snowflake that the compiled statements use and DuckDB does not have.
create macro md5_number_upper64(value) as (('0x' || left(md5(value), 16))::ubigint)::hugeint;
create macro md5_number_lower64(value) as (('0x' || right(md5(value), 16))::ubigint)::hugeint;
create macro parse_json(value) as value::json;
create macro get(value, place) as value::json ->> place;
