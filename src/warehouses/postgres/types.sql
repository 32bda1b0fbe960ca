-- The names of a result's column types, in the order of its columns.
select format_type(columns.type, columns.modifier) as name
from unnest($1::oid[], $2::int[]) with ordinality as columns (type, modifier, place)
order by place
