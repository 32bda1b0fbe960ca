-- The ledger. Words and states are those of src/README.md. Everything lives in the schema `readback`.

create type transition as enum ('entered', 'changed', 'left');

create type poll_state as enum ('queued', 'running', 'baseline', 'done', 'held', 'failed', 'skipped');

-- In the order of an action's life; src/ledger/state.ts has the moves, and a test holds the two together.
create type action_state as enum (
  'planned', 'held', 'suppressed', 'ready', 'sending', 'accepted', 'unknown',
  'verified', 'unverifiable', 'differs', 'rejected', 'escalated', 'expired', 'superseded', 'dead'
);

create table signals (
  name text primary key,
  version text not null,
  shape text not null,
  -- null until the first complete poll has recorded who is in the set; until then nothing is acted on
  baselined_at timestamptz,
  -- the highest sequence of an entity that was forgotten; who is new is numbered from there, so that no number returns
  forgotten_sequence bigint not null default 0,
  -- with `diff: warehouse`: the table in the warehouse that holds the present set, and how many are in it; null: none does
  snapshot text,
  snapshot_members bigint,
  -- every table that was announced and may be there: written down before it is made, so that none is forgotten
  snapshots text[] not null default '{}',
  paused_at timestamptz,
  paused_reason text
);

create table polls (
  id bigint generated always as identity primary key,
  signal text not null,
  -- the tick; one row for each tick makes it fire once, however many schedulers run
  scheduled_for timestamptz not null,
  cause text not null check (cause in ('schedule', 'catch_up', 'manual', 'trigger')),
  state poll_state not null default 'queued',
  reason text,
  correlation uuid not null default gen_random_uuid(),
  started_at timestamptz,
  finished_at timestamptz,
  members bigint,
  rows_read bigint,
  entered bigint,
  changed bigint,
  departed bigint,
  unique (signal, scheduled_for)
);
create index polls_open on polls (signal) where state in ('queued', 'running');

-- What the API and `readback poke` were asked for, until somebody has looked.
create table pokes (
  id bigint generated always as identity primary key,
  signal text not null,
  -- whom to look at; null: everyone
  entities text[],
  at timestamptz not null default clock_timestamp()
);

-- Who is, or once was, in a signal's set. Kept after leaving until nothing of it is left in the ledger and its cooldown
-- is over.
-- What names a signal or a poll by the million has no foreign key, as each would cost as much as an index: signals stay,
-- and polls go only when no message names them.
create table entities (
  signal text not null,
  entity text not null,
  bucket smallint not null,
  present boolean not null,
  fingerprint text not null,
  sequence bigint not null default 0,
  -- last time a message of this entity was let through, for the cooldown
  fired_at timestamptz,
  primary key (signal, entity)
);
create index entities_present on entities (signal, bucket) where present;
create index entities_absent on entities (signal, entity) where not present;

-- What the present set looked like per bucket of keys when it was last read; equal digests need no fetch.
create table buckets (
  signal text not null,
  bucket smallint not null,
  -- rows fetched, and how many of them are in the set: between `rearm` and `when` a row may be either
  rows bigint not null,
  members bigint not null,
  digest numeric not null,
  primary key (signal, bucket)
);

create table messages (
  -- deterministic: signal, version, entity and sequence; no index of its own, because what is random makes an index touch
  -- another page for each row, and with millions of rows most of them are not in memory
  id uuid not null,
  poll bigint not null,
  signal text not null,
  version text not null,
  entity text not null,
  sequence bigint not null,
  transition transition not null,
  severity text not null,
  observed_at timestamptz,
  detected_at timestamptz not null,
  primary key (entity, signal, sequence)
);
-- The order in which messages grow old.
create index messages_poll on messages (poll, entity, sequence);

create table destinations (
  name text primary key,
  connection text not null,
  paused_at timestamptz,
  paused_reason text
);

-- What each poll detected for each destination, counted apart from the actions so that the two can be compared.
create table detections (
  poll bigint not null references polls (id),
  destination text not null,
  signal text not null,
  detected bigint not null,
  primary key (poll, destination)
);

create table actions (
  -- deterministic: message and destination; the marker or unique value the destination sees; no index, like the message's
  key uuid not null,
  message uuid not null,
  -- the message's; that it exists is the message's to guarantee
  poll bigint not null,
  signal text not null,
  destination text not null,
  entity text not null,
  sequence bigint not null,
  transition transition not null,
  lane smallint not null,
  state action_state not null,
  reason text,
  -- the destination whose end without effect stopped this step of a play; null for every other reason to do nothing
  stopped_by text,
  -- when a worker should look at it next; null exactly when nobody needs to
  due_at timestamptz,
  expires_at timestamptz not null,
  attempts integer not null default 0,
  -- what was done for it, in its order: ids of attempts
  attempt_ids bigint[] not null default '{}',
  corrections integer not null default 0,
  -- consecutive reads, after the lag, that did not find the record
  absences integer not null default 0,
  -- consecutive reads that failed
  unread integer not null default 0,
  -- counts the times a record was proven absent although the destination had answered under its key
  generation integer not null default 0,
  external_id text,
  locator jsonb,
  -- digest of each field's canonical value, as last sent; never the value
  sent jsonb,
  observed_at timestamptz,
  detected_at timestamptz not null,
  sent_at timestamptz,
  accepted_at timestamptz,
  settled_at timestamptz,
  -- In the order in which a poll plans them and a worker takes them, so that neighbours are written together.
  primary key (entity, signal, destination, sequence),
  check ((due_at is null) = (state not in ('planned', 'ready', 'sending', 'accepted', 'unknown'))),
  check ((settled_at is null) = (state in ('planned', 'held', 'ready', 'sending', 'accepted', 'unknown')))
  -- Half of a page is left for updates in place: an action is updated twice or more, and due_at mostly stays as it is.
) with (fillfactor = 50);
create index actions_due on actions (destination, lane, due_at) where due_at is not null;
-- What is still open of an entity, without a look at each of its settled actions.
create index actions_open on actions (entity, signal, destination, sequence) where settled_at is null;
create index actions_detected on actions using brin (detected_at);

-- What was done for actions: what came back, what was decided and why. The actions of a batch for which all that is the same
-- share a row: one for each, with its index entry, made a quarter of the log records of an action.
create sequence attempt_ids;
create table attempts (
  id bigint primary key default nextval('attempt_ids'),
  -- how many have it in their `attempt_ids`; it goes with the last of them
  actions bigint not null default 1,
  kind text not null check (kind in ('write', 'read', 'command')),
  at timestamptz not null default clock_timestamp(),
  duration_ms integer,
  outcome text not null,
  decision text not null,
  reason text,
  epoch bigint
);

-- What has been pruned, by day of the poll (UTC): as for what is there, detected and acted are counted apart.
create table pruned_detections (
  day date not null,
  signal text not null,
  destination text not null,
  detected bigint not null,
  primary key (day, signal, destination)
);
create table pruned_actions (
  day date not null,
  signal text not null,
  destination text not null,
  state action_state not null,
  actions bigint not null,
  primary key (day, signal, destination, state)
);

-- A lane is worked by one worker at a time. Taking it raises the epoch, which fences whoever had it before.
create table lanes (
  destination text not null,
  lane smallint not null,
  epoch bigint not null default 0,
  -- who is at it, as people call it; null: nobody
  holder text,
  -- the process that the holder is part of: it keeps the lane for as long as that is alive
  process uuid,
  taken_at timestamptz,
  primary key (destination, lane)
);

-- The processes at work. Each says every few seconds that it is there, and takes its row with it when it ends in order.
create table processes (
  id uuid primary key,
  role text not null,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);

-- Those that have missed fewer than five beats. Nobody takes a lane from them.
create view alive_processes as
select * from processes where seen_at > clock_timestamp() - interval '10 seconds';

-- The request budget and the breaker of a connection, shared by all workers.
create table connections (
  name text primary key,
  -- for each of the calls that the limit allows in one window: when it may be made again
  permits timestamptz[] not null default '{}',
  -- the permits handed out so far last until then at the pace of the limit
  paced_until timestamptz not null default 'epoch',
  paused_until timestamptz,
  pause_reason text,
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  failures integer not null default 0,
  retry_at timestamptz,
  probe_until timestamptz,
  last_error text
);

-- Rule 9: what was detected, and where every bit of it is now, or was when it was pruned.
create view balance as
with planned as (
  select signal, destination, sum(detected) as detected
  from (
    select signal, destination, detected from detections
    union all
    select signal, destination, detected from pruned_detections
  ) as every
  group by signal, destination
), state as (
  select signal, destination, state, due_at is not null as in_flight, count(*) as actions
  from actions
  group by signal, destination, state, due_at is not null
  union all
  select signal, destination, state, false, actions from pruned_actions
), actual as (
  select
    signal,
    destination,
    (sum(actions) filter (where state = 'verified'))::bigint as verified,
    (sum(actions) filter (where state = 'unverifiable'))::bigint as unverifiable,
    (sum(actions) filter (where state = 'differs'))::bigint as differs,
    (sum(actions) filter (where state = 'suppressed'))::bigint as suppressed,
    (sum(actions) filter (where state = 'held'))::bigint as held,
    (sum(actions) filter (where state = 'escalated'))::bigint as escalated,
    (sum(actions) filter (where state in ('rejected', 'dead')))::bigint as failed,
    (sum(actions) filter (where state = 'expired'))::bigint as expired,
    (sum(actions) filter (where state = 'superseded'))::bigint as superseded,
    (sum(actions) filter (where in_flight))::bigint as in_flight
  from state
  group by signal, destination
)
select
  signal,
  destination,
  coalesce(detected, 0)::bigint as detected,
  coalesce(verified, 0) as verified,
  coalesce(unverifiable, 0) as unverifiable,
  coalesce(differs, 0) as differs,
  coalesce(suppressed, 0) as suppressed,
  coalesce(held, 0) as held,
  coalesce(escalated, 0) as escalated,
  coalesce(failed, 0) as failed,
  coalesce(expired, 0) as expired,
  coalesce(superseded, 0) as superseded,
  coalesce(in_flight, 0) as in_flight,
  coalesce(detected, 0)::bigint - (
    coalesce(verified, 0) + coalesce(unverifiable, 0) + coalesce(differs, 0) + coalesce(suppressed, 0) + coalesce(held, 0)
    + coalesce(escalated, 0) + coalesce(failed, 0) + coalesce(expired, 0) + coalesce(superseded, 0)
    + coalesce(in_flight, 0)
  ) as unaccounted
from planned
full join actual using (signal, destination);
