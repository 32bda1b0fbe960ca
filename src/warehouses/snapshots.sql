-- Sets of members in a place of the warehouse that may be written to. The same in every dialect that keeps some, but for
-- how a table is made.

-- name: create_snapshot
{{create_table}} {{name}} as
select bucket, armed, fingerprint, observed_at, {{keys}}, true as present
from (
{{members}}
) as members
where false

-- name: add_to_snapshot
insert into {{name}} ({{keys}}, fingerprint, present)
select known.*, true from (select {{known}}) as known

-- name: take_snapshot
{{create_table}} {{name}} as
select bucket, armed, fingerprint, observed_at, {{keys}}, true as present
from (
{{members}}
) as members

-- name: take_snapshot_after
-- Hysteresis: who is neither armed nor disarmed is in when they were in before.
{{create_table}} {{name}} as
select
  members.bucket, members.armed, members.fingerprint, members.observed_at, {{keys}},
  members.armed or known.fingerprint is not null as present
from (
{{members}}
) as members
left join {{previous}} as known on known.present and {{match}}

-- name: count_snapshot
select count(*) as members from {{name}} where present

-- name: inspect_snapshot
select
  count(*) as rows,
  count(*) filter (where present) as members,
  count(*) filter (where {{no_key}}) as null_keys,
  (
    select concat_ws(', ', {{key_texts}})
    from {{name}}
    where not ({{no_key}})
    group by {{key_texts}}
    having count(*) > 1
    limit 1
  ) as duplicate_key
from {{name}}

-- name: snapshot_differences
select taken.bucket, taken.armed, taken.fingerprint, null as hash, taken.observed_at, {{keys}}
from (select * from {{name}} where present) as taken
full join (select * from {{previous}} where present) as known on {{match}}
where taken.fingerprint is distinct from known.fingerprint

-- name: drop_snapshot
drop table if exists {{name}}
