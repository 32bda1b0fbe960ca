-- Members of a signal: rows where `when` holds, or that `rearm` has not disarmed yet. Snowflake lets conditions see the names
-- of the result, so the rows are chosen in a query of their own, and the names are ones that nobody else uses.
select
  {{bucket}} as readback_bucket,
  {{armed}} as readback_armed,
  {{fingerprint}} as readback_fingerprint,
  {{hash}} as readback_hash,
  {{observed_at}} as readback_observed_at,
  {{keys}}
from (
select * from (
{{sql}}
) as source
where {{where}}
) as signal
