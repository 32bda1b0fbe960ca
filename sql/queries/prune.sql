-- What is old and done is counted by day, then deleted. Each statement looks at a bounded number of rows, in the order of
-- an index, begins where the last one ended, and does not look beyond the newest old poll. Counting and deleting are one transaction, so rule 9 holds throughout.

-- name: lock_step
-- One process prunes at a time, and nobody retries what is about to go.
with turn as materialized (
  select pg_try_advisory_xact_lock(hashtext('readback.prune'), 0) as ours
), seen as (
  select messages.entity, messages.sequence
  from polls
  join messages on messages.poll = polls.id
  where polls.signal = :signal and polls.scheduled_for < :before::timestamptz
    and (messages.poll, messages.entity, messages.sequence) > (:poll::bigint, :entity::text, :sequence::bigint)
    and messages.poll <= (select max(id) from polls where signal = :signal and scheduled_for < :before::timestamptz)
    and (select ours from turn)
  order by messages.poll, messages.entity, messages.sequence
  limit :limit::integer
), locked as (
  select
  from seen
  join actions on actions.entity = seen.entity and actions.signal = :signal and actions.sequence = seen.sequence
  for update of actions
)
select (select ours from turn) as ours, (select count(*) from locked) as locked;

-- name: prune_messages
-- A message goes with all its actions and their attempts (a shared one with the last that shares it), when it and whatever came before it for its entity has been
-- done since before then: a newer action must not go while an older one could still be retried and overwrite it. The
-- last record that a followed destination made stays while the entity is there: what follows works on it.
with seen as materialized (
  select messages.poll, messages.entity, messages.sequence
  from polls
  join messages on messages.poll = polls.id
  where polls.signal = :signal and polls.scheduled_for < :before::timestamptz
    and (messages.poll, messages.entity, messages.sequence) > (:poll::bigint, :entity::text, :sequence::bigint)
    and messages.poll <= (select max(id) from polls where signal = :signal and scheduled_for < :before::timestamptz)
  order by messages.poll, messages.entity, messages.sequence
  limit :limit::integer
), last as (
  select * from seen order by poll desc, entity desc, sequence desc limit 1
), free as materialized (
  select seen.*
  from seen
  where not exists (
      select from actions
      where actions.entity = seen.entity and actions.signal = :signal and actions.sequence <= seen.sequence
        and coalesce(actions.settled_at, 'infinity') >= :before::timestamptz
    )
    and not exists (
      select from messages
      where messages.entity = seen.entity and messages.signal = :signal and messages.sequence = seen.sequence
        and messages.detected_at >= :before::timestamptz
    )
    and not exists (
      select from actions as record
      where record.entity = seen.entity and record.signal = :signal and record.sequence = seen.sequence
        and record.destination = any(:followed::text[])
        and record.external_id is not null and record.state in ('verified', 'unverifiable', 'differs')
        and not exists (
          select from actions as newer
          where newer.entity = record.entity and newer.signal = record.signal
            and newer.destination = record.destination and newer.sequence > record.sequence
            and newer.external_id is not null and newer.state in ('verified', 'unverifiable', 'differs', 'accepted')
        )
        and (
          exists (select from entities where signal = :signal and entity = record.entity and present)
          or exists (
            select from actions as open
            where open.entity = record.entity and open.signal = record.signal and open.settled_at is null
          )
        )
    )
), gone as (
  delete from actions
  using free
  where actions.entity = free.entity and actions.signal = :signal and actions.sequence = free.sequence
  returning actions.attempt_ids, actions.poll, actions.destination, actions.state
), let_go as materialized (
  select id, count(*) as actions from gone cross join unnest(gone.attempt_ids) as made (id) group by id
), forgotten_attempts as (
  delete from attempts using let_go where attempts.id = let_go.id and attempts.actions <= let_go.actions
), remaining_attempts as (
  update attempts set actions = attempts.actions - let_go.actions
  from let_go
  where attempts.id = let_go.id and attempts.actions > let_go.actions
), forgotten_messages as (
  delete from messages
  using free
  where messages.entity = free.entity and messages.signal = :signal and messages.sequence = free.sequence
  returning messages.id
), counted as (
  insert into pruned_actions as known (day, signal, destination, state, actions)
  select
    (coalesce(polls.started_at, polls.scheduled_for) at time zone 'utc')::date, :signal, gone.destination, gone.state,
    count(*)
  from gone
  join polls on polls.id = gone.poll
  group by 1, 3, 4
  on conflict (day, signal, destination, state) do update set actions = known.actions + excluded.actions
)
select
  (select count(*) from seen) as seen,
  (select poll from last) as poll,
  (select entity from last) as entity,
  (select sequence from last) as sequence,
  (select count(*) from forgotten_messages) as messages,
  (select count(*) from gone) as actions,
  (select coalesce(sum(actions), 0)::bigint from let_go) as attempts;

-- name: prune_polls
-- Polls of which nothing is left; never a signal's newest, by which a missed tick is known.
with empty as (
  select polls.id
  from polls
  where polls.signal = :signal and polls.scheduled_for < :before::timestamptz
    and polls.state not in ('queued', 'running')
    and not exists (select from messages where messages.poll = polls.id)
    and polls.scheduled_for < (
      select coalesce(max(scheduled_for) filter (where cause in ('schedule', 'catch_up')), max(scheduled_for))
      from polls
      where signal = :signal
    )
  order by polls.scheduled_for
  limit :limit::integer
  for update of polls
), gone as (
  delete from detections using empty where detections.poll = empty.id
  returning detections.poll, detections.destination, detections.detected
), counted as (
  insert into pruned_detections as known (day, signal, destination, detected)
  select
    (coalesce(polls.started_at, polls.scheduled_for) at time zone 'utc')::date, :signal, gone.destination,
    sum(gone.detected)
  from gone
  join polls on polls.id = gone.poll
  group by 1, 3
  on conflict (day, signal, destination) do update set detected = known.detected + excluded.detected
)
select array_agg(id) as polls from empty;

-- name: delete_polls
-- Apart from their detections, which the constraint must not find any more.
delete from polls where id = any(:polls::bigint[]);

-- name: hold_numbering
-- A poll that is numbering entities is waited for, and the next waits for us.
select from signals where name = :signal for update;

-- name: forget_entities
-- Who has left, whose cooldown is over, and of whom nothing is left. Their highest number is remembered.
with seen as materialized (
  select entity, fired_at
  from entities
  where signal = :signal and not present and entity > :entity::text
  order by entity
  limit :limit::integer
), gone as (
  delete from entities
  using seen
  where entities.signal = :signal and entities.entity = seen.entity and not entities.present
    and coalesce(entities.fired_at, '-infinity')
      < least(:before::timestamptz, clock_timestamp() - make_interval(secs => :cooldown_seconds::float8))
    and not exists (select from messages where messages.entity = seen.entity and messages.signal = :signal)
  returning entities.sequence
), remembered as (
  update signals
  set forgotten_sequence = greatest(forgotten_sequence, (select max(sequence) from gone))
  where name = :signal
)
select (select count(*) from seen) as seen, (select max(entity) from seen) as entity, (select count(*) from gone) as entities;

-- name: known_signals
-- Also those whose files are gone.
select name from signals order by name;

-- name: cutoff
select (clock_timestamp() - make_interval(secs => :seconds::float8))::text as before;
