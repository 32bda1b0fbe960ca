-- The request budget (token bucket) and breaker of a connection, shared by all workers through one row.

-- name: register_connection
insert into connections (name, tokens) values (:connection, :capacity::float8) on conflict (name) do nothing;

-- name: draw
-- Takes up to `wanted` tokens, or says why not and for how long. In a breaker that is not closed, exactly one caller
-- at a time gets exactly one token: the probe.
with current as (
  select
    name, paused_until, pause_reason, breaker, failures, retry_at, probe_until, last_error,
    least(
      :capacity::float8,
      tokens + greatest(0, extract(epoch from clock_timestamp() - refilled_at)) * :per_second::float8
    ) as available,
    clock_timestamp() as at
  from connections
  where name = :connection
  for update
), decided as (
  select
    *,
    case
      when paused_until > at then 'paused'
      when breaker <> 'closed' and retry_at > at then 'open'
      when breaker <> 'closed' and probe_until > at then 'probing'
      when available < 1 then 'empty'
      when breaker <> 'closed' then 'probe'
      else 'granted'
    end as verdict
  from current
), granted as (
  select
    *,
    case verdict when 'granted' then least(floor(available), :wanted::float8) when 'probe' then 1 else 0 end as taken
  from decided
)
update connections
set tokens = granted.available - granted.taken,
    refilled_at = granted.at,
    breaker = case when granted.verdict = 'probe' then 'half_open' else connections.breaker end,
    probe_until = case
      when granted.verdict = 'probe' then granted.at + make_interval(secs => :probe_seconds::float8)
      else connections.probe_until
    end
from granted
where connections.name = granted.name
returning
  granted.verdict,
  granted.taken::integer as taken,
  granted.failures,
  case granted.verdict when 'paused' then granted.pause_reason else granted.last_error end as reason,
  ceil(1000 * case granted.verdict
    when 'paused' then extract(epoch from granted.paused_until - granted.at)
    when 'open' then extract(epoch from granted.retry_at - granted.at)
    when 'probing' then extract(epoch from granted.probe_until - granted.at)
    when 'empty' then (1 - granted.available) / :per_second::float8
    else 0
  end)::integer as wait_ms;

-- name: pause
-- A 429 pauses the connection on all workers. A shorter pause never shortens a longer one.
update connections
set paused_until = greatest(
      coalesce(paused_until, '-infinity'), clock_timestamp() + make_interval(secs => :pause_ms::float8 / 1000)
    ),
    pause_reason = :reason,
    tokens = 0, refilled_at = clock_timestamp(),
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

-- name: connection_states
select name, breaker, failures, last_error, pause_reason,
  greatest(0, extract(epoch from paused_until - clock_timestamp()) * 1000) as paused_ms,
  greatest(0, extract(epoch from retry_at - clock_timestamp()) * 1000) as retry_in_ms
from connections
order by name;
