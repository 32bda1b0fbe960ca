import type pg from 'pg';
import type { Signal, Transition } from '../config/model.ts';
import { decodeEntity, encodeEntity } from '../ledger/entity.ts';
import { queries } from '../store/queries.ts';
import { together } from '../store/together.ts';
import type { Column, ReadOptions, SignalQuery, Value, Warehouse } from '../warehouses/warehouse.ts';
import { bucketCount } from './digest.ts';
import { hasNoRow, moveTables } from './found.ts';
import type { Counts } from './guards.ts';
import { lockAndAsk, unlockSignal } from './lock.ts';
import { shapeOf, signalQuery } from './poll.ts';

const sql = queries('detect');
/** How many looks each connection has begun. */
const looks = new WeakMap<pg.PoolClient, number>();
/** What is deleted leaves a pointer behind in its table, which is therefore truncated once in so many looks. */
const looksUntilCleared = 100;

/** What looking at single entities needs to know of a signal; asked of the warehouse once. */
export interface Lens {
  query: SignalQuery;
  key: Column[];
  /** Of the row; none where two have one name. */
  columns: Column[];
  shape: string;
}

export interface LookOptions {
  /** As texts, see `ledger/entity.ts`. */
  entities: readonly string[];
  lens: Lens;
  signal: AbortSignal;
  /** Whom to tell, with the commit, that there is something to do. */
  news: string;
  /** Told, before it is committed, of the rows of those that moved: their values in the order of the lens' columns. */
  onRows?(poll: string, rows: ReadonlyMap<string, readonly Value[]>): void;
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
  const names = columns.map(({ name }) => name);
  const distinct = new Set(names.map((name) => name.toLowerCase())).size === names.length;
  const row = distinct ? names : [];
  return { query: { ...query, row }, key, columns: distinct ? columns : [], shape: shapeOf(signal, query) };
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
 * @param client locks the signal, and must end should this throw; a connection that need not wait for answers makes two
 * round trips of it
 * @returns undefined when somebody else has had the signal for too long
 */
export async function look(
  client: pg.PoolClient,
  warehouse: Warehouse,
  signal: Signal,
  options: LookOptions,
): Promise<Looked | undefined> {
  const before = looks.get(client) ?? 0;
  looks.set(client, before + 1);
  if (before === 0) for (const table of moveTables) await sql.run(client, `create_${table}`);
  if (before % looksUntilCleared === 0) await sql.run(client, 'clear_moves');
  const known = await lockAndAsk(client, signal, () => whatIsKnown(client, signal, options));
  if (!known) return undefined;
  const judged = await judge(client, warehouse, signal, known, options);
  if (!('moves' in judged) || judged.moves.length === 0) {
    await unlockSignal(client, signal);
    return 'moves' in judged ? { state: 'done', ...countsOf([]) } : judged;
  }
  if (options.lens.columns.length > 0)
    options.onRows?.(
      known.poll,
      new Map(judged.moves.flatMap(({ entity, values }) => (values ? [[entity, values]] : []))),
    );
  await write(client, signal, known.poll, judged, options);
  // Whoever looks next finds the lock free.
  await together(client, [() => client.query('commit'), () => unlockSignal(client, signal)]);
  return { state: 'done', ...countsOf(judged.moves) };
}

interface KnownSet {
  comparable: boolean;
  paused: boolean;
  /** The number of the poll that this look is, should it find something. */
  poll: string;
  members: [string, Known][];
}

interface Known {
  bucket: number;
  fingerprint: string;
}

async function whatIsKnown(
  client: pg.PoolClient,
  signal: Signal,
  { lens, entities }: LookOptions,
): Promise<KnownSet> {
  const [known, members] = await together(client, [
    () =>
      sql.one<Omit<KnownSet, 'members'>>(client, 'known_to_look', { signal: signal.name, shape: lens.shape }),
    () => knownAmong(client, signal, entities),
  ]);
  return { comparable: false, paused: false, poll: '', ...known, members };
}

async function knownAmong(
  client: pg.PoolClient,
  { name }: Signal,
  entities: readonly string[],
): Promise<[string, Known][]> {
  const members = await sql.run<Known & { entity: string }>(client, 'known_among', {
    signal: name,
    entities,
  });
  return members.map((one) => [one.entity, one]);
}

/** What the warehouse has, and what follows from it. */
async function judge(
  client: pg.PoolClient,
  warehouse: Warehouse,
  signal: Signal,
  { comparable, paused, members }: KnownSet,
  { lens, entities, signal: stop }: LookOptions,
): Promise<Judged | Exclude<Looked, { state: 'done' }>> {
  if (paused) return { state: 'paused' };
  if (!comparable) return { state: 'whole', reason: 'there is no set to compare with yet' };
  const read = { signal: stop, timeoutMs: signal.timeoutMs };
  const found = await readEntities(warehouse, lens, entities, read);
  if (!found) return { state: 'whole', reason: 'a key is missing or returned more than once' };
  // Whoever rebuilds a table deletes first: what left then left for nothing.
  if (found.size === 0 && !signal.guard.allowEmpty && (await hasNoRow(signal, warehouse, read)))
    return { state: 'whole', reason: 'no rows returned' };
  // The warehouse's own text of a key counts; one that was asked for in another way is found, and is nobody as asked.
  const asked = new Set(entities);
  const others = [...found.keys()].filter((entity) => !asked.has(entity));
  const known = new Map(members);
  if (others.length > 0)
    for (const [entity, one] of await knownAmong(client, signal, others)) known.set(entity, one);
  const moves = [...asked, ...others].flatMap(
    (entity) => moveOf(entity, found.get(entity), known.get(entity)) ?? [],
  );
  return { rowsRead: found.size, moves };
}

interface Judged {
  rowsRead: number;
  moves: EntityMove[];
}

interface EntityMove extends Known {
  entity: string;
  transition: Transition;
  observedAt: Value;
  /** Of its row, when it has one. */
  values?: readonly Value[];
}

function moveOf(entity: string, found: Row | undefined, known: Known | undefined): EntityMove | undefined {
  if (!found) return known && { entity, transition: 'left', observedAt: null, ...known };
  const { armed, ...row } = found;
  if (!known) return armed ? { entity, transition: 'entered', ...row } : undefined;
  return row.fingerprint === known.fingerprint ? undefined : { entity, transition: 'changed', ...row };
}

function countsOf(moves: readonly EntityMove[]): Counts {
  const count = (transition: Transition) => moves.filter((one) => one.transition === transition).length;
  return { entered: count('entered'), changed: count('changed'), departed: count('left') };
}

/** An entity that has a row. */
interface Row extends Known {
  armed: boolean;
  observedAt: Value;
  values: readonly Value[];
}

/** Undefined when two rows have one key, or one has none. */
async function readEntities(
  warehouse: Warehouse,
  { query, key }: Lens,
  entities: readonly string[],
  read: ReadOptions,
): Promise<Map<string, Row> | undefined> {
  const keys = entities.map((entity) => decodeEntity(entity, key.length));
  const rows = warehouse.lookup(query.sql, key, keys);
  const members = warehouse.members({ ...query, sql: rows.sql }, bucketCount);
  const found = new Map<string, Row>();
  for await (const batch of warehouse.read({ sql: members.sql, params: rows.params }, read)) {
    for (const [bucket = null, armed, fingerprint, , observedAt = null, ...rest] of batch) {
      const entity = encodeEntity(rest.slice(0, key.length));
      const values = rest.slice(key.length);
      if (entity === null || found.has(entity)) return undefined;
      const [number, print] = [Number(bucket), String(fingerprint)];
      found.set(entity, { bucket: number, armed: armed === 'true', fingerprint: print, observedAt, values });
    }
  }
  return found;
}

/** All but the commit, which nothing may come after that could still fail. */
async function write(
  client: pg.PoolClient,
  { name }: Signal,
  poll: string,
  { rowsRead, moves }: Judged,
  { news, emit }: LookOptions,
): Promise<void> {
  const counts = countsOf(moves);
  const column = <Name extends keyof EntityMove>(of: Name) => moves.map((one) => one[of]);
  const found = {
    entities: column('entity'),
    buckets: column('bucket'),
    transitions: column('transition'),
    fingerprints: column('fingerprint'),
    observed: column('observedAt'),
  };
  await together(client, [
    () => client.query('begin'),
    () => sql.run(client, 'delete_moves'),
    () => sql.run(client, 'take_moves', found),
    () => sql.run(client, 'apply_moves', { signal: name, silent: false, only: [] }),
    () => sql.run(client, 'record_look', { poll, signal: name, rows_read: rowsRead, ...counts, news }),
    () => emit(client, poll, counts),
  ]);
}
