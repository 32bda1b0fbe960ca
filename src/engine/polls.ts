import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { withPollLock } from '../detect/lock.ts';
import type { Looked } from '../detect/look.ts';
import { type PollResult, skippedPoll } from '../detect/poll.ts';
import type { Log } from '../log.ts';
import type { Pipeline } from '../pipeline.ts';
import { queries } from '../store/queries.ts';

const sql = queries('detect');

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
  return withPollLock(pool, signal, async (client, locked) => {
    // A tick is asked for again when the other one is over.
    if (!locked) return skippedPoll('another process is polling this signal');
    const begun = await sql.one<{ id: string; correlation: string }>(client, 'start_poll', {
      signal: signal.name,
      scheduled_for: request.scheduledFor,
      cause: request.cause,
    });
    if (!begun) return skippedPoll('this tick has already been polled');
    const result = await pipeline.poll(client, begun.id, signal, {
      ...request,
      attempt: begun.correlation,
    });
    if (result.state === 'failed' && request.signal.aborted) {
      await sql.run(client, 'forget_poll', { poll: begun.id });
      return skippedPoll('the process was asked to stop');
    }
    await finish(client, begun.id, result);
    logPoll(log, signal, begun.correlation, result);
    return result;
  });
}

/**
 * A look at single entities, under the same lock. Undefined: somebody else has had it for too long.
 *
 * @param pool best one whose connections need not wait for answers
 */
export async function runLook(
  pipeline: Pipeline,
  pool: pg.Pool,
  signal: Signal,
  options: { entities: readonly string[]; news: string; signal: AbortSignal },
): Promise<Looked | undefined> {
  const client = await pool.connect();
  try {
    const looked = await pipeline.look(client, signal, options);
    client.release();
    return looked;
  } catch (error) {
    // The lock goes with the session, and so does what was not committed.
    client.release(true);
    throw error;
  }
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
