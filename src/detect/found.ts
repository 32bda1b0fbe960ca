import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { queries } from '../store/queries.ts';
import type { ReadOptions, SignalQuery, Value, Warehouse } from '../warehouses/warehouse.ts';
import { copyMembers } from './copy.ts';
import { guardEmpty, guardRows, Held, type IncomingFaults } from './guards.ts';

/** A signal where it is computed. */
export interface Source {
  signal: Signal;
  warehouse: Warehouse;
  query: SignalQuery;
  read: ReadOptions;
}

/** What the ledger holds of a signal's last set. */
export interface Known {
  /** The set can be compared: it was taken before, of the same shape. Otherwise this poll takes the baseline. */
  comparable: boolean;
  /** The warehouse's table that holds the same set; null: none. */
  snapshot: string | null;
  snapshot_members: number | null;
  /** Tables that may be there. */
  snapshots: string[];
}

/** What a poll found. The rows are in the ledger's table `incoming`. */
export interface Found {
  /** `nothing` has changed; all `members` of the buckets; or the `differences` from the ledger's set alone. */
  kind: 'nothing' | 'members' | 'differences';
  /** Entities in the last set. */
  present: number;
  /** Rows fetched from the warehouse. */
  rowsRead: number;
  /** The buckets that were fetched or compared; undefined: all of them. */
  buckets?: readonly number[];
  /** What the next poll compares the warehouse's digests with; by default nothing. */
  digests?: 'incoming' | readonly BucketDigest[];
  /** What the next poll compares in the warehouse. */
  snapshot?: { name: string; members: number };
}

export interface BucketDigest {
  bucket: number;
  rows: string;
  /** Entities of the last set in it. */
  present: number;
  /** The sum of the rows' hashes. */
  digest: string;
}

const sql = queries('detect');
/** Temporary tables of the session that polls or looks, created once for each ledger connection. */
export const moveTables = ['moves', 'fresh'] as const;
const sessionTables = ['incoming', ...moveTables] as const;

/** Puts rows into `incoming`, and nothing else into it. @returns how many */
export async function receive(client: pg.PoolClient, batches: AsyncIterable<Value[][]>): Promise<number> {
  for (const table of sessionTables) await sql.run(client, `create_${table}`);
  await sql.run(client, 'clear_tables');
  const copied = await copyMembers(client, sql.get('copy_incoming').text, batches);
  await sql.run(client, 'analyze_incoming');
  return copied;
}

/** The same with members: their keys must be there and be unique. */
export async function receiveMembers(
  client: pg.PoolClient,
  { signal, warehouse, read }: Source,
  members: Parameters<Warehouse['read']>[0],
): Promise<number> {
  const copied = await receive(client, warehouse.read(members, read));
  const faults = await sql.one<IncomingFaults>(client, 'faults_in_incoming');
  const unsound = faults && guardRows(signal, faults);
  if (unsound) throw new Held(unsound);
  return copied;
}

/** Nobody meeting `when` is news; a source without any row looks like a table that is being rebuilt. */
export async function holdIfEmpty(
  { signal, warehouse, read }: Source,
  rows: number,
  present: number,
): Promise<void> {
  const empty = rows === 0 && present > 0 ? guardEmpty(signal, present) : undefined;
  if (empty === undefined) return;
  if (signal.when !== undefined && !(await hasNoRow(signal, warehouse, read))) return;
  throw new Held(empty);
}

/** Whether the signal's SQL returns nothing at all, members or not. */
export async function hasNoRow(signal: Signal, warehouse: Warehouse, read: ReadOptions): Promise<boolean> {
  for await (const batch of warehouse.read(warehouse.sample(signal.sql, 1), read))
    if (batch.length > 0) return false;
  return true;
}

/** Entities in the ledger's set. */
export async function countPresent(client: pg.PoolClient, { signal }: Source): Promise<number> {
  const counted = await sql.one<{ members: number }>(client, 'count_members', { signal: signal.name });
  return counted?.members ?? 0;
}
