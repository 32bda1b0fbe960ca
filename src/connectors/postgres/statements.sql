-- All items of a call are one parameter: [{"key": <the action's>, "row": {<column>: <text>}}, …]. Every value is cast to
-- its column's type, without the type's length, so that a text which is too long is refused and not cut.

-- name: session
set statement_timeout = {{timeout_ms}}; set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set extra_float_digits = 1

-- name: value
(item -> 'row' ->> {{text}})::{{type}} as {{column}}

-- A blank is no number, date or JSON: for such columns it is null.
-- name: value_or_null
nullif(item -> 'row' ->> {{text}}, '')::{{type}} as {{column}}

-- The answer names the action of each row that was written, matched by the key as the column's type compares it. What a
-- trigger kept out is not in it.
-- name: upsert
with given as materialized (
  select item ->> 'key' as "readback: action", {{values}} from jsonb_array_elements($1::jsonb) as item
), written as (
  insert into {{table}} ({{columns}}) select {{columns}} from given
  on conflict ({{key}}) do update set {{updates}}
  returning {{key}}
)
select "readback: action" as action, {{id}} as id, 'applied' as kind from given join written using ({{key}})

-- A row that stood there when the statement began was written by an earlier attempt.
-- name: insert
with given as materialized (
  select item ->> 'key' as "readback: action", {{values}} from jsonb_array_elements($1::jsonb) as item
), written as (
  insert into {{table}} ({{columns}}) select {{columns}} from given
  on conflict ({{key}}) do nothing
  returning {{key}}
)
select "readback: action" as action, {{id}} as id, 'applied' as kind from given join written using ({{key}})
union all
select "readback: action", {{id}}, 'already' from given join {{table}} as standing using ({{key}})

-- One row for each item that was asked for, found or not.
-- name: read
with given as materialized (
  select item ->> 'key' as "readback: action", {{values}} from jsonb_array_elements($1::jsonb) as item
)
select "readback: action" as action, standing.{{first_key}} is not null as found, {{id}} as id, {{fields}} as fields
from given left join {{table}} as standing using ({{key}})

-- In the version that was read, where it was, and where no row of another table would be deleted or changed with it.
-- name: delete
with given as materialized (
  select (item -> 'row' ->> 'xmin')::xid as "readback: version", {{values}} from jsonb_array_elements($1::jsonb) as item
), cascading as materialized (
  select string_agg(distinct conrelid::regclass::text, ', ') as "readback: tables"
  from given join {{table}} as standing using ({{key}}) join pg_constraint on confrelid = standing.tableoid
  where contype = 'f' and confdeltype in ('c', 'n', 'd')
), deleted as (
  delete from {{table}} as standing using given, cascading
  where standing.{{first_key}} = given.{{first_key}} and "readback: tables" is null
    and standing.xmin = coalesce("readback: version", standing.xmin)
  returning standing.{{first_key}}
)
select
  exists (select from {{table}} as standing where standing.{{first_key}} = given.{{first_key}}) as stood,
  exists (select from deleted) as is_deleted, "readback: tables" as cascading
from given, cascading

-- name: update
{{column}} = excluded.{{column}}

-- name: one_id
{{column}}::text

-- name: id
jsonb_build_array({{columns}})::text

-- name: field
standing.{{column}}::text

-- name: fields
jsonb_build_array({{columns}})
