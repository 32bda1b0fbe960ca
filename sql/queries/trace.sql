-- One entity's whole story.

-- name: memberships
-- Which signals know the entity, and whether it meets them now. By way of the signals, so that the key's index serves.
select entities.signal, entities.entity, entities.present, entities.sequence, entities.fired_at
from signals
join entities on entities.signal = signals.name
where entities.entity = any(:entities::text[]) and (:signal::text is null or signals.name = :signal)
order by entities.signal, entities.entity;

-- name: messages
-- The newest, and how many there are in all.
select
  messages.id, messages.signal, messages.version, messages.entity, messages.sequence, messages.transition,
  messages.severity, messages.observed_at, messages.detected_at,
  polls.id as poll, polls.cause, polls.correlation,
  count(*) over () as total
from messages
left join polls on polls.id = messages.poll
where messages.entity = any(:entities::text[])
  and (:signal::text is null or messages.signal = :signal)
  and (
    :destination::text is null
    or exists (
      select from actions
      where actions.entity = messages.entity and actions.signal = messages.signal
        and actions.destination = :destination and actions.message = messages.id
    )
  )
order by messages.detected_at desc, messages.signal, messages.sequence desc
limit :limit;

-- name: actions
-- Also those whose message is gone: they are part of the story.
select
  key, message, signal, destination, entity, sequence, transition, state, reason, due_at, expires_at, attempts,
  attempt_ids, corrections, external_id, observed_at, detected_at, sent_at, accepted_at, settled_at
from actions
where entity = any(:entities::text[])
  and (:signal::text is null or signal = :signal)
  and (:destination::text is null or destination = :destination)
order by detected_at desc, destination, key
limit :limit;

-- name: attempts
select id, at, kind, outcome, decision, reason, duration_ms, epoch from attempts where id = any(:ids::bigint[]);

-- name: near_entities
-- Entities that begin like what was asked for, longest common beginning first. One short index range for each length.
with tried as (
  select distinct left(candidate, size) as prefix, size
  from unnest(:entities::text[]) as candidate
  cross join lateral generate_series(greatest(1, (length(candidate) + 1) / 2), least(length(candidate), 40)) as size
), near as (
  select found.entity, max(tried.size) as size
  from tried
  cross join lateral (
    select entity from messages where entity >= tried.prefix order by entity limit 20
  ) as found
  where starts_with(found.entity, tried.prefix)
  group by found.entity
)
select entity from near order by size desc, entity limit 5;
