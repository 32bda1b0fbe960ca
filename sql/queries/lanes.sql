-- What a lane worker does: take the lane, see what is due, commit intents, record outcomes and verdicts.
-- Every write carries the lane's epoch; `for share` makes it wait for, and lose to, a newer holder.

-- name: take_lane
-- Raising the epoch fences whoever held the lane before. A holder that is still there did not let go: it died, hangs, or
-- was never told that it had the lane. From another process that is alive nothing is taken: no row comes back.
-- The insert reads `earlier`, which is therefore read and locked first.
with earlier as (
  select holder, taken_at from lanes where destination = :destination and lane = :lane for update
), taken as (
  insert into lanes (destination, lane, epoch, holder, process, taken_at)
  select :destination, :lane, 1, :holder, :process, clock_timestamp()
  from (select count(*) from earlier) as locked
  on conflict (destination, lane) do update
  set epoch = lanes.epoch + 1, holder = excluded.holder, process = excluded.process, taken_at = excluded.taken_at
  where lanes.holder is null or lanes.process = excluded.process
    or not exists (select from alive_processes where id = lanes.process)
  returning epoch
)
select
  taken.epoch, earlier.holder as earlier_holder,
  (extract(epoch from clock_timestamp() - earlier.taken_at) * 1000)::float8 as held_ms
from taken
left join earlier on true;

-- name: let_go
-- A turn that ends in order. Nothing happens when another worker has taken the lane since.
update lanes set holder = null where destination = :destination and lane = :lane and epoch = :epoch;

-- name: lane_held
select exists (
  select from lanes where destination = :destination and lane = :lane and epoch = :epoch
) as held;

-- name: adopt_orphans
-- An intent of an earlier epoch without an outcome: its worker died between the two. It may have been sent.
with made as materialized (
  select nextval('attempt_ids') as id
), orphans as (
  update actions
  set state = 'unknown', due_at = clock_timestamp() + make_interval(secs => :lag_seconds::float8),
      attempts = attempts + 1, attempt_ids = attempt_ids || made.id, absences = 0,
      reason = 'the worker that sent it ended before the answer was recorded'
  from made
  where destination = :destination and lane = :lane and state = 'sending' and due_at is not null
    and exists (
      select from lanes
      where lanes.destination = :destination and lanes.lane = :lane and lanes.epoch = :epoch for share
    )
  returning made.id
), noted as (
  insert into attempts (id, actions, kind, outcome, decision, reason, epoch)
  select id, count(*), 'write', 'orphaned', 'unknown', 'no answer was recorded', :epoch from orphans group by id
)
select count(*) as adopted from orphans;

-- name: due
-- Oldest first. An action waits while an older one of its entity is still open, so that an older transition can
-- never overwrite a newer one. What is being sent is in somebody's hand, or becomes `unknown` when the lane is taken.
select
  actions.key, actions.message, actions.poll, actions.signal, actions.entity, actions.sequence, actions.transition, actions.state,
  actions.attempts, actions.corrections, actions.absences, actions.unread, actions.generation, actions.external_id, actions.locator,
  actions.sent, actions.reason, actions.observed_at, actions.detected_at,
  actions.expires_at <= clock_timestamp() as expired,
  -- since the last send or its acceptance: one that was sent again may have been accepted long ago
  extract(epoch from clock_timestamp() - greatest(actions.accepted_at, actions.sent_at)) * 1000 as waited_ms,
  polls.correlation
from actions
join polls on polls.id = actions.poll
where actions.destination = :destination and actions.lane = :lane and actions.due_at <= clock_timestamp()
  and actions.state <> 'sending'
  and (
    -- Nothing comes before an entity's first transition.
    actions.sequence = 1
    or not exists (
      select
      from actions as older
      where older.signal = actions.signal and older.entity = actions.entity
        and older.destination = actions.destination and older.sequence < actions.sequence and older.settled_at is null
    )
  )
order by actions.due_at
limit :limit;

-- name: parents
-- The record to work on: what the followed destination made last for the same entity up to this transition; none while
-- one is on its way, also where the destination has said yes and nobody has read it back. An id that was promised may be of
-- a record that does not come, or cannot be found yet, and an older record is not the one that is meant.
select
  wanted.key,
  upcoming.pending,
  (
    select parent.external_id
    from actions as parent
    where not upcoming.pending
      and parent.entity = wanted.entity and parent.signal = wanted.signal and parent.destination = :follows
      and parent.sequence <= wanted.sequence
      and parent.external_id is not null and parent.state in ('verified', 'unverifiable', 'differs')
    order by parent.sequence desc
    limit 1
  ) as parent_id,
  (
    select parent.state
    from actions as parent
    where parent.entity = wanted.entity and parent.signal = wanted.signal and parent.destination = :follows
      and parent.sequence <= wanted.sequence
    order by parent.sequence desc
    limit 1
  ) as last_state
from unnest(:keys::uuid[], :signals::text[], :entities::text[], :sequences::bigint[])
  as wanted (key, signal, entity, sequence)
cross join lateral (
  select exists (
    select
    from actions as parent
    where parent.entity = wanted.entity and parent.signal = wanted.signal and parent.destination = :follows
      and parent.sequence <= wanted.sequence
      and parent.settled_at is null
  ) as pending
) as upcoming;

-- name: commit_intents
-- Nothing leaves the process before this has committed. Returns the keys that may be sent: not those that were
-- superseded or expired meanwhile, and none at all when the lane has a newer holder.
with lane as (
  select from lanes where destination = :destination and lane = :lane and epoch = :epoch for share
), made as materialized (
  select nextval('attempt_ids') as id
), intent as materialized (
  -- Lists, and the destination as a column, so that there is nothing to find an action by but all of its primary key: of a
  -- small table the planner would rather read all of one destination, and keep to it while the table grows.
  select
    item.signal, item.entity, item.sequence, :destination::text as destination,
    :facts::jsonb -> (item.place - 1)::integer -> 0 as sent, :facts::jsonb -> (item.place - 1)::integer -> 1 as locator
  from unnest(:signals::text[], :entities::text[], :sequences::bigint[]) with ordinality
    as item (signal, entity, sequence, place)
), moved as (
  update actions
  set state = 'sending', sent_at = clock_timestamp(), sent = intent.sent,
      locator = intent.locator, absences = 0, reason = null, attempt_ids = actions.attempt_ids || made.id
  from intent, made
  where actions.entity = intent.entity and actions.signal = intent.signal and actions.destination = intent.destination
    and actions.sequence = intent.sequence and actions.state in ('planned', 'ready')
    and actions.expires_at > clock_timestamp() and exists (select from lane)
  returning actions.key, made.id
), noted as (
  insert into attempts (id, actions, kind, outcome, decision, epoch)
  select id, count(*), 'write', 'intent', 'send', :epoch from moved group by id
)
select key from moved;

-- name: record
-- Outcomes, verdicts and decisions of a wave, all the same shape: where the state machine took each action, and the calls
-- that led there. Most actions of a wave share both, so each is said once, at its number in a list, and each call is
-- one attempt of all actions that share it.
with lane as (
  select from lanes where destination = :destination and lane = :lane and epoch = :epoch for share
), call as materialized (
  select
    nextval('attempt_ids') as id, place, fact ->> 0 as kind, (fact ->> 1)::float8 as ago_ms,
    (fact ->> 2)::integer as duration_ms, fact ->> 3 as outcome, fact ->> 4 as decision, fact ->> 5 as reason
  from jsonb_array_elements(:calls) with ordinality as list (fact, place)
), step as materialized (
  select
    place, (fact ->> 0)::action_state as source, (fact ->> 1)::float8 as accepted_ago_ms,
    (fact ->> 2)::action_state as state, (fact ->> 3)::float8 as due_in_ms, (fact ->> 4)::boolean as settled,
    fact ->> 5 as reason, (fact ->> 6)::integer as attempts, (fact ->> 7)::integer as corrections,
    (fact ->> 8)::integer as absences, (fact ->> 9)::integer as unread, (fact ->> 10)::integer as generation,
    fact ->> 11 as stopped_by,
    array(
      select call.id
      from jsonb_array_elements_text(fact -> 12) with ordinality as made (number, turn)
      join call on call.place = made.number::bigint
      order by made.turn
    ) as attempt_ids,
    fact ->> 13 as signal
  from jsonb_array_elements(:steps) with ordinality as list (fact, place)
), move as materialized (
  -- By itself first, with the destination, as above.
  select item.entity, item.sequence, item.external_id, :destination::text as destination, step.*
  from unnest(:entities::text[], :sequences::bigint[], :external_ids::text[], :step_numbers::integer[])
    as item (entity, sequence, external_id, number)
  join step on step.place = item.number
), moved as (
  update actions
  set state = move.state,
      -- What is due now stays due as it was: an update that touches no index is the cheaper half.
      due_at = case
        when move.settled then null
        when move.due_in_ms = 0 then actions.due_at
        when move.due_in_ms is not null then clock_timestamp() + make_interval(secs => move.due_in_ms / 1000)
      end,
      settled_at = case when move.settled then clock_timestamp() end,
      accepted_at = case
        when move.accepted_ago_ms is null then actions.accepted_at
        else clock_timestamp() - make_interval(secs => move.accepted_ago_ms / 1000)
      end,
      reason = move.reason,
      stopped_by = move.stopped_by,
      -- A new generation means that the last answer was a lie, and so was the id it gave.
      external_id = case
        when move.generation > actions.generation then null else coalesce(move.external_id, actions.external_id)
      end,
      attempts = move.attempts,
      attempt_ids = actions.attempt_ids || move.attempt_ids,
      corrections = move.corrections,
      absences = move.absences,
      unread = move.unread,
      generation = move.generation
  from move
  where actions.entity = move.entity and actions.signal = move.signal and actions.destination = move.destination
    and actions.sequence = move.sequence and actions.state = move.source and exists (select from lane)
  returning move.place
), shared as (
  select unnest(step.attempt_ids) as id, taken.actions
  from (select place, count(*) as actions from moved group by place) as taken
  join step using (place)
), noted as (
  insert into attempts (id, actions, kind, at, outcome, decision, reason, duration_ms, epoch)
  select
    call.id, sum(shared.actions), call.kind, clock_timestamp() - make_interval(secs => call.ago_ms / 1000),
    call.outcome, call.decision, call.reason, call.duration_ms, :epoch
  from shared
  join call using (id)
  group by call.id, call.kind, call.ago_ms, call.outcome, call.decision, call.reason, call.duration_ms
)
select (select count(*) from moved) as recorded, exists (select from lane) as held;

-- name: lanes_due
-- Lanes with something to do now, on connections that may be called, that no other process alive is at. One index probe for
-- each lane. Of `warm` destinations also those without anything to do: somebody is to wait there for what a trigger
-- brings. `ours`: the epoch under which the process that asks has the lane.
select known.destination, known.lane, case when held.process = :process::uuid then held.epoch end as ours
from (
  select * from unnest(:destinations::text[], :lanes::smallint[]) as configured (destination, lane)
  union
  select destination, lane from lanes where destination = any(:destinations::text[])
) as known
join destinations on destinations.name = known.destination
left join connections on connections.name = destinations.connection
left join lanes as held
  on held.destination = known.destination and held.lane = known.lane and held.holder is not null
where (held.process is null or held.process = :process::uuid or held.process not in (select id from alive_processes))
  and (
    exists (
      select from actions
      where actions.destination = known.destination and actions.lane = known.lane and actions.due_at <= clock_timestamp()
    )
    or known.destination = any(:warm::text[])
  )
  and coalesce(connections.paused_until, '-infinity') <= clock_timestamp()
  and (
    coalesce(connections.breaker, 'closed') = 'closed'
    or (connections.retry_at <= clock_timestamp() and coalesce(connections.probe_until, '-infinity') <= clock_timestamp())
  );
