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
    return await use(client, await lockSignal(client, signal));
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

/**
 * Looks at single entities take the lock many times a second and give it back: a poll of such a signal queues for it, so
 * that it is not always too late. Behind another poll it gives up after as long as that may reasonably take.
 */
const lockPatienceMs = 10_000;

export async function lockSignal(client: pg.PoolClient, { name, trigger }: Signal): Promise<boolean> {
  const lock = await sql.one<{ locked: boolean }>(client, 'try_lock', { signal: name });
  if (lock?.locked || !trigger) return lock?.locked ?? false;
  try {
    await client.query('begin');
    await sql.run(client, 'limit_waiting', { wait_ms: String(lockPatienceMs) });
    await sql.run(client, 'wait_for_lock', { signal: name });
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback');
    if ((error as { code?: string }).code === lockNotAvailable) return false;
    throw error;
  }
}

const lockNotAvailable = '55P03';
