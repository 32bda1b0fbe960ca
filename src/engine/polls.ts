import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import type { Looked } from '../detect/look.ts';
import type { PollResult } from '../detect/poll.ts';
import type { Log } from '../log.ts';
import type { Pipeline } from '../pipeline.ts';
import { queries } from '../store/queries.ts';

const sql = queries('detect');
const schedule = queries('schedule');

export interface PollRequest {
  cause: 'schedule' | 'catch_up' | 'manual' | 'trigger';
  /** The tick as ISO text; null: now. */
  scheduledFor: string | null;
  only: readonly string[];
  signal: AbortSignal;
}

/** A poll as one row of the ledger: locked against a second one of the same signal, begun, carried out, finished. */
export async function runPoll(
  pipeline: Pipeline,
  pool: pg.Pool,
  signal: Signal,
  request: PollRequest,
  log: Log,
): Promise<PollResult> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    if (!(await lockSignal(client, signal)))
      return await skip(client, signal, request, 'another process is polling this signal');
    const begun = await sql.one<{ id: string; correlation: string }>(client, 'start_poll', {
      signal: signal.name,
      scheduled_for: request.scheduledFor,
      cause: request.cause,
    });
    if (!begun) return skipped('this tick has already been polled');
    const result = await pipeline.poll(client, begun.id, signal, {
      ...request,
      attempt: begun.correlation,
    });
    if (result.state === 'failed' && request.signal.aborted) {
      await sql.run(client, 'forget_poll', { poll: begun.id });
      return skipped('the process was asked to stop');
    }
    await finish(client, begun.id, result);
    logPoll(log, signal, begun.correlation, result);
    return result;
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

/** A look at single entities, under the same lock. Undefined: somebody else has had it for too long. */
export async function runLook(
  pipeline: Pipeline,
  pool: pg.Pool,
  signal: Signal,
  options: { entities: readonly string[]; news: string; signal: AbortSignal },
): Promise<Looked | undefined> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const letGo = async () => {
    await sql.run(client, 'unlock', { signal: signal.name }).catch((error: Error) => {
      broken = error;
    });
    client.release(broken);
  };
  try {
    return (await lockSignal(client, signal)) ? await pipeline.look(client, signal, options) : undefined;
  } catch (error) {
    broken = error as Error;
    throw error;
  } finally {
    // Whoever waits for what was found need not wait for this.
    void letGo();
  }
}

/**
 * Looks at single entities take the lock many times a second and give it back: a poll of such a signal queues for it, so
 * that it is not always too late. Behind another poll it gives up after as long as that may reasonably take.
 */
const lockPatienceMs = 10_000;

async function lockSignal(client: pg.PoolClient, { name, trigger }: Signal): Promise<boolean> {
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

async function skip(
  client: pg.PoolClient,
  signal: Signal,
  { scheduledFor }: PollRequest,
  reason: string,
): Promise<PollResult> {
  if (scheduledFor)
    await schedule.run(client, 'skip_tick', { signal: signal.name, scheduled_for: scheduledFor, reason });
  return skipped(reason);
}

function skipped(reason: string): PollResult {
  return { state: 'skipped', reason, members: null, rowsRead: 0, entered: 0, changed: 0, departed: 0 };
}

async function finish(client: pg.PoolClient, poll: string, result: PollResult): Promise<void> {
  const { state, reason, members, rowsRead, entered, changed, departed } = result;
  await sql.run(client, 'finish_poll', {
    poll,
    state,
    reason,
    members,
    rows_read: rowsRead,
    entered,
    changed,
    departed,
  });
}

function logPoll(log: Log, signal: Signal, correlation: string, result: PollResult): void {
  const fields = { signal: signal.name, correlation, ...result };
  if (result.state === 'failed') log.error(fields, 'poll failed');
  else if (result.state === 'held') log.warn(fields, 'poll held');
  else log.info(fields, 'polled');
}
