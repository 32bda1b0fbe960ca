-- The newest time anywhere in the source: a guard asks whether the source is fresh, not whether its members are.
select max({{observed_at}}) as newest_observed_at
from (
{{sql}}
) as source
