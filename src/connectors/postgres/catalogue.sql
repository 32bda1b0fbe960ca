-- name: columns
select a.attname as name, format_type(a.atttypid, -1) as type, t.typcategory = 'S' as is_text,
  a.atthasdef or a.attidentity <> '' as has_default
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped

-- name: readiness
select
  to_regclass($1) is not null as exists,
  coalesce(has_table_privilege(to_regclass($1), 'select'), false) as may_select,
  coalesce(has_table_privilege(to_regclass($1), 'insert'), false) as may_insert,
  coalesce(has_table_privilege(to_regclass($1), 'update'), false) as may_update,
  coalesce(has_table_privilege(to_regclass($1), 'delete'), false) as may_delete,
  exists (
    select from pg_index i
    where i.indrelid = to_regclass($1) and i.indisunique and i.indisvalid
      and i.indpred is null and i.indexprs is null
      and (select array_agg(a.attname::text order by a.attname::text) from pg_attribute a
           where a.attrelid = i.indrelid and a.attnum = any (i.indkey[0:i.indnkeyatts - 1]))
          = (select array_agg(k order by k) from unnest($2::text[]) as k)
  ) as is_unique
