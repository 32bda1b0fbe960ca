-- What a person does to the ledger by hand: retry, pause, resume; and what `run` waits for.

-- name: now
select clock_timestamp() as at;

-- name: dead_letters
-- Ended without the effect, in the chosen states. One that a newer transition of its entity has overtaken is listed
-- but not sent again: the older state must not overwrite the newer.
select
  actions.key, actions.signal, actions.destination, actions.entity, actions.sequence, actions.transition, actions.state,
  actions.reason, actions.attempts, actions.detected_at, actions.settled_at,
  exists (
    select
    from actions as newer
    where newer.signal = actions.signal and newer.entity = actions.entity
      and newer.destination = actions.destination and newer.sequence > actions.sequence
  ) as overtaken
from actions
where actions.state = any(:states::action_state[])
  and actions.destination = any(:destinations::text[])
  and actions.signal = any(:signals::text[])
  and (cardinality(:only::text[]) = 0 or actions.entity = any(:only::text[]))
order by actions.detected_at, actions.signal, actions.entity, actions.destination;

-- name: retry
-- Back to `ready` with a fresh budget of attempts and a fresh ttl. The attempt row says that a person did it and why
-- the action had ended; the state is checked again, because the list was made before. The steps of its play that it had
-- stopped wait for it again.
with ttl as (
  select * from jsonb_to_recordset(:ttls) as t (destination text, seconds float8)
), letter as (
  select actions.entity, actions.signal, actions.destination, actions.sequence, actions.state, actions.reason
  from unnest(:signals::text[], :entities::text[], :destinations::text[], :sequences::bigint[])
    as chosen (signal, entity, destination, sequence)
  join actions using (entity, signal, destination, sequence)
), retried as (
  update actions
  set state = 'ready', attempts = 0, corrections = 0, absences = 0, reason = null, settled_at = null,
      attempt_ids = actions.attempt_ids || nextval('attempt_ids'),
      due_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => ttl.seconds)
  from letter
  join ttl using (destination)
  where actions.entity = letter.entity and actions.signal = letter.signal and actions.destination = letter.destination
    and actions.sequence = letter.sequence and actions.state in ('differs', 'rejected', 'escalated', 'expired', 'dead')
  returning
    actions.signal, actions.entity, actions.sequence, actions.destination,
    actions.attempt_ids[cardinality(actions.attempt_ids)] as attempt, concat_ws(': ', letter.state, letter.reason) as was
), revived as (
  update actions
  set state = 'planned', stopped_by = null, reason = null, settled_at = null,
      attempt_ids = actions.attempt_ids || nextval('attempt_ids'),
      due_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => ttl.seconds)
  from retried, ttl
  where actions.signal = retried.signal and actions.entity = retried.entity and actions.sequence = retried.sequence
    and actions.state = 'suppressed' and actions.stopped_by = retried.destination and actions.destination = ttl.destination
  returning actions.attempt_ids[cardinality(actions.attempt_ids)] as attempt, retried.destination as step
), told as (
  insert into attempts (id, kind, outcome, decision, reason)
  select attempt, 'command', 'revive', 'wait for ' || step, step || ' is tried again' from revived
), noted as (
  insert into attempts (id, kind, outcome, decision, reason)
  select attempt, 'command', 'retry', 'send again', was from retried
)
select count(*) as retried from retried;

-- name: known_names
-- Signals and destinations the ledger has seen, also those whose files are broken or gone.
select 'signal' as kind, name, paused_at is not null as paused, paused_reason from signals
union all
select 'destination', name, paused_at is not null, paused_reason from destinations
order by kind, name;

-- name: pause_signal
insert into signals (name, version, shape, paused_at, paused_reason)
values (:name, '', '', clock_timestamp(), :reason)
on conflict (name) do update set paused_at = excluded.paused_at, paused_reason = excluded.paused_reason;

-- name: pause_destination
insert into destinations (name, connection, paused_at, paused_reason)
values (:name, :connection, clock_timestamp(), :reason)
on conflict (name) do update set paused_at = excluded.paused_at, paused_reason = excluded.paused_reason;

-- name: hold
-- What has not been sent is held. What is being sent or read back goes on: its effect may be there already.
with made as materialized (
  select nextval('attempt_ids') as id, :kind::text || ' paused: ' || :reason::text as reason
), held as (
  update actions
  set state = 'held', due_at = null, reason = made.reason, attempt_ids = attempt_ids || made.id
  from made
  where state in ('planned', 'ready') and case :kind::text when 'signal' then signal else destination end = :name
  returning made.id
), noted as (
  insert into attempts (id, actions, kind, outcome, decision, reason)
  select made.id, count(*), 'command', 'pause', 'hold', made.reason from made join held using (id) group by 1, made.reason
)
select count(*) as held from held;

-- name: resume_signal
update signals set paused_at = null, paused_reason = null where name = :name and paused_at is not null returning name;

-- name: resume_destination
update destinations set paused_at = null, paused_reason = null
where name = :name and paused_at is not null returning name;

-- name: release
-- Due again, unless the other side is paused too, which is then the reason. The ttl went on during the pause: what is
-- too late now expires.
with held as (
  select
    actions.entity, actions.signal, actions.destination, actions.sequence,
    case
      when destinations.paused_at is not null then 'destination paused: ' || destinations.paused_reason
      when signals.paused_at is not null then 'signal paused: ' || signals.paused_reason
    end as pause
  from actions
  left join signals on signals.name = actions.signal
  left join destinations on destinations.name = actions.destination
  where actions.state = 'held'
    and case :kind::text when 'signal' then actions.signal else actions.destination end = :name
), made as materialized (
  select nextval('attempt_ids') as id
), released as (
  update actions
  set state = (case when held.pause is not null then 'held' when attempts = 0 then 'planned' else 'ready' end)::action_state,
      due_at = case when held.pause is null then clock_timestamp() end,
      reason = held.pause,
      attempt_ids = case when held.pause is null then attempt_ids || made.id else attempt_ids end
  from held, made
  where actions.entity = held.entity and actions.signal = held.signal and actions.destination = held.destination
    and actions.sequence = held.sequence and actions.state = 'held'
  returning made.id, actions.due_at
), noted as (
  insert into attempts (id, actions, kind, outcome, decision)
  select id, count(*), 'command', 'resume', 'go on' from released where due_at is not null group by id
)
select count(*) filter (where due_at is not null) as released, count(*) filter (where due_at is null) as held
from released;

-- name: open_work
-- What of some signals is still under way, and why it cannot go on when its connection rests.
select
  actions.destination,
  count(*) as open,
  greatest(0, extract(epoch from min(actions.due_at) - clock_timestamp()) * 1000)::float8 as next_in_ms,
  greatest(
    0,
    extract(epoch from greatest(
      max(connections.paused_until),
      max(connections.retry_at) filter (where connections.breaker <> 'closed')
    ) - clock_timestamp()) * 1000
  )::float8 as rests_ms,
  bool_or(coalesce(connections.breaker, 'closed') <> 'closed') as unreachable,
  coalesce(max(connections.last_error) filter (where connections.breaker <> 'closed'), max(connections.pause_reason))
    as rest_reason
from actions
join destinations on destinations.name = actions.destination
left join connections on connections.name = destinations.connection
where actions.due_at is not null and actions.signal = any(:signals::text[])
group by actions.destination
order by actions.destination;

-- name: run_outcomes
-- Where the actions of a run ended: those it detected, those it brought to an end, those still open.
select signal, destination, state, count(*) as actions
from actions
where signal = any(:signals::text[])
  and (detected_at >= :since::timestamptz or settled_at >= :since::timestamptz or due_at is not null)
group by signal, destination, state
order by signal, destination, state;

-- name: run_failures
-- Of the same actions, those that ended badly, newest first; so many that a person would read them.
select signal, destination, entity, state, reason
from actions
where signal = any(:signals::text[])
  and state in ('differs', 'rejected', 'escalated', 'expired', 'dead')
  and (detected_at >= :since::timestamptz or settled_at >= :since::timestamptz)
order by settled_at desc, key
limit :limit;
