import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { queries } from '../store/queries.ts';
import { together } from '../store/together.ts';

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
    await unlockSignal(client, signal).catch((error: Error) => {
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

export async function lockSignal(client: pg.PoolClient, signal: Signal): Promise<boolean> {
  return (await tryLock(client, signal)) || (await waitForLock(client, signal));
}

/**
 * Locks a signal and asks, together where the connection allows it.
 *
 * @param ask begins with its statement; undefined when the signal is somebody else's for too long
 */
export async function lockAndAsk<Answer>(
  client: pg.PoolClient,
  signal: Signal,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  const [locked, answer] = await together(client, [() => tryLock(client, signal), ask]);
  if (locked) return answer;
  // What was answered is of before the lock.
  return (await waitForLock(client, signal)) ? ask() : undefined;
}

async function tryLock(client: pg.PoolClient, { name }: Signal): Promise<boolean> {
  const lock = await sql.one<{ locked: boolean }>(client, 'try_lock', { signal: name });
  return lock?.locked ?? false;
}

async function waitForLock(client: pg.PoolClient, { name, trigger }: Signal): Promise<boolean> {
  if (!trigger) return false;
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

export async function unlockSignal(client: pg.PoolClient, { name }: Signal): Promise<void> {
  await sql.run(client, 'unlock', { signal: name });
}

const lockNotAvailable = '55P03';
