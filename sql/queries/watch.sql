-- The loop watching itself: who is at work, whether every schedule is followed by polls, and what nobody takes.

-- name: beat
-- A row that was forgotten while the process was cut off comes back.
insert into processes (id, role, host, pid, version) values (:id, :role, :host, :pid, :version)
on conflict (id) do update set seen_at = clock_timestamp()
returning (select max(version) from migrations) as schema;

-- name: leave
delete from processes where id = :id;

-- name: forget_silent
-- A process that was killed leaves its row behind. It is shown for a while, as somebody may wonder.
delete from processes where seen_at < clock_timestamp() - make_interval(secs => :seconds::float8);

-- name: processes
select
  role, host, pid, version, started_at, seen_at,
  (extract(epoch from clock_timestamp() - seen_at) * 1000)::float8 as silent_ms,
  -- Has said so lately. One that is not was killed, hangs, or is cut off.
  id in (select id from alive_processes) as alive
from processes
order by host, role, started_at, id;

-- name: polls
-- The last poll of each signal that its poller finished, whatever came of it; not those whose process died, nor those
-- that a trigger asked for, which tell nothing of the schedule. `followed_since`: the first tick that a schedule fired, so
-- that it is expected to go on.
select
  wanted.name as signal, signals.paused_reason, last.state, last.reason, last.finished_at,
  clock_timestamp() as at,
  (
    select min(scheduled_for) from polls where polls.signal = wanted.name and cause in ('schedule', 'catch_up')
  ) as followed_since
from unnest(:signals::text[]) with ordinality as wanted (name, position)
left join signals on signals.name = wanted.name and signals.paused_at is not null
left join lateral (
  select state, reason, finished_at
  from polls
  where polls.signal = wanted.name and cause <> 'trigger' and state in ('baseline', 'done', 'held', 'failed')
    and rows_read is not null
  order by scheduled_for desc
  limit 1
) as last on true
order by wanted.position;

-- name: work
-- What is open for each destination, and what keeps it from being sent.
select
  destinations.name as destination, destinations.paused_reason,
  coalesce(waiting.open, 0) as open, coalesce(waiting.due, 0) as due, waiting.oldest_ms, held.lanes as lanes_held,
  greatest(0, extract(epoch from connections.paused_until - clock_timestamp()) * 1000)::float8 as rests_ms,
  connections.pause_reason as rest_reason,
  coalesce(connections.breaker, 'closed') as breaker,
  connections.last_error
from destinations
left join connections on connections.name = destinations.connection
left join (
  select
    destination, count(*) as open, count(*) filter (where due_at <= clock_timestamp()) as due,
    (extract(epoch from clock_timestamp() - min(due_at)) * 1000)::float8 as oldest_ms
  from actions
  where due_at is not null
  group by destination
) as waiting on waiting.destination = destinations.name
cross join lateral (
  select count(*) as lanes from lanes where lanes.destination = destinations.name and holder is not null
) as held
order by destinations.name;

-- name: lanes
-- Lanes that a worker is at, or was when it died.
select destination, lane, holder, taken_at,
  (extract(epoch from clock_timestamp() - taken_at) * 1000)::float8 as held_ms
from lanes
where holder is not null
order by destination, lane;

-- name: stuck
-- Due for long in a lane that nobody has taken for as long. A long backlog is not stuck: its lane is taken again and
-- again.
select
  actions.destination, count(*) as actions, min(actions.due_at) as due_at,
  (array_agg(actions.entity order by actions.due_at))[1] as example,
  (array_agg(lanes.holder order by actions.due_at))[1] as holder
from actions
left join lanes on lanes.destination = actions.destination and lanes.lane = actions.lane
where actions.due_at < clock_timestamp() - make_interval(secs => :seconds::float8)
  and coalesce(lanes.taken_at, '-infinity') < clock_timestamp() - make_interval(secs => :seconds::float8)
group by actions.destination
order by actions.destination;
