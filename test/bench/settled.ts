import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

export interface Balance {
  detected: number;
  verified: number;
  unaccounted: number;
}

/** How often the ledger is asked whether anything is open: one index probe. */
const lookEveryMs = 250;
/** An action that is still open after this long is stuck. */
const patienceMs = 15 * 60_000;

export async function untilSettled(pool: pg.Pool): Promise<void> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const { rows } = await pool.query('select from actions where due_at is not null limit 1');
    if (rows.length === 0) return;
    await sleep(lookEveryMs);
  }
  throw new Error('actions are still open');
}

/** Of the one signal and destination that there is. */
export async function balance(pool: pg.Pool): Promise<Balance | undefined> {
  const { rows } = await pool.query<Balance>(
    'select detected::integer, verified::integer, unaccounted::integer from balance',
  );
  return rows[0];
}
