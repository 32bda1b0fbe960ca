-- What the demo tells at its end, read from the ledger alone.

-- name: detours
-- Actions whose way was not straight, grouped by their last trouble and what became of them.
with way as (
  select
    actions.destination, actions.entity, actions.state,
    (array_agg(attempts.outcome order by attempts.id desc))[1] as trouble,
    (array_agg(attempts.reason order by attempts.id desc))[1] as reason,
    (array_agg(attempts.decision order by attempts.id desc))[1] as decision,
    min(attempts.id) as first
  from actions
  join attempts on attempts.id = any(actions.attempt_ids)
  where attempts.outcome in ('throttled', 'ambiguous', 'missing', 'differs', 'rejected')
  group by actions.entity, actions.signal, actions.destination, actions.sequence
)
select
  destination, trouble, state, count(*) as actions, min(decision) as decision,
  (array_agg(entity order by first, entity))[1] as example, (array_agg(reason order by first, entity))[1] as reason
from way
group by destination, trouble, state
order by min(first), trouble, state;
