-- Ticks and what follows from them.

-- name: claim_tick
-- Makes a tick fire once however many schedulers run. A signal whose last poll is still under way skips the tick, and
-- says so. A poller holds the lock of `try_lock` (detect.sql) for as long as its session lives: a poll that is running
-- without it belongs to a process that died, and ends here. One that nobody began counts for as long as it could take.
with abandoned as (
  update polls
  set state = 'failed', finished_at = clock_timestamp(),
      reason = 'its process ended in the middle; the poll of '
        || to_char(:scheduled_for::timestamptz at time zone 'utc', 'HH24:MI:SS"Z"') || ' looks again'
  where signal = :signal and state = 'running' and scheduled_for < :scheduled_for::timestamptz
    and not exists (
      select
      from pg_locks
      where locktype = 'advisory' and objsubid = 2
        and database = (select oid from pg_database where datname = current_database())
        and classid = hashtext('readback.poll')::oid and objid = hashtext(:signal)::oid
    )
  returning id
)
insert into polls (signal, scheduled_for, cause, state, reason, finished_at)
select
  :signal, :scheduled_for::timestamptz, :cause,
  (case when busy.since is null and paused.reason is null then 'queued' else 'skipped' end)::poll_state,
  case
    when paused.reason is not null then 'signal paused: ' || paused.reason
    when busy.since is not null then 'the poll of ' || to_char(busy.since at time zone 'utc', 'HH24:MI:SS"Z"')
      || case when busy.begun then ' is still under way' else ' still waits for a worker' end
  end,
  case when busy.since is not null or paused.reason is not null then clock_timestamp() end
from (
  select max(scheduled_for) as since, bool_or(state = 'running') as begun
  from polls
  -- One that a trigger asked for is waited for: it began before the tick, and may not have seen what the tick is for.
  where signal = :signal and state in ('queued', 'running') and cause <> 'trigger'
    and id not in (select id from abandoned)
    and coalesce(started_at, scheduled_for) > clock_timestamp() - make_interval(secs => :stale_seconds::float8)
) as busy
left join lateral (
  select coalesce(paused_reason, '') as reason from signals where name = :signal and paused_at is not null
) as paused on true
on conflict (signal, scheduled_for) do nothing
returning id, state, reason;

-- name: ticks_open
-- Ticks whose poll nobody is at, nor waits for: it waits for a worker, or its worker died. Whoever polls, looks or waits to
-- has asked for the lock of `try_lock` (detect.sql).
select signal, to_char(scheduled_for at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "scheduledFor", cause
from polls
where signal = any(:signals::text[]) and state in ('queued', 'running') and cause in ('schedule', 'catch_up')
  and not exists (
    select
    from pg_locks
    where locktype = 'advisory' and objsubid = 2
      and database = (select oid from pg_database where datname = current_database())
      and classid = hashtext('readback.poll')::oid and objid = hashtext(signal)::oid
  )
order by scheduled_for;

-- name: last_tick
-- Up to now by the clock of whoever asks: ticks of a clock that was ahead for a while must not hide that one was missed.
select max(scheduled_for) as at
from polls
where signal = :signal and cause in ('schedule', 'catch_up') and scheduled_for <= :now::timestamptz;

-- name: register_destination
insert into destinations (name, connection) values (:destination, :connection)
on conflict (name) do update set connection = excluded.connection
where destinations.connection is distinct from excluded.connection;

-- name: register_signal
insert into signals (name, version, shape) values (:signal, :version, '') on conflict (name) do nothing;
