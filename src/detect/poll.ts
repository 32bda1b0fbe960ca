import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { ReadbackError } from '../errors.ts';
import { queries } from '../store/queries.ts';
import type { ReadOptions, SignalQuery, Value, Warehouse } from '../warehouses/warehouse.ts';
import { copyMembers } from './copy.ts';
import { type Counts, guardAge, guardEmpty, guardMoves, guardRows, type IncomingFaults } from './guards.ts';

/**
 * Keys are spread over this many buckets. An unchanged poll fetches one row for each; one changed entity makes
 * 1/16,384 of the set be fetched. Of 1M rows with 1,000 changed ones, spread evenly, 6 % are fetched; with 1,024 buckets
 * it was all of them.
 */
export const bucketCount = 16_384;

export type PollState = 'baseline' | 'done' | 'held' | 'failed' | 'skipped';

export interface PollResult extends Counts {
  state: PollState;
  reason: string | null;
  /** Entities in the set as returned; null when it was not read. */
  members: number | null;
  /** Rows fetched from the warehouse. */
  rowsRead: number;
}

export interface PollOptions {
  signal: AbortSignal;
  /** The poll's own name, the same when a crash cut it off and it is polled again. */
  attempt?: string;
  /** Only these entities' transitions are taken; the others are left for the next poll. Empty: all. */
  only: readonly string[];
  /** Runs in the poll's transaction when there are transitions; makes messages and actions of them. */
  emit(client: pg.PoolClient, moves: Counts): Promise<void>;
}

const sql = queries('detect');
/** Temporary tables of the poll's session, created once for each ledger connection. */
const sessionTables = ['incoming', 'moves', 'fresh'] as const;

const none: Counts = { entered: 0, changed: 0, departed: 0 };

/** A held poll rolls its transaction back by throwing this. */
class Held extends Error {}

/**
 * One poll of a signal: reads the members, compares them with the last set, and commits transitions, new set and
 * messages together. Level-triggered: whatever a poll did not commit, the next derives again.
 *
 * @param client a connection of the poll's own; the `incoming` table lives in its session
 */
export async function poll(
  client: pg.PoolClient,
  warehouse: Warehouse,
  signal: Signal,
  options: PollOptions,
): Promise<PollResult> {
  const read = {
    signal: options.signal,
    timeoutMs: signal.timeoutMs,
    label: signal.name,
    ...(options.attempt !== undefined && { attempt: options.attempt }),
  };
  const query = await signalQuery(signal, warehouse, read);
  // Tracking every column makes the columns part of what two sets must share to be compared.
  const shape = signal.track ? signal.shape : `${signal.shape} ${query.track.join(',')}`.trim();
  const known = await sql.one<{ comparable: boolean }>(client, 'known_signal', {
    signal: signal.name,
    shape,
  });
  const baseline = !known?.comparable;
  try {
    const survey = await surveyBuckets(client, warehouse, signal, query, baseline, read);
    const stale = await guardSource(signal, warehouse, read);
    if (stale) throw new Held(stale);
    if (survey.rows === 0 && survey.present > 0 && (await sourceIsEmpty(signal, warehouse, read))) {
      const empty = guardEmpty(signal, survey.present);
      if (empty) throw new Held(empty);
    }
    if (!baseline && survey.changed?.length === 0) {
      return { ...none, state: 'done', reason: null, members: survey.present, rowsRead: survey.bucketsRead };
    }
    for (const table of sessionTables) await sql.run(client, `create_${table}`);
    await sql.run(client, 'clear_incoming');
    const members = warehouse.members(query, bucketCount, survey.changed);
    const copied = await copyMembers(client, sql.get('copy_incoming').text, warehouse.read(members, read));
    await sql.run(client, 'analyze_incoming');
    const faults = await sql.one<IncomingFaults>(client, 'faults_in_incoming');
    const unsound = faults && guardRows(signal, faults);
    if (unsound) throw new Held(unsound);
    const counts = await commit(client, { signal, shape, survey, baseline }, options);
    return {
      ...counts,
      state: baseline ? 'baseline' : 'done',
      reason: null,
      members: await countMembers(client, signal, options.only),
      rowsRead: survey.bucketsRead + copied,
    };
  } catch (error) {
    if (error instanceof Held) {
      return { ...none, state: 'held', reason: error.message, members: null, rowsRead: 0 };
    }
    throw error;
  } finally {
    // Gives the space back; the table itself stays with the connection.
    await sql.run(client, 'clear_incoming').catch(() => {});
  }
}

interface Survey {
  /** Buckets to fetch; undefined: all of them. */
  changed: number[] | undefined;
  rows: number;
  bucketsRead: number;
  /** Entities in the last set. */
  present: number;
}

/** Compares each bucket's digest with the one of the last poll. Only buckets that differ need fetching. */
async function surveyBuckets(
  client: pg.PoolClient,
  warehouse: Warehouse,
  signal: Signal,
  query: SignalQuery,
  baseline: boolean,
  read: ReadOptions,
): Promise<Survey> {
  // Both at once: the ledger's 16,384 rows take a tenth of what the warehouse needs for a million.
  const [known, found] = await Promise.all([
    sql.run<KnownBucket>(client, 'known_digests', { signal: signal.name }),
    readDigests(warehouse, query, read),
  ]);
  const present = known.reduce((sum, bucket) => sum + bucket.members, 0);
  const stored = new Map(known.map((bucket) => [bucket.bucket, `${bucket.rows}:${bucket.digest}`]));
  const changed: number[] = [];
  let rows = 0;
  for (const [bucket, count, sum] of found) {
    rows += Number(count);
    if (stored.get(Number(bucket)) !== `${count}:${sum}`) changed.push(Number(bucket));
    stored.delete(Number(bucket));
  }
  changed.push(...stored.keys());
  const all = baseline || changed.length > bucketCount / 2;
  return {
    changed: all ? undefined : changed,
    rows,
    bucketsRead: found.length,
    present: baseline ? 0 : present,
  };
}

interface KnownBucket {
  bucket: number;
  rows: number;
  members: number;
  digest: string;
}

/** A bucket's number, its rows, and the sum of their hashes; at most one row for each bucket. */
async function readDigests(
  warehouse: Warehouse,
  query: SignalQuery,
  read: ReadOptions,
): Promise<[string, string, string][]> {
  const found: [string, string, string][] = [];
  for await (const batch of warehouse.read(warehouse.digest(query, bucketCount), read)) {
    found.push(...(batch as [string, string, string][]));
  }
  return found;
}

/** A source that nobody has written to for too long says nothing about today. */
async function guardSource(
  signal: Signal,
  warehouse: Warehouse,
  read: ReadOptions,
): Promise<string | undefined> {
  if (signal.guard.maxAgeMs === undefined || signal.observedAt === undefined) return undefined;
  let newest: Value = null;
  for await (const [row] of warehouse.read(warehouse.newest(signal.sql, signal.observedAt), read)) {
    newest = row?.[0] ?? null;
  }
  return guardAge(signal, newest === null ? undefined : Date.now() - Date.parse(newest));
}

/** Nobody meeting `when` is news; a source without any row looks like a table that is being rebuilt. */
async function sourceIsEmpty(signal: Signal, warehouse: Warehouse, read: ReadOptions): Promise<boolean> {
  if (signal.when === undefined) return true;
  for await (const batch of warehouse.read(warehouse.sample(signal.sql, 1), read))
    if (batch.length > 0) return false;
  return true;
}

interface ReadSet {
  signal: Signal;
  shape: string;
  survey: Survey;
  baseline: boolean;
}

async function commit(client: pg.PoolClient, set: ReadSet, options: PollOptions): Promise<Counts> {
  const { signal, shape, survey, baseline } = set;
  const { only } = options;
  const identity = { signal: signal.name, version: signal.version, shape };
  const scope = {
    signal: signal.name,
    every_bucket: survey.changed === undefined,
    buckets: survey.changed ?? [],
  };
  const silent = baseline && signal.backfill === 'none';
  await client.query('begin');
  try {
    await sql.run(client, 'register_signal', identity);
    if (baseline) await sql.run(client, 'forget_set', { signal: signal.name });
    await sql.run(client, 'find_moves', scope);
    if (only.length > 0 && !silent) await sql.run(client, 'keep_only', { only });
    const found = (await sql.one<Counts>(client, 'count_moves')) ?? none;
    const held = silent ? undefined : guardMoves(signal, found, survey.present);
    if (held) throw new Held(held);
    await sql.run(client, 'apply_moves', { signal: signal.name, silent, only });
    await sql.run(client, 'forget_buckets', scope);
    // A digest describes a whole bucket; without one the bucket is fetched again by the next poll.
    if (only.length === 0) await sql.run(client, 'store_buckets', scope);
    await sql.run(client, 'mark_baselined', identity);
    const counts = silent ? await keepChosen(client, only) : found;
    if (counts.entered + counts.changed + counts.departed > 0) await options.emit(client, counts);
    await client.query('commit');
    return counts;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** With `only` the buckets that were fetched have no digest, and no count either. */
async function countMembers(client: pg.PoolClient, signal: Signal, only: readonly string[]): Promise<number> {
  const query = only.length > 0 ? 'count_members' : 'sum_members';
  const counted = await sql.one<{ members: number }>(client, query, { signal: signal.name });
  return counted?.members ?? 0;
}

/** A baseline acts on nothing, but for entities that were asked for by name. */
async function keepChosen(client: pg.PoolClient, only: readonly string[]): Promise<Counts> {
  if (only.length === 0) return none;
  await sql.run(client, 'keep_only', { only });
  return (await sql.one<Counts>(client, 'count_moves')) ?? none;
}

/** What of a signal decides its members. Changes cost a fingerprint, so it is taken only when they are asked for. */
export async function signalQuery(
  signal: Signal,
  warehouse: Warehouse,
  read: ReadOptions,
): Promise<SignalQuery> {
  const { sql, key, when, rearm, observedAt } = signal;
  let track: string[] = [];
  if (signal.on.includes('changed')) track = signal.track ?? (await valueColumns(signal, warehouse, read));
  return { sql, key, when, rearm, track, observedAt };
}

async function valueColumns(signal: Signal, warehouse: Warehouse, read: ReadOptions): Promise<string[]> {
  const columns = await warehouse.describe(signal.sql, read);
  const fixed = new Set([...signal.key, signal.observedAt]);
  return columns.map((column) => column.name).filter((name) => !fixed.has(name));
}

/** A poll that failed, as its ledger row and the log name it: with the file when the file is at fault. */
export function failedPoll(error: unknown, signal: Signal): PollResult {
  let reason = String((error as Error)?.message ?? error);
  if (error instanceof ReadbackError) {
    const file = error.code === 'SIGNAL_SQL' ? `${signal.file} ` : '';
    reason = `${file}${error.code}: ${error.message}`;
  }
  return { ...none, state: 'failed', reason, members: null, rowsRead: 0 };
}
