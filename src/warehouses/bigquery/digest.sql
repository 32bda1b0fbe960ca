-- One row for each bucket that has members. A sum of INT64 overflows; NUMERIC holds ten billion hashes exactly. ROWS is
-- a reserved word.
select bucket, count(*) as `rows`, sum(cast(`hash` as numeric)) as digest
from (
{{members}}
) as members
group by bucket
