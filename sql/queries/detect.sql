-- Turns what the warehouse returned into transitions, messages and planned actions, in one transaction.

-- name: limit_waiting
-- For this transaction: what waits for a lock longer than that fails with 55P03.
select set_config('lock_timeout', :wait_ms::text, true);

-- name: wait_for_lock
-- Whoever waits here comes before whoever tries later. The lock outlives the transaction.
select pg_advisory_lock(hashtext('readback.poll'), hashtext(:signal));

-- name: try_lock
-- One poll of a signal at a time, over all machines. The lock lives as long as the session.
select pg_try_advisory_lock(hashtext('readback.poll'), hashtext(:signal)) as locked;

-- name: unlock
select pg_advisory_unlock(hashtext('readback.poll'), hashtext(:signal));

-- name: known_signal
select
  baselined_at is not null and shape = :shape as comparable,
  paused_at is not null as paused,
  case when shape = :shape then snapshot end as snapshot,
  snapshot_members,
  snapshots
from signals
where name = :signal;

-- name: known_digests
select bucket, rows, members, digest::text as digest from buckets where signal = :signal;

-- name: sum_members
-- Counting the set itself reads an index of a million entries: 0.2 s, a fifth of a poll.
select coalesce(sum(members), 0)::bigint as members from buckets where signal = :signal;

-- name: count_members
select count(*) as members from entities where signal = :signal and present;

-- name: known_entities
-- What the ledger knows of the buckets that changed, to be compared in the warehouse. A row for each bucket: 60,000 rows
-- would take the driver twice as long.
select bucket, json_agg(entity) as entities, json_agg(fingerprint) as fingerprints
from entities
where signal = :signal and present and bucket = any(:buckets::smallint[])
group by bucket;

-- name: present_entities
-- A page of the whole set, in the order of the primary key.
select entity, fingerprint
from entities
where signal = :signal and present and (:after::text is null or entity > :after::text)
order by entity
limit :limit::integer;

-- name: announce_snapshot
-- Before the table is made, so that one whose maker dies is found and dropped.
insert into signals (name, version, shape, snapshots) values (:signal, :version, :shape, array[:snapshot::text])
on conflict (name) do update set snapshots = signals.snapshots || excluded.snapshots;

-- name: old_snapshots
select announced.name from signals, unnest(snapshots) as announced (name)
where signals.name = :signal and announced.name is distinct from signals.snapshot;

-- name: forget_snapshot
-- It is dropped.
update signals set snapshots = array_remove(snapshots, :snapshot::text) where name = :signal;

-- name: create_incoming
create temp table if not exists incoming (
  entity text,
  bucket smallint,
  armed boolean,
  fingerprint text,
  hash bigint,
  observed_at timestamptz
);

-- name: create_moves
create temp table if not exists moves (
  entity text,
  bucket smallint,
  transition transition,
  fingerprint text,
  observed_at timestamptz
);

-- name: create_fresh
create temp table if not exists fresh (
  id uuid,
  entity text,
  sequence bigint,
  transition transition,
  observed_at timestamptz,
  detected_at timestamptz,
  cooling boolean,
  fired_at timestamptz
);

-- name: clear_tables
truncate incoming, moves, fresh;

-- name: clear_moves
truncate moves, fresh;

-- name: delete_moves
-- What the look before has left. Tables that are emptied with each commit (`on commit delete rows`) cost the server 0.6 ms of
-- processor time, ten times this, and wait for the file system.
with gone as (delete from fresh)
delete from moves;

-- name: copy_incoming
copy incoming (entity, bucket, armed, fingerprint, hash, observed_at) from stdin;

-- name: analyze_incoming
-- Without it the planner guesses 1,000 rows and joins a million by nested loop.
analyze incoming;

-- name: faults_in_incoming
-- Guards: keys must be there and be unique.
select
  (select count(*) from incoming where entity is null) as null_keys,
  (select entity from incoming where entity is not null group by entity having count(*) > 1 limit 1) as duplicate_key;

-- name: register_signal
insert into signals (name, version, shape) values (:signal, :version, :shape)
on conflict (name) do update set version = excluded.version
where signals.version is distinct from excluded.version;

-- name: forget_set
-- A new shape cannot be compared with the old set. Sequences and cooldowns stay.
with unset as (update entities set present = false where signal = :signal and present)
delete from buckets where signal = :signal;

-- name: mark_baselined
-- The snapshot in the warehouse, if there is one, holds the set of the ledger from this transaction on.
update signals
set baselined_at = clock_timestamp(), shape = :shape, version = :version,
    snapshot = :snapshot, snapshot_members = :snapshot_members::bigint
where name = :signal;

-- name: find_moves
-- The transition diff. Only buckets that were fetched are compared; a row that is neither armed nor known stays out
-- (hysteresis), a known row stays in until it is absent from what was fetched.
-- In the order of the entities, as everything that is made of the moves: each index then takes its entries side by side,
-- in half the time.
insert into moves (entity, bucket, transition, fingerprint, observed_at)
select
  coalesce(incoming.entity, known.entity) as entity,
  coalesce(incoming.bucket, known.bucket) as bucket,
  case
    when known.entity is null then 'entered'::transition
    when incoming.entity is null then 'left'::transition
    else 'changed'::transition
  end as transition,
  coalesce(incoming.fingerprint, known.fingerprint) as fingerprint,
  incoming.observed_at
from incoming
full join (
  select entity, bucket, fingerprint
  from entities
  where signal = :signal and present and (:every_bucket::boolean or bucket = any(:buckets::smallint[]))
) as known on known.entity = incoming.entity
where (known.entity is null and incoming.armed)
  or incoming.entity is null
  or incoming.fingerprint <> known.fingerprint
order by entity;

-- name: find_told_moves
-- The same where the warehouse has compared, and `incoming` holds only what differs; who has left has only a key there.
-- Looked up one by one: the planner would rather read the whole set, 0.6 s of a million for a thousand that differ.
insert into moves (entity, bucket, transition, fingerprint, observed_at)
select
  incoming.entity,
  coalesce(incoming.bucket, known.bucket),
  case
    when known.entity is null then 'entered'::transition
    when incoming.fingerprint is null then 'left'::transition
    else 'changed'::transition
  end,
  coalesce(incoming.fingerprint, known.fingerprint),
  incoming.observed_at
from incoming
left join lateral (
  select entity, bucket, fingerprint
  from entities
  where signal = :signal and entity = incoming.entity and present
  limit 1
) as known on true
where case when known.entity is null then incoming.armed else incoming.fingerprint is distinct from known.fingerprint end
order by incoming.entity;

-- name: known_to_look
-- What a look compares with, and the number of its poll: drawn before, so that all it writes can be sent at once.
select
  baselined_at is not null and shape = :shape as comparable, paused_at is not null as paused,
  nextval(pg_get_serial_sequence('polls', 'id')) as poll
from signals
where name = :signal;

-- name: known_among
select entity, bucket, fingerprint from entities where signal = :signal and entity = any(:entities::text[]) and present;

-- name: take_moves
-- What a look found. For this transaction: whoever commits it does not wait for the disk. A ledger server that crashes
-- within the next half second forgets it as a whole, and the next poll finds it again; whatever is committed later, such as
-- the intent to send what was found, takes it to the disk first.
with lazily as materialized (select set_config('synchronous_commit', 'off', true))
insert into moves (entity, bucket, transition, fingerprint, observed_at)
select moved.*
from lazily, unnest(
  :entities::text[], :buckets::smallint[], :transitions::transition[], :fingerprints::text[], :observed::timestamptz[]
) as moved (entity, bucket, transition, fingerprint, observed_at)
order by moved.entity;

-- name: keep_only
-- `run --only`: the other entities' transitions are left for the next poll to find.
delete from moves where not entity = any(:only::text[]);

-- name: count_moves
select
  count(*) filter (where transition = 'entered') as entered,
  count(*) filter (where transition = 'changed') as changed,
  count(*) filter (where transition = 'left') as departed
from moves;

-- name: apply_moves
-- The new set. The sequence rises with every transition, also one that no message is made of. Whom the ledger has
-- forgotten, or never knew, begins above all that were forgotten; the lock waits for who is just forgetting.
-- Who is new conflicts with nobody, as one transaction at a time numbers a signal's entities: an insert that has to look out
-- for conflicts takes half as long again.
with forgotten as (
  select forgotten_sequence as sequence from signals where name = :signal for share
), moved as materialized (
  select
    moves.entity, moves.bucket, moves.transition <> 'left' as present, moves.fingerprint, known.entity is null as new,
    forgotten.sequence + case when :silent::boolean and not moves.entity = any(:only::text[]) then 0 else 1 end as sequence
  from moves
  cross join forgotten
  left join lateral (
    select entity from entities where signal = :signal and entity = moves.entity limit 1
  ) as known on true
  order by moves.entity
), welcomed as (
  insert into entities (signal, entity, bucket, present, fingerprint, sequence)
  select :signal, entity, bucket, present, fingerprint, sequence from moved where new
)
insert into entities as known (signal, entity, bucket, present, fingerprint, sequence)
select :signal, entity, bucket, present, fingerprint, sequence from moved where not new
on conflict (signal, entity) do update
set present = excluded.present,
    bucket = excluded.bucket,
    fingerprint = excluded.fingerprint,
    sequence = known.sequence + excluded.sequence - (select sequence from forgotten);

-- name: forget_buckets
delete from buckets where signal = :signal and (:every_bucket::boolean or bucket = any(:buckets::smallint[]));

-- name: store_buckets
-- The digest covers all that was fetched, also rows that hysteresis neither lets in nor out; `members` counts the set.
insert into buckets (signal, bucket, rows, members, digest)
select :signal, fetched.bucket, fetched.rows, coalesce(present.members, 0), fetched.digest
from (select bucket, count(*) as rows, sum(hash) as digest from incoming group by bucket) as fetched
left join (
  select bucket, count(*) as members
  from entities
  where signal = :signal and present and (:every_bucket::boolean or bucket = any(:buckets::smallint[]))
  group by bucket
) as present using (bucket);

-- name: spoil_buckets
-- With `--only` the set is neither the old one nor the one that was found. No digest of a warehouse is negative, so these
-- buckets are compared again, also when the warehouse has nobody in them any more.
insert into buckets (signal, bucket, rows, members, digest)
select :signal, bucket, 0, count(*), -1
from entities
where signal = :signal and present and (:every_bucket::boolean or bucket = any(:buckets::smallint[]))
group by bucket;

-- name: store_told_buckets
-- The same where the warehouse has compared: it says the digests, and who was there before is known.
insert into buckets (signal, bucket, rows, members, digest)
select :signal, told.bucket, told.rows, told.present + coalesce(moved.balance, 0), told.digest
from unnest(:buckets::smallint[], :rows::bigint[], :present::bigint[], :digests::numeric[])
  as told (bucket, rows, present, digest)
left join (
  select bucket, sum(case transition when 'entered' then 1 when 'left' then -1 else 0 end) as balance
  from moves
  group by bucket
) as moved using (bucket);
-- name: record_look
-- A look at single entities that found something, as a poll that is over: it never was one that a tick must wait for.
-- The digests of their buckets no longer describe the set. No sum of hashes is negative, so the next poll fetches these
-- buckets; the count of members goes along. Who works lanes elsewhere is told with the commit.
with touched as (
  insert into buckets as known (signal, bucket, rows, members, digest)
  select
    :signal, bucket, 0,
    count(*) filter (where transition = 'entered') - count(*) filter (where transition = 'left'),
    -1
  from moves
  group by bucket
  on conflict (signal, bucket) do update set members = known.members + excluded.members, digest = -1
)
insert into polls (
  id, signal, scheduled_for, cause, state, started_at, finished_at, rows_read, entered, changed, departed
)
overriding system value
values (
  :poll, :signal, clock_timestamp(), 'trigger', 'done', clock_timestamp(), clock_timestamp(), :rows_read,
  :entered, :changed, :departed
)
returning pg_notify('readback_due', :news)::text as told;

-- name: number_moves
-- Messages in the making. The id depends on nothing but signal, version, entity and sequence; a cooldown is decided
-- here, against the last message that was let through.
insert into fresh (id, entity, sequence, transition, observed_at, detected_at, cooling, fired_at)
select
  md5(concat_ws(chr(31), :project::text, :signal::text, :version::text, moves.entity, known.sequence))::uuid,
  moves.entity, known.sequence, moves.transition, moves.observed_at, clock_timestamp(),
  moves.transition <> 'left'
    and known.fired_at > clock_timestamp() - make_interval(secs => :cooldown_seconds::float8) as cooling,
  known.fired_at
from moves
join entities as known on known.signal = :signal and known.entity = moves.entity
where moves.transition = any(:transitions::transition[])
order by moves.entity;

-- name: emit_messages
-- Messages are durable before anything else sees them.
insert into messages (id, poll, signal, version, entity, sequence, transition, severity, observed_at, detected_at)
select id, :poll::bigint, :signal, :version, entity, sequence, transition, :severity, observed_at, detected_at
from fresh
order by entity;

-- name: count_fresh
select count(*) as emitted, count(*) filter (where cooling) as cooling from fresh;

-- name: supersede
-- An action not yet sent is overtaken by a newer transition of its entity when its destination wants the newer one
-- too, or when the entity has left. What has left and comes back still needs its leaving: a ticket opened for the first
-- time is closed before the second is opened. One that was ever sent may have had its effect, also when a person gave it
-- new attempts: it goes its own way to the end, before the newer one.
with subscription as (
  select * from jsonb_to_recordset(:subscriptions) as s (destination text, transitions text[])
), overtaken as (
  update actions
  set state = 'superseded', due_at = null, settled_at = clock_timestamp(),
      reason = 'overtaken by ' || fresh.transition || ' (sequence ' || fresh.sequence || ')'
  from fresh
  left join subscription on true
  where actions.signal = :signal
    and actions.entity = fresh.entity
    and actions.destination = subscription.destination
    and actions.settled_at is null
    and actions.state in ('planned', 'ready', 'held')
    and actions.attempts = 0
    and not exists (
      select
      from attempts
      where attempts.id = any(actions.attempt_ids) and attempts.kind = 'command' and attempts.outcome = 'retry'
    )
    and not coalesce(fresh.cooling, false)
    and (
      fresh.transition::text = any(subscription.transitions)
      or (fresh.transition = 'left' and actions.transition <> 'left')
    )
  returning actions.destination, actions.entity, actions.sequence
)
select
  destination, count(*) as superseded,
  json_agg(json_build_object('signal', :signal::text, 'entity', entity, 'sequence', sequence))
    filter (where destination = any(:compensating::text[])) as compensating
from overtaken
group by destination;

-- name: plan_actions
-- Every message and destination that belong together become a row, also when the answer is no.
with subscription as (
  select *
  from jsonb_to_recordset(:subscriptions) as s (destination text, transitions text[], lanes integer, ttl_seconds float8)
), planned as (
  insert into actions (
    key, message, poll, signal, destination, entity, sequence, transition, lane, state, reason,
    due_at, settled_at, expires_at, observed_at, detected_at
  )
  select
    md5(fresh.id::text || chr(31) || subscription.destination)::uuid,
    fresh.id, :poll::bigint, :signal, subscription.destination, fresh.entity, fresh.sequence, fresh.transition,
    abs(hashtext(fresh.entity)::bigint) % subscription.lanes,
    verdict.state::action_state,
    verdict.reason,
    case when verdict.state = 'planned' then fresh.detected_at end,
    case when verdict.state = 'suppressed' then fresh.detected_at end,
    fresh.detected_at + make_interval(secs => subscription.ttl_seconds),
    fresh.observed_at, fresh.detected_at
  from fresh
  join subscription on fresh.transition::text = any(subscription.transitions)
  left join destinations on destinations.name = subscription.destination
  left join signals on signals.name = :signal
  cross join lateral (
    select
      case
        when fresh.cooling then 'suppressed'
        when coalesce(destinations.paused_at, signals.paused_at) is not null then 'held'
        else 'planned'
      end as state,
      case
        when fresh.cooling then 'cooldown: last acted on ' || to_char(fresh.fired_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        when destinations.paused_at is not null then 'destination paused: ' || destinations.paused_reason
        when signals.paused_at is not null then 'signal paused: ' || signals.paused_reason
      end as reason
  ) as verdict
  order by fresh.entity
  returning destination, lane
), opened as (
  -- A lane is known from its first action on, so that its work is found also when fewer lanes are configured later.
  insert into lanes (destination, lane) select distinct destination, lane from planned
  on conflict (destination, lane) do nothing
), counted as (
  insert into detections (poll, destination, signal, detected)
  select :poll::bigint, subscription.destination, :signal, count(*)
  from fresh
  join subscription on fresh.transition::text = any(subscription.transitions)
  group by subscription.destination
  -- A poll that committed and was begun again because its worker died may detect more.
  on conflict (poll, destination) do update set detected = detections.detected + excluded.detected
)
select count(*) as planned from planned;

-- name: rehearsed_pairs
-- What a rehearsal has planned, before it is rolled back.
select destination, count(*) as detected from actions where poll = :poll::bigint group by destination;

-- name: rehearsed_actions
select key, message, signal, destination, entity, sequence, transition, state, reason, observed_at, detected_at
from actions
where message in (select id from fresh order by entity, id limit :limit::integer)
order by entity, destination;

-- name: mark_fired
update entities
set fired_at = fresh.detected_at
from fresh
where entities.signal = :signal and entities.entity = fresh.entity and not coalesce(fresh.cooling, false)
  and fresh.transition <> 'left';

-- name: start_poll
insert into polls (signal, scheduled_for, cause, state, started_at)
values (:signal, coalesce(:scheduled_for::timestamptz, clock_timestamp()), :cause, 'running', clock_timestamp())
on conflict (signal, scheduled_for) do update
set state = 'running', started_at = clock_timestamp()
where polls.state in ('queued', 'running')
returning id, correlation, scheduled_for;

-- name: finish_poll
update polls
set state = :state::poll_state, reason = :reason, finished_at = clock_timestamp(), members = :members,
    rows_read = :rows_read, entered = :entered, changed = :changed, departed = :departed
where id = :poll::bigint;

-- name: forget_poll
-- A poll cut off by a drain has not been: its tick is missed, and caught up by whoever starts next.
delete from polls
where id = :poll::bigint
  and not exists (select from detections where poll = :poll::bigint)
  and not exists (select from messages where poll = :poll::bigint);
