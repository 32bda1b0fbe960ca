-- The request budget and breaker of a connection, shared by all workers through one row.
--
-- The budget is one permit for each call that the vendor allows in a window. A permit is taken before a call and is free
-- again one window after its answer. The vendor counted the call somewhere in between, so two calls on one permit are
-- counted more than a window apart, and no window, sliding or fixed, holds more calls than there are permits: whatever
-- the network does, whatever the workers' clocks say. Only this database's clock is read; tests give their own as `now`.

-- name: register_connection
-- A limit that was changed keeps the permits that are free last.
insert into connections as known (name, permits)
values (:connection, array_fill('-infinity'::timestamptz, array[:permits::integer]))
on conflict (name) do update
set permits = (
  select array_agg(latest.free_at)
  from (
    select free_at
    from (select unnest(known.permits) as free_at union all select unnest(excluded.permits)) as either
    order by free_at desc
    limit :permits::integer
  ) as latest
)
where cardinality(known.permits) <> cardinality(excluded.permits);

-- name: draw
-- Takes up to `wanted` permits, or says why not and for how long. They are held until given back, and no longer than a
-- call could take: a worker that dies loses none for good. In a breaker that is not closed, exactly one caller at a time
-- gets exactly one permit: the probe. After a rest only a tenth goes out at once and the others by and by, because vendors
-- mind bursts that their limit would allow.
with current as (
  select
    name, permits, paused_until, pause_reason, breaker, failures, retry_at, probe_until, last_error, paced_until,
    coalesce(:now::timestamptz, clock_timestamp()) as at
  from connections
  where name = :connection
  for update
), paced as (
  select
    *,
    greatest(0, extract(epoch from paced_until - at))::float8 as ahead,
    (select min(free_at) from unnest(permits) as free_at) as free_at
  from current
), decided as (
  select
    *,
    case
      when paused_until > at then 'paused'
      when breaker <> 'closed' and retry_at > at then 'open'
      when breaker <> 'closed' and probe_until > at then 'probing'
      when free_at > at or ahead > (:burst::integer - 1) * :pace_seconds::float8 then 'empty'
      when breaker <> 'closed' then 'probe'
      else 'granted'
    end as verdict
  from paced
), chosen as (
  select coalesce(array_agg(number), '{}') as numbers, count(*) as taken
  from (
    select permit.number
    from decided, unnest(permits) with ordinality as permit (free_at, number)
    where verdict in ('granted', 'probe') and permit.free_at <= at
    order by permit.free_at
    limit (
      select case verdict
        when 'granted' then least(:wanted::integer, :burst::integer - ceil(ahead / :pace_seconds::float8))
        else 1
      end
      from decided
    )
  ) as free
), granted as (
  select decided.*, chosen.numbers, chosen.taken, at + make_interval(secs => :hold_seconds::float8) as held_until
  from decided, chosen
)
update connections
set permits = case
      when granted.taken = 0 then connections.permits
      else (
        select array_agg(
          case when permit.number = any(granted.numbers) then granted.held_until else permit.free_at end
          order by permit.number
        )
        from unnest(granted.permits) with ordinality as permit (free_at, number)
      )
    end,
    paced_until = case
      when granted.taken = 0 then connections.paced_until
      else granted.at + make_interval(secs => granted.ahead + granted.taken * :pace_seconds::float8)
    end,
    breaker = case when granted.verdict = 'probe' then 'half_open' else connections.breaker end,
    probe_until = case
      when granted.verdict = 'probe' then granted.at + make_interval(secs => :probe_seconds::float8)
      else connections.probe_until
    end
from granted
where connections.name = granted.name
returning
  granted.verdict,
  granted.numbers,
  -- As text: a Date would lose the microseconds by which a holder is known.
  granted.held_until::text as held_until,
  granted.failures,
  case granted.verdict when 'paused' then granted.pause_reason else granted.last_error end as reason,
  ceil(1000 * case granted.verdict
    when 'paused' then extract(epoch from granted.paused_until - granted.at)
    when 'open' then extract(epoch from granted.retry_at - granted.at)
    when 'probing' then extract(epoch from granted.probe_until - granted.at)
    -- What is under way may be answered at any time, and is then free a window later.
    when 'empty' then greatest(
      least(:window_seconds::float8, extract(epoch from greatest(granted.free_at, granted.at) - granted.at)),
      granted.ahead - (:burst::integer - 1) * :pace_seconds::float8
    )
    else 0
  end)::integer as wait_ms;

-- name: give_back
-- Free again one window from now, or at once when no call was made. Whoever holds a permit is known by the time until
-- which it was drawn: one that was held for too long may be another worker's by now, and is not touched.
update connections
set permits = (
  select array_agg(
    case
      when returned.number is null then permit.free_at
      when returned.used
        then coalesce(:now::timestamptz, clock_timestamp()) + make_interval(secs => :window_seconds::float8)
      else coalesce(:now::timestamptz, clock_timestamp())
    end
    order by permit.number
  )
  from unnest(permits) with ordinality as permit (free_at, number)
  left join unnest(:numbers::bigint[], :held_until::timestamptz[], :used::boolean[]) as returned (number, held_until, used)
    on returned.number = permit.number and returned.held_until = permit.free_at
)
where name = :connection;

-- name: pause
-- A 429 pauses the connection on all workers. A shorter pause never shortens a longer one.
update connections
set paused_until = greatest(
      coalesce(paused_until, '-infinity'), clock_timestamp() + make_interval(secs => :pause_ms::float8 / 1000)
    ),
    pause_reason = :reason,
    probe_until = null
where name = :connection;

-- name: report_success
update connections
set breaker = 'closed', failures = 0, retry_at = null, probe_until = null, last_error = null
where name = :connection and (breaker <> 'closed' or failures > 0);

-- name: report_failure
-- The breaker opens at the threshold, or at once for a failure that is certain to repeat (credentials); each failed
-- probe doubles the wait up to the cap. A call that was under way when it opened says nothing new: twenty of them
-- would otherwise make one bad second a wait of five minutes.
with failing as (
  select
    name, breaker, retry_at,
    failures + case when breaker = 'open' then 0 else 1 end as failures,
    breaker <> 'open' and (:at_once::boolean or breaker = 'half_open' or failures + 1 >= :threshold::integer) as opens
  from connections
  where name = :connection
  for update
)
update connections
set failures = failing.failures,
    last_error = :reason,
    probe_until = case when failing.opens then null else connections.probe_until end,
    breaker = case when failing.opens then 'open' else failing.breaker end,
    retry_at = case
      when failing.opens
        then clock_timestamp() + make_interval(
          secs => least(:cap_seconds::float8, :base_seconds::float8 * power(2, greatest(0, failing.failures - :threshold::integer)))
        )
      else failing.retry_at
    end
from failing
where connections.name = failing.name
returning connections.breaker, connections.failures,
  extract(epoch from connections.retry_at - clock_timestamp()) * 1000 as retry_in_ms;

-- name: end_rest
update connections set retry_at = clock_timestamp() where name = :connection and breaker = 'open';

-- name: connection_states
select name, breaker, failures, last_error, pause_reason,
  greatest(0, extract(epoch from paused_until - clock_timestamp()) * 1000) as paused_ms,
  greatest(0, extract(epoch from retry_at - clock_timestamp()) * 1000) as retry_in_ms
from connections
order by name;
