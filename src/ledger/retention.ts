import type pg from 'pg';
import type { Project } from '../config/model.ts';
import { transaction } from '../store/database.ts';
import { queries } from '../store/queries.ts';

const sql = queries('prune');

/** Rows looked at in one transaction: a tenth of a second, for which others wait at most. */
const stepRows = 2_000;

/** How many rows went, or would go. */
export interface Pruned {
  messages: number;
  actions: number;
  attempts: number;
  polls: number;
  entities: number;
}

export interface PruneOptions {
  /** Counts messages, actions and attempts, and changes nothing. What else goes is known only when they are gone. */
  preview: boolean;
  /** Ends it between two steps. */
  stop?: AbortSignal | undefined;
}

/**
 * Prunes every signal the ledger knows of what has been done for longer than its retention: `retention:` of its header, or
 * the project's for a signal whose file is gone. Balance and daily counts keep what goes. Another process that is pruning
 * already ends it at once.
 */
export async function prune(pool: pg.Pool, project: Project, options: PruneOptions): Promise<Pruned> {
  const total: Pruned = { messages: 0, actions: 0, attempts: 0, polls: 0, entities: 0 };
  const followed = [...project.destinations.values()].flatMap((one) => one.follows ?? []);
  for (const { name } of await sql.run<{ name: string }>(pool, 'known_signals')) {
    const signal = project.signals.get(name);
    const seconds = (signal?.retentionMs ?? project.retentionMs) / 1000;
    const row = await sql.one<{ before: string }>(pool, 'cutoff', { seconds });
    const old: Old = { signal: name, before: row?.before ?? '', followed };
    if (!(await pruneMessages(pool, old, options, total))) break;
    if (options.preview) continue;
    await prunePolls(pool, old, options, total);
    await forgetEntities(pool, old, (signal?.cooldownMs ?? 0) / 1000, options, total);
  }
  return total;
}

interface Old {
  signal: string;
  /** The database's time as text, to the microsecond. */
  before: string;
  followed: readonly string[];
}

interface Step {
  seen: number;
  poll: number;
  entity: string;
  sequence: number;
  messages: number;
  actions: number;
  attempts: number;
}

/** Thrown to take a previewed step back. */
class Previewed extends Error {}

/** @returns false when another process is at it */
async function pruneMessages(
  pool: pg.Pool,
  old: Old,
  options: PruneOptions,
  total: Pruned,
): Promise<boolean> {
  let place = { poll: 0, entity: '', sequence: 0 };
  for (let seen = stepRows; seen === stepRows && !options.stop?.aborted; ) {
    let step: Step | undefined;
    await transaction(pool, async (client) => {
      const where = { signal: old.signal, before: old.before, ...place, limit: stepRows };
      const turn = await sql.one<{ ours: boolean }>(client, 'lock_step', where);
      if (!turn?.ours) return;
      step = await sql.one<Step>(client, 'prune_messages', { ...where, followed: old.followed });
      if (options.preview) throw new Previewed();
    }).catch((error: Error) => {
      if (!(error instanceof Previewed)) throw error;
    });
    if (!step) return false;
    total.messages += step.messages;
    total.actions += step.actions;
    total.attempts += step.attempts;
    seen = step.seen;
    place = { poll: step.poll, entity: step.entity, sequence: step.sequence };
  }
  return true;
}

async function prunePolls(pool: pg.Pool, old: Old, options: PruneOptions, total: Pruned): Promise<void> {
  const { signal, before } = old;
  for (let gone = stepRows; gone === stepRows && !options.stop?.aborted; ) {
    gone = await transaction(pool, async (client) => {
      const row = await sql.one<{ polls: number[] | null }>(client, 'prune_polls', {
        signal,
        before,
        limit: stepRows,
      });
      const polls = row?.polls ?? [];
      await sql.run(client, 'delete_polls', { polls });
      return polls.length;
    });
    total.polls += gone;
  }
}

async function forgetEntities(
  pool: pg.Pool,
  { signal, before }: Old,
  cooldownSeconds: number,
  options: PruneOptions,
  total: Pruned,
): Promise<void> {
  let entity = '';
  for (let seen = stepRows; seen === stepRows && !options.stop?.aborted; ) {
    const step = await transaction(pool, async (client) => {
      await sql.run(client, 'hold_numbering', { signal });
      const where = { signal, before, entity, cooldown_seconds: cooldownSeconds, limit: stepRows };
      return sql.one<{ seen: number; entity: string; entities: number }>(client, 'forget_entities', where);
    });
    seen = step?.seen ?? 0;
    entity = step?.entity ?? '';
    total.entities += step?.entities ?? 0;
  }
}
