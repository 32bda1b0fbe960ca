import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { queries } from '../store/queries.ts';

const sql = queries('detect');

/**
 * Works as the one that polls a signal, on a ledger connection of its own.
 *
 * @param use is told whether it is the one; otherwise another process is polling the signal
 */
export async function withPollLock<Result>(
  pool: pg.Pool,
  signal: Signal,
  use: (client: pg.PoolClient, locked: boolean) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const lock = await sql.one<{ locked: boolean }>(client, 'try_lock', { signal: signal.name });
    return await use(client, lock?.locked === true);
  } catch (error) {
    broken = error as Error;
    throw error;
  } finally {
    // The lock belongs to the session: a connection in doubt is destroyed, which frees it.
    await sql.run(client, 'unlock', { signal: signal.name }).catch((error: Error) => {
      broken = error;
    });
    client.release(broken);
  }
}
