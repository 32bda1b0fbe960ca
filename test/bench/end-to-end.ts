import { type RunningOptions, startEngine } from './engine.ts';
import { serve } from './serve.ts';
import { type Balance, balance, untilSettled } from './settled.ts';

export interface EndToEnd {
  /** From the start of the poll until the last action was verified, by the database's clock. */
  seconds: number;
  /** The part until the actions were planned. */
  pollSeconds: number;
  entered: number;
}

/** Which of the records' calls: counted from the first, writing and reading back alike. */
export interface Stretch {
  from: number;
  to: number;
}

/** The full path: detect, emit, enrich, route, act over HTTP, verify by reading back. */
serve<RunningOptions>(async (options) => {
  const running = await startEngine(options);
  const { pool } = running.database;
  return {
    steps: {
      baseline: async () => void (await running.poll('churn_risk', 'baseline')),
      run: async (): Promise<EndToEnd> => {
        const { entered } = await running.poll('churn_risk', 'done');
        await untilSettled(pool);
        const { rows } = await pool.query<{ seconds: number; poll_seconds: number }>(times);
        return { entered, seconds: rows[0]?.seconds ?? 0, pollSeconds: rows[0]?.poll_seconds ?? 0 };
      },
      stretch: async (asked) => {
        const { from, to } = asked as Stretch;
        const { rows } = await pool.query<{ seconds: number }>(stretch, [from, to]);
        return rows[0]?.seconds;
      },
      balance: (): Promise<Balance | undefined> => balance(pool),
    },
    close: running.close,
  };
});

const times = `
select
  extract(epoch from (select max(settled_at) from actions) - started_at)::float8 as seconds,
  extract(epoch from finished_at - started_at)::float8 as poll_seconds
from polls
order by id desc
limit 1`;

const stretch = `
select extract(epoch from max(at) filter (where number = $2) - max(at) filter (where number = $1))::float8 as seconds
from (
  select at, row_number() over (order by at) as number
  from actions
  cross join lateral (values (accepted_at), (settled_at)) as handled (at)
) as handled`;
