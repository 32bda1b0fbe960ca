import pg from 'pg';
import { serve } from './serve.ts';

/** Rows that one worker takes at a time. */
const batchSize = 500;

/**
 * The least that a ledger in Postgres can do: one row per action with a unique idempotency key, a state and a due
 * time. `run` inserts all of them with one statement, then `workers` connections of this process drain them: claim 500
 * with `for update skip locked`, complete them, each an update that commits by itself. Nothing is rendered, sent or
 * read back.
 */
serve<{ url: string; actions: number; workers: number }>(async ({ url, actions, workers }) => {
  const pool = new pg.Pool({ connectionString: url, max: workers });
  await pool.query(createLedger);
  return {
    steps: {
      run: async () => {
        const started = performance.now();
        await pool.query(insertAll, [actions]);
        await pool.query('analyze ledger');
        const inserted = performance.now();
        const done = await Promise.all(Array.from({ length: workers }, () => drain(pool)));
        const ended = performance.now();
        const total = done.reduce((sum, one) => sum + one, 0);
        if (total !== actions) throw new Error(`${total} of ${actions} rows were completed`);
        return { insertSeconds: (inserted - started) / 1000, drainSeconds: (ended - inserted) / 1000 };
      },
    },
    close: () => pool.end(),
  };
});

const createLedger = `
create table ledger (
  id bigint generated always as identity primary key,
  idempotency_key uuid not null unique,
  state text not null default 'planned',
  due_at timestamptz default clock_timestamp()
);
create index ledger_due on ledger (due_at) where due_at is not null`;

const insertAll = `
insert into ledger (idempotency_key)
select md5(n::text)::uuid from generate_series(1, $1::integer) as n
on conflict (idempotency_key) do nothing`;

const claim = `
update ledger
set state = 'sending', due_at = clock_timestamp() + interval '1 minute'
where id in (
  select id from ledger
  where due_at <= clock_timestamp()
  order by due_at
  limit ${batchSize}
  for update skip locked
)
returning id`;

const complete = `update ledger set state = 'done', due_at = null where id = any($1::bigint[]) and state = 'sending'`;

/** One worker: until nothing is left to claim. Returns how many it completed. */
async function drain(pool: pg.Pool): Promise<number> {
  const client = await pool.connect();
  try {
    let done = 0;
    for (;;) {
      const { rows } = await client.query<{ id: string }>({ name: 'claim', text: claim });
      if (rows.length === 0) return done;
      const ids = rows.map((row) => row.id);
      const { rowCount } = await client.query({ name: 'complete', text: complete, values: [ids] });
      done += rowCount ?? 0;
    }
  } finally {
    client.release();
  }
}
