-- One row for each bucket that has members.
select readback_bucket, count(*) as readback_rows, sum(readback_hash) as readback_digest
from (
{{members}}
) as members
group by readback_bucket
