-- The report: what was detected, where every bit of it is now, how long it took and why the rest is not done.

-- name: activation
-- One statement, so that every number is of the same instant and rule 9 holds in it. `detected` is counted from the
-- polls and everything else from the actions; neither is derived from the other, so a lost action shows.
-- What has been pruned is there as counts by day; times, calls and reasons are those of what is still there.
-- A period is made of whole polls, and of whole days of what was pruned: detections have no time but their poll's, and an action belongs to the poll of its
-- message. Cutting by detected_at would tear the one poll that was running at `since` and make the sides disagree.
-- Times start at observed_at, but never after detected_at: a warehouse clock that is ahead must not make them negative.
with moment as (
  select coalesce(:now::timestamptz, statement_timestamp()) as at
), sla as (
  select * from jsonb_to_recordset(:slas) as s (signal text, sla_ms float8)
), detected as (
  select
    coalesce(signal, '') as signal, coalesce(destination, '') as destination,
    coalesce(sum(detected), 0)::bigint as detected
  from (
    select detections.signal, detections.destination, detections.detected
    from detections
    join polls on polls.id = detections.poll
    where (:since::timestamptz is null or polls.started_at >= :since)
    union all
    select signal, destination, detected
    from pruned_detections
    where (:since::timestamptz is null or day::timestamp at time zone 'utc' >= :since)
  ) as every
  where (:signals::text[] is null or signal = any(:signals))
    and (:destinations::text[] is null or destination = any(:destinations))
  group by grouping sets ((signal, destination), ())
), pruned as (
  select
    coalesce(signal, '') as signal, coalesce(destination, '') as destination,
    coalesce(sum(actions) filter (where state = 'verified'), 0)::bigint as verified,
    coalesce(sum(actions) filter (where state = 'unverifiable'), 0)::bigint as unverifiable,
    coalesce(sum(actions) filter (where state = 'differs'), 0)::bigint as differs,
    coalesce(sum(actions) filter (where state = 'suppressed'), 0)::bigint as suppressed,
    coalesce(sum(actions) filter (where state = 'escalated'), 0)::bigint as escalated,
    coalesce(sum(actions) filter (where state in ('rejected', 'dead')), 0)::bigint as failed,
    coalesce(sum(actions) filter (where state = 'expired'), 0)::bigint as expired,
    coalesce(sum(actions) filter (where state = 'superseded'), 0)::bigint as superseded
  from pruned_actions
  where (:since::timestamptz is null or day::timestamp at time zone 'utc' >= :since)
    and (:signals::text[] is null or signal = any(:signals))
    and (:destinations::text[] is null or destination = any(:destinations))
  group by grouping sets ((signal, destination), ())
), member as (
  select actions.*
  from actions
  where :since::timestamptz is null
    and (:signals::text[] is null or actions.signal = any(:signals))
    and (:destinations::text[] is null or actions.destination = any(:destinations))
  union all
  select actions.*
  from actions
  join polls on polls.id = actions.poll
  where polls.started_at >= :since
    -- A poll that was begun again after a crash keeps the messages of its first try, which are older than started_at.
    and actions.detected_at >= :since::timestamptz - interval '1 day'
    and (:signals::text[] is null or actions.signal = any(:signals))
    and (:destinations::text[] is null or actions.destination = any(:destinations))
), chosen as materialized (
  -- date_part gives float8; extract would give numeric, three times as slow over a million rows.
  select
    key, signal, destination, entity, sequence, state, reason, attempts, attempt_ids, settled_at, sla_ms,
    sent_at is not null as sent,
    due_at is not null as in_flight,
    date_part('epoch', moment.at - least(observed_at, detected_at)) * 1000 as age_ms,
    case when state = 'verified' then date_part('epoch', settled_at - least(observed_at, detected_at)) * 1000 end
      as total_ms,
    case when state = 'verified' and observed_at is not null
      then date_part('epoch', detected_at - least(observed_at, detected_at)) * 1000 end as insight_ms,
    case when state = 'verified' then date_part('epoch', sent_at - detected_at) * 1000 end as sent_ms,
    -- An acceptance older than the last write belongs to an earlier one; the last was never answered.
    case when state = 'verified' and accepted_at >= sent_at
      then date_part('epoch', accepted_at - sent_at) * 1000 end as accepted_ms,
    case when state = 'verified' and accepted_at >= sent_at
      then date_part('epoch', settled_at - accepted_at) * 1000 end as verified_ms
  from member
  cross join moment
  left join sla using (signal)
), counted as (
  select
    coalesce(signal, '') as signal, coalesce(destination, '') as destination,
    count(*) filter (where state = 'verified') as verified,
    count(*) filter (where state = 'unverifiable') as unverifiable,
    count(*) filter (where state = 'differs') as differs,
    count(*) filter (where state = 'suppressed') as suppressed,
    count(*) filter (where state = 'held') as held,
    count(*) filter (where state = 'escalated') as escalated,
    count(*) filter (where state in ('rejected', 'dead')) as failed,
    count(*) filter (where state = 'expired') as expired,
    count(*) filter (where state = 'superseded') as superseded,
    count(*) filter (where in_flight) as in_flight,
    count(*) filter (where in_flight and age_ms > coalesce(sla_ms, :delayed_after_ms::float8)) as delayed,
    count(*) filter (where state = 'verified' and total_ms <= sla_ms) as in_time,
    count(*) filter (
      where state in ('verified', 'differs', 'rejected', 'escalated', 'expired', 'dead') and sla_ms is not null
        or in_flight and age_ms > sla_ms
    ) as judged,
    count(*) filter (where sent) as sent,
    coalesce(max(attempts), 0) as most_writes
  from chosen
  group by grouping sets ((signal, destination), ())
), timed as (
  select
    coalesce(signal, '') as signal, coalesce(destination, '') as destination,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by total_ms) as total,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by insight_ms) as insight_to_detected,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by sent_ms) as detected_to_sent,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by accepted_ms) as sent_to_accepted,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by verified_ms) as accepted_to_verified
  from chosen
  where state = 'verified'
  group by grouping sets ((signal, destination), ())
), calls as (
  -- An intent is not a call, and a call that the destination or the breaker put off is not an attempt (rule 6).
  select
    coalesce(chosen.signal, '') as signal, coalesce(chosen.destination, '') as destination,
    count(*) filter (where attempts.kind = 'write' and attempts.outcome not in ('throttled', 'unavailable')) as writes,
    count(*) filter (where attempts.kind = 'read' and attempts.outcome not in ('throttled', 'unavailable')) as reads,
    count(*) filter (where attempts.outcome in ('throttled', 'unavailable')) as put_off
  from chosen
  cross join unnest(chosen.attempt_ids) as made (id)
  join attempts on attempts.id = made.id
  where attempts.outcome <> 'intent'
  group by grouping sets ((chosen.signal, chosen.destination), ())
), oldest as (
  select distinct on (signal, destination)
    signal, destination,
    jsonb_build_object('key', key, 'entity', entity, 'state', state, 'reason', reason, 'age_ms', age_ms) as oldest
  from chosen
  where settled_at is null
  order by signal, destination, age_ms desc, key
), summed as (
  -- The row of all pairs together has empty names.
  select
    signal, destination, detected, in_flight, held, delayed, in_time, judged, sent, most_writes,
    coalesce(counted.verified, 0) + coalesce(pruned.verified, 0) as verified,
    coalesce(counted.unverifiable, 0) + coalesce(pruned.unverifiable, 0) as unverifiable,
    coalesce(counted.differs, 0) + coalesce(pruned.differs, 0) as differs,
    coalesce(counted.suppressed, 0) + coalesce(pruned.suppressed, 0) as suppressed,
    coalesce(counted.escalated, 0) + coalesce(pruned.escalated, 0) as escalated,
    coalesce(counted.failed, 0) + coalesce(pruned.failed, 0) as failed,
    coalesce(counted.expired, 0) + coalesce(pruned.expired, 0) as expired,
    coalesce(counted.superseded, 0) + coalesce(pruned.superseded, 0) as superseded,
    total, insight_to_detected, detected_to_sent, sent_to_accepted, accepted_to_verified,
    writes, reads, put_off, oldest
  from detected
  full join counted using (signal, destination)
  full join pruned using (signal, destination)
  left join timed using (signal, destination)
  left join calls using (signal, destination)
  left join oldest using (signal, destination)
), explained as (
  -- Reasons that differ only in an id, a time or an address are one reason; whole texts first, as most repeat.
  select
    signal, destination, kind,
    regexp_replace(
      reason, '\d{4}-\d\d-\d\dT[\d:.]+Z?|[[:xdigit:]]{8}-[[:xdigit:]-]{27}|[^\s@]+@[^\s@]+|\d{4,}', '…', 'g'
    ) as reason,
    sum(count)::bigint as count, min(first) as first, max(last) as last
  from (
    select signal, destination, kind, reason, count(*) as count, min(entity) as first, max(entity) as last
    from (
      select
        signal, destination, entity,
        case
          when in_flight and age_ms > coalesce(sla_ms, :delayed_after_ms::float8) then 'delayed'
          when in_flight then 'in_flight'
          when state in ('rejected', 'dead') then 'failed'
          else state::text
        end as kind,
        case when in_flight then concat_ws(': ', state, reason) else coalesce(reason, 'no reason recorded') end as reason
      from chosen
      where state <> 'verified'
    ) as open_or_failed
    group by signal, destination, kind, reason
  ) as exact
  group by 1, 2, 3, 4
), ranked as (
  select *, row_number() over (partition by signal, destination, kind order by count desc, reason) as rank
  from explained
), letters as (
  select
    actions.key, actions.signal, actions.destination, actions.entity, actions.state, actions.reason, actions.attempts,
    actions.external_id, actions.detected_at, actions.settled_at
  from (
    select entity, signal, destination, sequence
    from chosen
    where state in ('differs', 'rejected', 'escalated', 'expired', 'dead')
    order by settled_at desc, key
    limit :dead_letters
  ) as latest
  join actions using (entity, signal, destination, sequence)
)
select
  moment.at,
  (select jsonb_agg(to_jsonb(summed) order by signal, destination) from summed) as rows,
  (
    select jsonb_agg(to_jsonb(ranked) order by signal, destination, kind, rank) from ranked where rank <= :reasons::bigint
  ) as reasons,
  (select jsonb_agg(to_jsonb(letters) order by settled_at desc, key) from letters) as dead_letters
from moment;

-- name: polls
-- How the polls of the period ended, and why those that were held, failed or skipped did not look.
select
  signal, state, case when state in ('held', 'failed', 'skipped') then coalesce(reason, 'no reason recorded') end as reason,
  count(*) as count,
  max(coalesce(finished_at, started_at, scheduled_for)) as latest_at
from polls
where (:since::timestamptz is null or coalesce(started_at, finished_at, scheduled_for) >= :since)
  and (:signals::text[] is null or signal = any(:signals))
group by 1, 2, 3
order by signal, state, count desc, latest_at desc;

-- name: stopped_connections
-- Connections that may not be called now, and whom that stops.
select
  connections.name as connection,
  case when connections.paused_until > moment.at then connections.paused_until end as paused_until,
  case when connections.paused_until > moment.at then connections.pause_reason end as paused_reason,
  connections.breaker,
  case when connections.breaker <> 'closed' then connections.retry_at end as retry_at,
  case when connections.breaker <> 'closed' then connections.last_error end as last_error,
  connections.failures,
  array(
    select destinations.name
    from destinations
    where destinations.connection = connections.name
      and (:destinations::text[] is null or destinations.name = any(:destinations))
    order by destinations.name
  ) as destinations
from connections
cross join (select coalesce(:now::timestamptz, statement_timestamp()) as at) as moment
where (connections.paused_until > moment.at or connections.breaker <> 'closed')
  and (
    :destinations::text[] is null
    or exists (
      select from destinations
      where destinations.connection = connections.name and destinations.name = any(:destinations)
    )
  )
order by connections.name;

-- name: paused
-- What a person has paused.
select 'signal' as kind, name, paused_at, paused_reason
from signals
where paused_at is not null and (:signals::text[] is null or name = any(:signals))
union all
select 'destination', name, paused_at, paused_reason
from destinations
where paused_at is not null and (:destinations::text[] is null or name = any(:destinations))
order by kind desc, name;

-- name: unaccounted
-- Rule 9: pairs for which what was detected and what became of it do not add up.
select signal, destination, detected, unaccounted
from balance
where unaccounted <> 0
order by signal, destination;

-- name: orphans
-- Rows that lost the row they belong to. Each is the trace of a write outside of Readback, or of a bug in it.
select 'action without message' as kind, count(*) as count, min(actions.key::text) as example
from actions
where not exists (
  select from messages
  where messages.entity = actions.entity and messages.signal = actions.signal and messages.sequence = actions.sequence
    and messages.id = actions.message
)
having count(*) > 0
union all
select 'action without poll', count(*), min(actions.key::text)
from actions
where not exists (select from polls where polls.id = actions.poll)
having count(*) > 0
union all
select
  case when attempts.actions > coalesce(named.actions, 0) then 'attempt without action' else 'action without attempt' end as kind,
  sum(abs(coalesce(attempts.actions, 0) - coalesce(named.actions, 0)))::bigint, min(id::text)
from attempts
full join (
  select id, count(*) as actions from actions cross join unnest(attempt_ids) as made (id) group by id
) as named using (id)
where attempts.actions is distinct from named.actions
group by 1
union all
select 'message without poll', count(*), min(messages.id::text)
from messages
where not exists (select from polls where polls.id = messages.poll)
having count(*) > 0;
