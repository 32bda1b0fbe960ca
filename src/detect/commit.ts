import type pg from 'pg';
import { queries } from '../store/queries.ts';
import { countPresent, type Found, type Known, type Source } from './found.ts';
import { type Counts, guardMoves, Held } from './guards.ts';
import type { PollOptions } from './poll.ts';

const sql = queries('detect');

const none: Counts = { entered: 0, changed: 0, departed: 0 };

export interface Committed extends Counts {
  /** Entities in the new set. */
  members: number;
}

/** Transitions, new set and messages of what was found, in one transaction; a rehearsal ends it with a rollback. */
export async function commit(
  client: pg.PoolClient,
  source: Source,
  shape: string,
  known: Known,
  found: Found,
  options: PollOptions,
): Promise<Committed> {
  const { signal } = source;
  const { only } = options;
  const baseline = !known.comparable;
  const identity = { signal: signal.name, version: signal.version, shape };
  const silent = baseline && signal.backfill === 'none';
  await client.query('begin');
  try {
    await sql.run(client, 'register_signal', identity);
    if (baseline) await sql.run(client, 'forget_set', { signal: signal.name });
    await findMoves(client, signal.name, found);
    if (only.length > 0 && !silent) await sql.run(client, 'keep_only', { only });
    const moves = (await sql.one<Counts>(client, 'count_moves')) ?? none;
    const held = silent ? undefined : guardMoves(signal, moves, found.present);
    if (held) throw new Held(held);
    await sql.run(client, 'apply_moves', { signal: signal.name, silent, only });
    await storeDigests(client, signal.name, found, only);
    // With `only` the ledger's set is neither the old one nor what was found.
    const { name, members } = (only.length === 0 && found.snapshot) || { name: null, members: null };
    await sql.run(client, 'mark_baselined', { ...identity, snapshot: name, snapshot_members: members });
    const counts = silent ? await keepChosen(client, only) : moves;
    if (counts.entered + counts.changed + counts.departed > 0) await options.emit(client, counts);
    const counted = { ...counts, members: await countMembers(client, source, found) };
    await client.query(options.rehearse ? 'rollback' : 'commit');
    return counted;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** Counted by bucket where every bucket has its digest: counting the set reads an index of a million entries. */
async function countMembers(client: pg.PoolClient, source: Source, found: Found): Promise<number> {
  if (found.snapshot) return found.snapshot.members;
  if (found.digests === undefined) return countPresent(client, source);
  const counted = await sql.one<{ members: number }>(client, 'sum_members', { signal: source.signal.name });
  return counted?.members ?? 0;
}

async function findMoves(client: pg.PoolClient, signal: string, found: Found): Promise<void> {
  if (found.kind === 'differences') await sql.run(client, 'find_told_moves', { signal });
  else await sql.run(client, 'find_moves', scopeOf(signal, found));
}

/** A digest describes a whole bucket. Without any the next poll that asks for digests compares the whole set. */
async function storeDigests(
  client: pg.PoolClient,
  signal: string,
  found: Found,
  only: readonly string[],
): Promise<void> {
  const { digests } = found;
  const scope = scopeOf(signal, found);
  await sql.run(client, 'forget_buckets', scope);
  if (digests === undefined) return;
  if (only.length > 0) await sql.run(client, 'spoil_buckets', scope);
  else if (digests === 'incoming') await sql.run(client, 'store_buckets', scope);
  else
    await sql.run(client, 'store_told_buckets', {
      signal,
      buckets: digests.map((one) => one.bucket),
      rows: digests.map((one) => one.rows),
      present: digests.map((one) => one.present),
      digests: digests.map((one) => one.digest),
    });
}

function scopeOf(signal: string, { buckets }: Found) {
  return { signal, every_bucket: buckets === undefined, buckets: buckets ?? [] };
}

/** A baseline acts on nothing, but for entities that were asked for by name. */
async function keepChosen(client: pg.PoolClient, only: readonly string[]): Promise<Counts> {
  if (only.length === 0) return none;
  await sql.run(client, 'keep_only', { only });
  return (await sql.one<Counts>(client, 'count_moves')) ?? none;
}
