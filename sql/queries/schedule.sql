-- Ticks and what follows from them.

-- name: claim_tick
-- Makes a tick fire once however many schedulers run. A signal whose last poll is still under way skips the tick, and
-- says so; a poll that has been silent for longer than it could take does not count.
insert into polls (signal, scheduled_for, cause, state, reason, finished_at)
select
  :signal, :scheduled_for::timestamptz, :cause,
  (case when busy.since is null and paused.reason is null then 'queued' else 'skipped' end)::poll_state,
  case
    when paused.reason is not null then 'signal paused: ' || paused.reason
    when busy.since is not null then 'the poll of ' || to_char(busy.since at time zone 'utc', 'HH24:MI:SS"Z"') || ' is still under way'
  end,
  case when busy.since is not null or paused.reason is not null then clock_timestamp() end
from (
  select max(scheduled_for) as since
  from polls
  where signal = :signal and state in ('queued', 'running')
    and coalesce(started_at, scheduled_for) > clock_timestamp() - make_interval(secs => :stale_seconds::float8)
) as busy
left join lateral (
  select coalesce(paused_reason, '') as reason from signals where name = :signal and paused_at is not null
) as paused on true
on conflict (signal, scheduled_for) do nothing
returning id, state, reason;

-- name: last_tick
select max(scheduled_for) as at from polls where signal = :signal and cause <> 'manual';

-- name: register_destination
insert into destinations (name, connection) values (:destination, :connection)
on conflict (name) do update set connection = excluded.connection
where destinations.connection is distinct from excluded.connection;

-- name: register_signal
insert into signals (name, version, shape) values (:signal, :version, '') on conflict (name) do nothing;
