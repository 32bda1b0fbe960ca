import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningOptions, startEngine } from './engine.ts';
import { serve } from './serve.ts';
import { type Balance, balance } from './settled.ts';

const patienceMs = 60_000;

/** A process of `readback start`, whose signal has a trigger. */
serve<RunningOptions>(async (options) => {
  const running = await startEngine({ ...options, role: 'all' });
  const { pool } = running.database;
  return {
    steps: {
      /** Until the baseline is taken, and the poll is done with which following begins. */
      following: async () => {
        for (let polls = 0; polls < 2; await sleep(50)) {
          const { rows } = await pool.query(
            `select count(*)::integer as polls from polls where state in ('baseline', 'done')`,
          );
          polls = rows[0].polls;
        }
      },
      /** Until so many actions are verified; what a trigger has lost never is. */
      settled: async (rows): Promise<Balance | undefined> => {
        const end = performance.now() + patienceMs;
        let known = await balance(pool);
        while (known?.verified !== rows && performance.now() < end) {
          await sleep(500);
          known = await balance(pool);
        }
        return known;
      },
    },
    close: running.close,
  };
});
