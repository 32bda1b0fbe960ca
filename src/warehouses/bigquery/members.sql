-- Members of a signal: rows where `when` holds, or that `rearm` has not disarmed yet. HASH is a reserved word.
select
  {{bucket}} as bucket,
  {{armed}} as armed,
  {{fingerprint}} as fingerprint,
  {{hash}} as `hash`,
  {{observed_at}} as observed_at,
  {{keys}}
from (
{{sql}}
) as `signal`
where {{where}}
