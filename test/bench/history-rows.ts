import type pg from 'pg';

/** Actions of a batch, which share their attempts: the intent, the write and the read. */
const batch = 100;
/** Rows that one settled action leaves in the ledger: its message, itself, and its share of three attempts. */
const rowsPerAction = 2 + 3 / batch;
const tables = ['polls', 'messages', 'actions', 'attempts', 'entities'];

/**
 * Fills the ledger with settled actions of the last 90 days: as many rows of messages, actions and attempts together as
 * asked for. Indexes are built at the end, which takes a quarter of the time.
 */
export async function fillLedger(pool: pg.Pool, rows: number): Promise<void> {
  const actions = Math.floor(rows / rowsPerAction);
  const { rows: indexes } = await pool.query<{ drop: string; create: string }>(removableIndexes);
  for (const index of indexes) await pool.query(index.drop);
  await pool.query(fillPolls, [Math.ceil(actions / 10_000)]);
  for (const fill of [fillMessages, fillActions]) await pool.query(fill, [actions]);
  await pool.query(fillAttempts, [Math.ceil(actions / batch)]);
  await pool.query("select setval('attempt_ids', max(id)) from attempts");
  for (const index of indexes) await pool.query(index.create);
  // What was found of the entities before must not be numbered again.
  await pool.query('update entities set sequence = 1000000');
  for (const table of tables) await pool.query(`vacuum analyze ${table}`);
  await pool.query('checkpoint');
}

const removableIndexes = `
select
  case when made.conname is null then format('drop index readback.%I', index.relname)
    else format('alter table readback.%I drop constraint %I', owner.relname, made.conname) end as drop,
  case when made.conname is null then pg_get_indexdef(index.oid)
    else format('alter table readback.%I add constraint %I %s', owner.relname, made.conname, pg_get_constraintdef(made.oid))
  end as create
from pg_index
join pg_class as index on index.oid = pg_index.indexrelid
join pg_class as owner on owner.oid = pg_index.indrelid
left join pg_constraint as made on made.conindid = index.oid and made.contype in ('p', 'u')
where owner.relnamespace = 'readback'::regnamespace and owner.relname in ('messages', 'actions', 'attempts')`;

const fillPolls = `
insert into polls (signal, scheduled_for, cause, state, started_at, finished_at)
select 'customers', at, 'schedule', 'done', at, at
from generate_series(1, $1::integer) as n
cross join lateral (select now() - interval '90 days' * (1 - n::float8 / ($1 + 1)) as at) as tick`;

/** The nth action, the same in both tables. Joined: to find an entity in an array of 100,000 reads half of it, for each row. */
const slots = `
with known as (
  select entity, row_number() over (order by entity)::integer - 1 as nth from entities where signal = 'customers'
), counted as (
  select count(*)::integer as count from known
), first as (
  select min(id) as poll from polls where cause = 'schedule'
), slot as (
  select
    n, md5('message ' || n)::uuid as message, md5('action ' || n)::uuid as key, entity,
    n / count + 1 as sequence, first.poll + n / 10000 as poll,
    now() - interval '90 days' * (1 - n::float8 / $1::integer) as at,
    case when n / count % 2 = 0 then 'contact' else 'claimed' end as destination
  from generate_series(0, $1::integer - 1) as n
  cross join counted
  cross join first
  join known on nth = n % count
)`;

const fillMessages = `${slots}
insert into messages (id, poll, signal, version, entity, sequence, transition, severity, observed_at, detected_at)
select message, poll, 'customers', 'v', entity, sequence, 'changed', 'medium', at, at from slot order by n`;

const fillActions = `${slots}
insert into actions (
  key, message, poll, signal, destination, entity, sequence, transition, lane, state, expires_at, attempts, attempt_ids,
  external_id, locator, sent, observed_at, detected_at, sent_at, accepted_at, settled_at
)
select
  key, message, poll, 'customers', destination, entity, sequence, 'changed', 0, 'verified', at + interval '1 day', 1,
  array(select 3 * (n / ${batch}) + place from generate_series(1, 3) as place),
  left(key::text, 8), '{}', jsonb_build_object('email', left(key::text, 16)), at, at, at, at, at
from slot
order by n`;

const fillAttempts = `
insert into attempts (id, actions, kind, at, duration_ms, outcome, decision, epoch)
select
  call.place + 3 * n, ${batch}, call.kind, now() - interval '90 days' * (1 - n::float8 / $1::integer), 20, call.outcome,
  call.decision, 1
from generate_series(0, $1::integer - 1) as n
cross join (values
  (1, 'write', 'intent', 'send'), (2, 'write', 'applied', 'verify'), (3, 'read', 'found', 'done')
) as call (place, kind, outcome, decision)`;

/** New actions of a lane that nobody but the measurement works, numbered by the clock above all earlier ones. Not measured. */
export async function planClaimed(pool: pg.Pool, count: number): Promise<void> {
  await pool.query(plan, [count]);
  // As after any autovacuum, the planner knows what is there.
  await pool.query('analyze actions');
}

const plan = `
insert into actions (
  key, message, poll, signal, destination, entity, sequence, transition, lane, state, due_at, expires_at,
  observed_at, detected_at
)
select
  gen_random_uuid(), gen_random_uuid(), (select max(id) from polls), 'customers', 'claimed', entity,
  (extract(epoch from now()) * 1000)::bigint, 'changed', 0, 'planned', now(), now() + interval '1 day', now(), now()
from (select entity from entities where signal = 'customers' order by random() limit $1) as chosen`;
