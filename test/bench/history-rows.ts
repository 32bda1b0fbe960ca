import type pg from 'pg';

/** Rows that one settled action leaves in the ledger: its message, itself, and three attempts. */
const rowsPerAction = 5;
/** Rows inserted by one statement. */
const step = 200_000;

/**
 * Fills the ledger with settled actions of the last 90 days, ten for each entity and more: as many rows of messages,
 * actions and attempts together as asked for, in the order in which work would have written them.
 */
export async function fillLedger(pool: pg.Pool, rows: number): Promise<void> {
  const actions = Math.floor(rows / rowsPerAction);
  await pool.query(fillPolls, [Math.ceil(actions / 10_000)]);
  for (let from = 0; from < actions; from += step) {
    await pool.query(fillActions, [from, Math.min(actions, from + step) - 1, actions]);
  }
  // What was found of the entities before must not be numbered again.
  await pool.query('update entities set sequence = 1000000');
  for (const table of ['polls', 'messages', 'actions', 'attempts', 'entities', 'detections']) {
    await pool.query(`vacuum analyze ${table}`);
  }
  await pool.query('checkpoint');
}

const fillPolls = `
insert into polls (signal, scheduled_for, cause, state, started_at, finished_at)
select 'customers', at, 'schedule', 'done', at, at
from generate_series(1, $1::integer) as n
cross join lateral (select now() - interval '90 days' * (1 - n::float8 / ($1 + 1)) as at) as tick`;

const fillActions = `
with known as (
  select array_agg(entity order by entity) as entities, count(*)::integer as count from entities where signal = 'customers'
), slot as (
  select
    md5('message ' || n)::uuid as message, md5('action ' || n)::uuid as key, known.entities[1 + n % known.count] as entity,
    n / known.count + 1 as sequence, 1 + n / 10000 as poll, now() - interval '90 days' * (1 - n::float8 / $3::integer) as at
  from generate_series($1::integer, $2::integer) as n
  cross join known
), told as (
  insert into messages (id, poll, signal, version, entity, sequence, transition, severity, observed_at, detected_at)
  select message, (select min(id) - 1 from polls where cause = 'schedule') + poll, 'customers', 'v', entity, sequence, 'changed', 'medium', at, at from slot
), done as (
  insert into actions (
    key, message, poll, signal, destination, entity, sequence, transition, lane, state, expires_at, attempts,
    external_id, locator, sent, observed_at, detected_at, sent_at, accepted_at, settled_at
  )
  select
    key, message, (select min(id) - 1 from polls where cause = 'schedule') + poll, 'customers', 'contact', entity, sequence, 'changed', 0, 'verified', at + interval '1 day', 1,
    left(key::text, 8), '{}', jsonb_build_object('email', left(key::text, 16)), at, at, at, at, at
  from slot
)
insert into attempts (action, kind, at, duration_ms, request_hash, outcome, decision, epoch)
select key, call.kind, at, 20, call.hash, call.outcome, call.decision, 1
from slot
cross join (values
  ('write', 'hash', 'intent', 'send'), ('write', null, 'applied', 'verify'), ('read', null, 'found', 'done')
) as call (kind, hash, outcome, decision)`;

/** New actions of a lane that nobody but the measurement works. Not measured. */
export async function planClaimed(pool: pg.Pool, count: number): Promise<void> {
  await pool.query(
    `
    insert into actions (
      key, message, poll, signal, destination, entity, sequence, transition, lane, state, due_at, expires_at,
      observed_at, detected_at
    )
    select
      gen_random_uuid(), gen_random_uuid(), (select max(id) from polls), 'customers', 'claimed', entity, 1000000, 'changed',
      0, 'planned', now(), now() + interval '1 day', now(), now()
    from (select entity from entities where signal = 'customers' order by random() limit $1) as chosen`,
    [count],
  );
  // A plan is not paid for by whoever claims; the planner knows of what is there now, as after any autovacuum.
  await pool.query('analyze actions');
}
