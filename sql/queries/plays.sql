-- Plays: several actions of one message in an order.

-- name: steps
-- How the other steps of these actions' plays stand. Each message has one action for each destination.
select
  wanted.key, step.destination, step.state, step.settled_at is not null as settled, step.external_id, step.stopped_by,
  exists (
    select from actions as undoing
    where undoing.entity = step.entity and undoing.signal = step.signal and undoing.sequence = step.sequence
      and undoing.destination = step.destination || '.undo'
  ) as undone
from unnest(:keys::uuid[], :signals::text[], :entities::text[], :sequences::bigint[])
  as wanted (key, signal, entity, sequence)
join actions as step
  on step.entity = wanted.entity and step.signal = wanted.signal and step.sequence = wanted.sequence
  and step.destination = any(:steps::text[]);
