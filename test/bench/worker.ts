import { type RunningOptions, startEngine } from './engine.ts';
import { serve } from './serve.ts';
import { balance, untilSettled } from './settled.ts';

/** One of several processes that work on the same ledger. */
serve<RunningOptions>(async (options) => {
  let running: Awaited<ReturnType<typeof startEngine>> | undefined;
  return {
    steps: {
      work: async () => {
        running = await startEngine(options);
      },
      /** From the first send until the last action was verified, by the database's clock. */
      drained: async () => {
        if (!running) throw new Error('it does not work yet');
        const { pool } = running.database;
        await untilSettled(pool);
        const { rows } = await pool.query<{ seconds: number }>(
          'select extract(epoch from max(settled_at) - min(sent_at))::float8 as seconds from actions',
        );
        return { seconds: rows[0]?.seconds ?? Number.NaN, ...(await balance(pool)) };
      },
    },
    close: async () => running?.close(),
  };
});
