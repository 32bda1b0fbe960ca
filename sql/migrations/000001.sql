-- The ledger. Words and states are those of src/README.md. Everything lives in the schema `readback`.

create type transition as enum ('entered', 'changed', 'left');

create type poll_state as enum ('queued', 'running', 'baseline', 'done', 'held', 'failed', 'skipped');

-- In the order of an action's life; src/ledger/state.ts has the moves, and a test holds the two together.
create type action_state as enum (
  'planned', 'held', 'suppressed', 'ready', 'sending', 'accepted', 'unknown',
  'verified', 'differs', 'rejected', 'escalated', 'expired', 'superseded', 'dead'
);

create table signals (
  name text primary key,
  version text not null,
  shape text not null,
  -- null until the first complete poll has recorded who is in the set; until then nothing is acted on
  baselined_at timestamptz,
  paused_at timestamptz,
  paused_reason text
);

create table polls (
  id bigint generated always as identity primary key,
  signal text not null,
  -- the tick; one row for each tick makes it fire once, however many schedulers run
  scheduled_for timestamptz not null,
  cause text not null check (cause in ('schedule', 'catch_up', 'manual')),
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

-- Who is, or once was, in a signal's set. Kept after leaving: the sequence must never restart, and a cooldown outlives
-- the membership.
create table entities (
  signal text not null references signals (name) on delete cascade,
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

-- What the present set looked like per bucket of keys when it was last read; equal digests need no fetch.
create table buckets (
  signal text not null references signals (name) on delete cascade,
  bucket smallint not null,
  -- rows fetched, and how many of them are in the set: between `rearm` and `when` a row may be either
  rows bigint not null,
  members bigint not null,
  digest numeric not null,
  primary key (signal, bucket)
);

create table messages (
  id uuid primary key,
  poll bigint not null references polls (id),
  signal text not null,
  version text not null,
  entity text not null,
  sequence bigint not null,
  transition transition not null,
  severity text not null,
  observed_at timestamptz,
  detected_at timestamptz not null
);
create index messages_entity on messages (entity, signal, sequence);

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
  -- deterministic: message and destination; the marker or unique value the destination sees
  key uuid primary key,
  message uuid not null,
  poll bigint not null references polls (id),
  signal text not null,
  destination text not null,
  entity text not null,
  sequence bigint not null,
  transition transition not null,
  lane smallint not null,
  state action_state not null,
  reason text,
  -- when a worker should look at it next; null exactly when nobody needs to
  due_at timestamptz,
  expires_at timestamptz not null,
  attempts integer not null default 0,
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
  check ((due_at is null) = (state not in ('planned', 'ready', 'sending', 'accepted', 'unknown'))),
  check ((settled_at is null) = (state in ('planned', 'held', 'ready', 'sending', 'accepted', 'unknown')))
  -- Half of a page is left for updates in place: an action is updated three times, and due_at mostly stays as it is.
) with (fillfactor = 50);
create index actions_due on actions (destination, lane, due_at) where due_at is not null;
create index actions_entity on actions (entity, signal, destination, sequence);
create index actions_detected on actions using brin (detected_at);

-- One row for each call made for an action: what was asked, what came back, what was decided and why.
create table attempts (
  id bigint generated always as identity primary key,
  action uuid not null,
  kind text not null check (kind in ('write', 'read', 'command')),
  at timestamptz not null default clock_timestamp(),
  duration_ms integer,
  request_hash text,
  outcome text not null,
  decision text not null,
  reason text,
  epoch bigint
);
create index attempts_action on attempts (action, id);

-- A lane is worked by one worker at a time. Taking it raises the epoch, which fences whoever had it before.
create table lanes (
  destination text not null,
  lane smallint not null,
  epoch bigint not null default 0,
  holder text,
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

-- The request budget and the breaker of a connection, shared by all workers.
create table connections (
  name text primary key,
  tokens double precision not null default 0,
  refilled_at timestamptz not null default clock_timestamp(),
  paused_until timestamptz,
  pause_reason text,
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  failures integer not null default 0,
  retry_at timestamptz,
  probe_until timestamptz,
  last_error text
);

-- Rule 9: what was detected, and where every bit of it is now.
create view balance as
with planned as (
  select signal, destination, sum(detected) as detected from detections group by signal, destination
), actual as (
  select
    signal,
    destination,
    count(*) filter (where state = 'verified') as verified,
    count(*) filter (where state = 'differs') as differs,
    count(*) filter (where state = 'suppressed') as suppressed,
    count(*) filter (where state = 'held') as held,
    count(*) filter (where state = 'escalated') as escalated,
    count(*) filter (where state in ('rejected', 'dead')) as failed,
    count(*) filter (where state = 'expired') as expired,
    count(*) filter (where state = 'superseded') as superseded,
    count(*) filter (where due_at is not null) as in_flight
  from actions
  group by signal, destination
)
select
  signal,
  destination,
  coalesce(detected, 0)::bigint as detected,
  coalesce(verified, 0) as verified,
  coalesce(differs, 0) as differs,
  coalesce(suppressed, 0) as suppressed,
  coalesce(held, 0) as held,
  coalesce(escalated, 0) as escalated,
  coalesce(failed, 0) as failed,
  coalesce(expired, 0) as expired,
  coalesce(superseded, 0) as superseded,
  coalesce(in_flight, 0) as in_flight,
  coalesce(detected, 0)::bigint - (
    coalesce(verified, 0) + coalesce(differs, 0) + coalesce(suppressed, 0) + coalesce(held, 0)
    + coalesce(escalated, 0) + coalesce(failed, 0) + coalesce(expired, 0) + coalesce(superseded, 0)
    + coalesce(in_flight, 0)
  ) as unaccounted
from planned
full join actual using (signal, destination);
