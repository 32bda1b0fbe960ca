import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { staleSource } from '../dbt/freshness.ts';
import { ReadbackError } from '../errors.ts';
import { queries } from '../store/queries.ts';
import type { ReadOptions, SignalQuery, Value, Warehouse } from '../warehouses/warehouse.ts';
import { commit } from './commit.ts';
import { findByDigest } from './digest.ts';
import type { Found, Known, Source } from './found.ts';
import { ageColumn, type Counts, guardAge, Held } from './guards.ts';
import { findByRows } from './rows.ts';
import { dropOldSnapshots, findInWarehouse } from './snapshot.ts';

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
  /** Everything but the commit: the ledger and the warehouse stay as they are, and the next poll finds the same. */
  rehearse?: boolean;
  /** Runs in the poll's transaction when there are transitions; makes messages and actions of them. */
  emit(client: pg.PoolClient, moves: Counts): Promise<void>;
}

const sql = queries('detect');

const none: Counts = { entered: 0, changed: 0, departed: 0 };
const unknown: Known = { comparable: false, snapshot: null, snapshot_members: null, snapshots: [] };

/** How a poll finds what differs from the last set, by the header's `diff`. */
const finders: Record<
  Signal['diff'],
  (client: pg.PoolClient, source: Source, known: Known) => Promise<Found>
> = { digest: findByDigest, rows: findByRows, warehouse: findInWarehouse };

/**
 * One poll of a signal: finds what differs from the last set, and commits transitions, new set and messages together.
 * Level-triggered: whatever a poll did not commit, the next derives again.
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
  const source: Source = { signal, warehouse, query, read };
  const shape = shapeOf(signal, query);
  const identity = { signal: signal.name, shape };
  const known = (await sql.one<Known>(client, 'known_signal', identity)) ?? unknown;
  try {
    await guardSource(source);
    // A snapshot is a table in the warehouse; rows need none, and the set is in the ledger all the same.
    const diff = options.rehearse && signal.diff === 'warehouse' ? 'rows' : signal.diff;
    const found = await finders[diff](client, source, known);
    const { present, rowsRead } = found;
    if (found.kind === 'nothing') return { ...none, state: 'done', reason: null, members: present, rowsRead };
    const committed = await commit(client, source, shape, known, found, options);
    const state = known.comparable ? 'done' : 'baseline';
    return { ...committed, state, reason: null, rowsRead };
  } catch (error) {
    if (error instanceof Held) {
      return { ...none, state: 'held', reason: error.message, members: null, rowsRead: 0 };
    }
    throw error;
  } finally {
    // Gives the space back; the tables themselves stay with the connection.
    await sql.run(client, 'clear_tables').catch(() => {});
    // What could not be dropped is known to the ledger, and the next poll that makes one begins with it.
    const snapshots = signal.diff === 'warehouse' || known.snapshots.length > 0;
    if (snapshots && !options.rehearse) await dropOldSnapshots(client, source).catch(() => {});
  }
}

/** A source that nobody has written to for too long says nothing about today. */
async function guardSource({ signal, warehouse, read }: Source): Promise<void> {
  const { maxAgeMs, sourceFreshness } = signal.guard;
  const old = sourceFreshness && signal.dbt && (await staleSource(signal.dbt.freshness, sourceFreshness));
  if (old) throw new Held(old);
  const column = ageColumn(signal);
  if (maxAgeMs === undefined || column === undefined) return;
  let newest: Value = null;
  for await (const [row] of warehouse.read(warehouse.newest(signal.sql, column), read)) {
    newest = row?.[0] ?? null;
  }
  const stale = guardAge(signal, newest === null ? undefined : Date.now() - Date.parse(newest));
  if (stale) throw new Held(stale);
}

/** Tracking every column makes the columns part of what two sets must share to be compared. */
export function shapeOf(signal: Signal, query: SignalQuery): string {
  return signal.track ? signal.shape : `${signal.shape} ${query.track.join(',')}`.trim();
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
  const fixed = new Set([...signal.key, signal.observedAt, signal.guard.loadedAt]);
  return columns.map((column) => column.name).filter((name) => !fixed.has(name));
}

/** A poll that was not begun. */
export function skippedPoll(reason: string): PollResult {
  return { ...none, state: 'skipped', reason, members: null, rowsRead: 0 };
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
