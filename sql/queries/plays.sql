-- Plays: several actions of one message in an order.

-- name: steps
-- How the other steps of these actions' plays stand. Each message has one action for each destination.
select
  wanted.key, step.destination, step.state, step.settled_at is not null as settled, step.external_id, step.sent,
  step.stopped_by,
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

-- name: call_off
-- The compensating step of these plays has ended without effect: what else of them has not been sent is not sent any
-- more. One that has a record already (a correction is due) goes on, and is undone after it.
with failed as (
  select actions.destination, actions.state, actions.signal, actions.entity, actions.sequence
  from unnest(:signals::text[], :entities::text[], :sequences::bigint[]) as ended (signal, entity, sequence)
  join actions
    on actions.entity = ended.entity and actions.signal = ended.signal and actions.sequence = ended.sequence
    and actions.destination = :destination
  where actions.state in ('rejected', 'dead', 'expired', 'superseded') and actions.external_id is null
)
update actions
set state = 'suppressed', due_at = null, settled_at = clock_timestamp(), stopped_by = failed.destination,
    reason = 'stopped: ' || failed.destination || ' is ' || failed.state
from failed
where actions.entity = failed.entity and actions.signal = failed.signal and actions.sequence = failed.sequence
  and actions.destination = any(:steps::text[])
  and actions.state in ('planned', 'held', 'ready') and actions.external_id is null;

-- name: plan_undo
-- One action for each step that has had its effect, or may have: what is still under way is waited for. Its key says what
-- it undoes, so that it is planned once. It is counted as detected by the poll of its message, for the undoing destination.
with failed as (
  select actions.destination, actions.state, actions.signal, actions.entity, actions.sequence
  from unnest(:signals::text[], :entities::text[], :sequences::bigint[]) as ended (signal, entity, sequence)
  join actions
    on actions.entity = ended.entity and actions.signal = ended.signal and actions.sequence = ended.sequence
    and actions.destination = :destination
  where actions.state in ('rejected', 'dead', 'expired', 'superseded') and actions.external_id is null
), step as (
  select * from jsonb_to_recordset(:undos) as s (destination text, undo text, ttl_seconds float8)
), planned as (
  insert into actions (
    key, message, poll, signal, destination, entity, sequence, transition, lane, state, reason,
    due_at, expires_at, detected_at, attempt_ids
  )
  select
    md5(done.message::text || chr(31) || step.undo)::uuid,
    done.message, done.poll, done.signal, step.undo, done.entity, done.sequence, done.transition, 0,
    (case when pause.reason is null then 'planned' else 'held' end)::action_state,
    coalesce(pause.reason, failed.destination || ' is ' || failed.state),
    case when pause.reason is null then clock_timestamp() end,
    clock_timestamp() + make_interval(secs => step.ttl_seconds), clock_timestamp(), array[nextval('attempt_ids')]
  from failed
  join actions as done
    on done.entity = failed.entity and done.signal = failed.signal and done.sequence = failed.sequence
  join step on step.destination = done.destination
  left join destinations on destinations.name = step.undo
  left join signals on signals.name = done.signal
  cross join lateral (
    select case
      when destinations.paused_at is not null then 'destination paused: ' || destinations.paused_reason
      when signals.paused_at is not null then 'signal paused: ' || signals.paused_reason
    end as reason
  ) as pause
  where done.external_id is not null or done.settled_at is null or done.state = 'escalated'
  on conflict (entity, signal, destination, sequence) do nothing
  returning attempt_ids[1] as attempt, poll, signal, destination, reason
), noted as (
  insert into attempts (id, kind, outcome, decision, reason)
  select attempt, 'command', 'undo', 'compensate', reason from planned
), opened as (
  insert into lanes (destination, lane) select distinct destination, 0 from planned
  on conflict (destination, lane) do nothing
), counted as (
  insert into detections (poll, destination, signal, detected)
  select poll, destination, signal, count(*) from planned group by poll, destination, signal
  on conflict (poll, destination) do update set detected = detections.detected + excluded.detected
)
select count(*) as planned from planned;
