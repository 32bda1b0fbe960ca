import type pg from 'pg';
import type { Signal } from '../config/model.ts';
import { decodeEntity, encodeEntity } from '../ledger/entity.ts';
import { queries } from '../store/queries.ts';
import type { Column, ReadOptions, SignalQuery, Value, Warehouse } from '../warehouses/warehouse.ts';
import { bucketCount } from './digest.ts';
import { hasNoRow, moveTables } from './found.ts';
import type { Counts } from './guards.ts';
import { shapeOf, signalQuery } from './poll.ts';

const sql = queries('detect');
/** Connections whose session has these tables. */
const prepared = new WeakSet<pg.PoolClient>();

/** What looking at single entities needs to know of a signal; asked of the warehouse once. */
export interface Lens {
  query: SignalQuery;
  key: Column[];
  shape: string;
}

export interface LookOptions {
  /** As texts, see `ledger/entity.ts`. */
  entities: readonly string[];
  lens: Lens;
  signal: AbortSignal;
  /** Whom to tell, with the commit, that there is something to do. */
  news: string;
  /** Makes messages and actions of what was found, in the same transaction. */
  emit(client: pg.PoolClient, poll: string, moves: Counts): Promise<void>;
}

/** `whole`: only a poll of the whole set can tell. */
export type Looked = ({ state: 'done' } & Counts) | { state: 'whole'; reason: string } | { state: 'paused' };

export async function openLens(signal: Signal, warehouse: Warehouse, read: ReadOptions): Promise<Lens> {
  const query = await signalQuery(signal, warehouse, read);
  const columns = await warehouse.describe(signal.sql, read);
  const key = signal.key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  if (key.length < signal.key.length) throw new Error(`${signal.file} does not return its key`);
  return { query, key, shape: shapeOf(signal, query) };
}

/** Why single entities of this signal cannot be looked at; undefined when they can. */
export function wholeOnly({ diff, guard }: Signal): string | undefined {
  // The snapshot in the warehouse is of the whole set, and would no longer be that of the ledger.
  if (diff === 'warehouse') return 'its set is kept in the warehouse';
  const { maxNew, maxNewRatio, maxAgeMs, sourceFreshness } = guard;
  return (maxNew ?? maxNewRatio ?? maxAgeMs ?? sourceFreshness) === undefined
    ? undefined
    : 'its guard judges a whole poll';
}

/**
 * A poll of single entities: what the warehouse has of them now, against what the set has. Everything else stays as it
 * is, so that the next whole poll finds nothing that was found here, and misses nothing.
 *
 * @param client holds the signal's lock
 */
export async function look(
  client: pg.PoolClient,
  warehouse: Warehouse,
  signal: Signal,
  options: LookOptions,
): Promise<Looked> {
  const { lens } = options;
  const read = { signal: options.signal, timeoutMs: signal.timeoutMs };
  const [known, found] = await Promise.all([
    sql.one<{ comparable: boolean; paused: boolean }>(client, 'known_signal', {
      signal: signal.name,
      shape: lens.shape,
    }),
    readEntities(warehouse, lens, options.entities, read),
  ]);
  if (known?.paused) return { state: 'paused' };
  if (!known?.comparable) return { state: 'whole', reason: 'there is no set to compare with yet' };
  if (!found) return { state: 'whole', reason: 'a key is missing or returned more than once' };
  // Whoever rebuilds a table deletes first: what left then left for nothing.
  if (found.size === 0 && !signal.guard.allowEmpty && (await hasNoRow(signal, warehouse, read)))
    return { state: 'whole', reason: 'no rows returned' };
  const moves = await commit(client, signal, found, options);
  return { state: 'done', ...moves };
}

/** Of each entity that has a row: bucket, armed, fingerprint, observed_at. */
type Found = Map<string, readonly [Value, Value, Value, Value]>;

/** Undefined when two rows have one key, or one has none. */
async function readEntities(
  warehouse: Warehouse,
  { query, key }: Lens,
  entities: readonly string[],
  read: ReadOptions,
): Promise<Found | undefined> {
  const keys = entities.map((entity) => decodeEntity(entity, key.length));
  const rows = warehouse.lookup(query.sql, key, keys);
  const members = warehouse.members({ ...query, sql: rows.sql }, bucketCount);
  const found: Found = new Map();
  for await (const batch of warehouse.read({ sql: members.sql, params: rows.params }, read)) {
    for (const [bucket = null, armed = null, fingerprint = null, , observedAt = null, ...values] of batch) {
      const entity = encodeEntity(values);
      if (entity === null || found.has(entity)) return undefined;
      found.set(entity, [bucket, armed, fingerprint, observedAt]);
    }
  }
  return found;
}

async function commit(
  client: pg.PoolClient,
  signal: Signal,
  found: Found,
  { entities, news, emit }: LookOptions,
): Promise<Counts> {
  // The warehouse's own text of a key counts; one that was asked for in another way is found, and is nobody as asked.
  const all = [...new Set([...found.keys(), ...entities])];
  const column = (at: 0 | 1 | 2 | 3) => all.map((entity) => found.get(entity)?.[at] ?? null);
  if (!prepared.has(client)) for (const table of moveTables) await sql.run(client, `create_${table}`);
  prepared.add(client);
  await client.query('begin');
  try {
    const moves = await sql.one<Counts>(client, 'find_moves_among', {
      signal: signal.name,
      entities: all,
      buckets: column(0),
      armed: column(1),
      fingerprints: column(2),
      observed: column(3),
    });
    const { entered = 0, changed = 0, departed = 0 } = moves ?? {};
    if (entered + changed + departed > 0) {
      await sql.run(client, 'commit_lazily');
      await sql.run(client, 'apply_moves', { signal: signal.name, silent: false, only: [] });
      const rows = { rows_read: found.size, entered, changed, departed };
      const recorded = await sql.one<{ id: string }>(client, 'record_look', {
        signal: signal.name,
        ...rows,
        news,
      });
      await emit(client, recorded?.id ?? '', { entered, changed, departed });
    }
    await client.query('commit');
    return { entered, changed, departed };
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}
