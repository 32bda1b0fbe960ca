import type pg from 'pg';
import type { Project, Signal } from '../config/model.ts';
import { subscribers } from '../config/play.ts';
import { undosOf } from '../config/undo.ts';
import { withPollLock } from '../detect/lock.ts';
import { type PollResult, poll, skippedPoll } from '../detect/poll.ts';
import { emit } from '../emit/emit.ts';
import type { Openings } from '../openings.ts';
import { queries } from '../store/queries.ts';
import type { Rehearsed } from './action.ts';

/** What a poll would have done. */
export interface Rehearsal {
  poll: PollResult;
  /** Actions of earlier polls that it would overtake. */
  superseded: number;
  /** Actions by destination: all of them, also beyond the limit. */
  detected: Map<string, number>;
  actions: Rehearsed[];
}

export interface RehearsalOptions {
  only: readonly string[];
  /** The most messages that are looked at. */
  limit: number;
  signal: AbortSignal;
}

interface Pair {
  destination: string;
  detected: number;
}

const sql = queries('detect');

/** The poll and what it would plan, in a transaction that is rolled back; nobody else polls the signal meanwhile. */
export async function rehearse(
  project: Project,
  signal: Signal,
  ledger: pg.Pool,
  openings: Openings,
  { only, limit, signal: abort }: RehearsalOptions,
): Promise<Rehearsal> {
  const destinations = subscribers(project, signal);
  const undos = undosOf(project.destinations, destinations);
  const warehouse = await openings.warehouse(signal.warehouse);
  return withPollLock(ledger, signal, async (client, locked) => {
    const found: Omit<Rehearsal, 'poll'> = { superseded: 0, detected: new Map(), actions: [] };
    if (!locked) return { ...found, poll: skippedPoll('another process is polling this signal') };
    const result = await poll(client, warehouse, signal, {
      only,
      signal: abort,
      rehearse: true,
      emit: async (tx) => {
        const id = await startPoll(tx, signal);
        found.superseded = (await emit(tx, project.name, id, signal, destinations, undos)).superseded;
        found.actions = await sql.run<Rehearsed>(tx, 'rehearsed_actions', { limit });
        const pairs = await sql.run<Pair>(tx, 'rehearsed_pairs', { poll: id });
        found.detected = new Map(pairs.map(({ destination, detected }) => [destination, detected]));
      },
    });
    return { ...found, poll: result };
  });
}

async function startPoll(client: pg.PoolClient, signal: Signal): Promise<string> {
  const begun = await sql.one<{ id: string }>(client, 'start_poll', {
    signal: signal.name,
    scheduled_for: null,
    cause: 'manual',
  });
  if (!begun) throw new Error('two polls of one signal began in the same microsecond');
  return begun.id;
}
