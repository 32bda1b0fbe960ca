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
