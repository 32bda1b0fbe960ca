import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { ReadbackError } from '../errors.ts';
import { queries } from '../store/queries.ts';
import type { Column, Snapshots } from '../warehouses/warehouse.ts';
import { type KnownRow, keyColumns, knownEntity } from './compare.ts';
import { bucketCount } from './digest.ts';
import { countPresent, type Found, holdIfEmpty, type Known, receive, type Source } from './found.ts';
import { guardRows, Held } from './guards.ts';

/** Entities that are sent to the warehouse at a time when a snapshot is made of the ledger's set. */
const seededAtOnce = 20_000;

const sql = queries('detect');

/**
 * `diff: warehouse`: a snapshot of the set stays in the warehouse, the new one is compared with it there, and only what
 * differs is fetched. The ledger holds the set too, and says which snapshot equals it: that is committed together with the
 * transitions. A snapshot that it does not name is nothing but garbage; one that is missing or has lost rows is made again
 * of the ledger's set. So nothing that happens to the tables in the warehouse invents or loses a transition.
 */
export async function findInWarehouse(client: pg.PoolClient, source: Source, known: Known): Promise<Found> {
  const { warehouse, query, read } = source;
  const { snapshots } = warehouse;
  if (!snapshots) throw cannotKeep(source);
  // Not at leisure: where dropping fails, every poll would leave another table behind.
  await dropOldSnapshots(client, source);
  const key = await keyColumns(source);
  const kept = await wholeSnapshot(source, snapshots, known);
  const present = kept?.members ?? (known.comparable ? await countPresent(client, source) : 0);
  const previous = kept?.name ?? (await seed(client, source, snapshots, key, known.comparable));
  const name = await announce(client, source);
  await snapshots.write(snapshots.take(name, previous, query, bucketCount), read);
  const { rows, members } = await inspect(source, snapshots, name);
  await holdIfEmpty(source, rows, present);
  const differences = snapshots.differences(name, previous, key.length);
  const rowsRead = await receive(client, warehouse.read(differences, read));
  if (kept && rowsRead === 0) return { kind: 'nothing', present, rowsRead };
  return { kind: 'differences', present, rowsRead, snapshot: { name, members } };
}

function cannotKeep({ signal }: Source): ReadbackError {
  return new ReadbackError('CONFIG_VALUE', `warehouse \`${signal.warehouse}\` keeps no snapshots`, {
    place: { file: signal.file, ...signal.places.get('diff') },
    hint: 'write `diff: digest`, or give the warehouse a place to keep them where its type has a setting for it',
  });
}

/** Drops every snapshot that the ledger knows but does not count on. */
export async function dropOldSnapshots(client: pg.PoolClient, source: Source): Promise<void> {
  const { signal, warehouse, read } = source;
  if (!warehouse.snapshots) return;
  const old = await sql.run<{ name: string }>(client, 'old_snapshots', { signal: signal.name });
  for (const { name } of old) {
    await warehouse.snapshots.write(warehouse.snapshots.drop(name), read);
    await sql.run(client, 'forget_snapshot', { signal: signal.name, snapshot: name });
  }
}

/** The snapshot that equals the ledger's set, unless somebody dropped it or a crash of the warehouse emptied it. */
async function wholeSnapshot(
  { warehouse, read }: Source,
  snapshots: Snapshots,
  known: Known,
): Promise<{ name: string; members: number } | undefined> {
  const { snapshot: name, snapshot_members: members } = known;
  if (!known.comparable || name === null || members === null) return undefined;
  try {
    for await (const [row] of warehouse.read(snapshots.count(name), read))
      if (Number(row?.[0]) === members) return { name, members };
  } catch {
    // Whatever it is, it is no snapshot to count on; a warehouse that is away says so again at once.
  }
  return undefined;
}

/** A snapshot of the ledger's set; of nobody, when there is none to compare with. */
async function seed(
  client: pg.PoolClient,
  source: Source,
  snapshots: Snapshots,
  key: Column[],
  comparable: boolean,
): Promise<string> {
  const { signal, query, read } = source;
  const name = await announce(client, source);
  await snapshots.write(snapshots.create(name, query, bucketCount), read);
  let after: string | null = null;
  while (comparable) {
    const page = { signal: signal.name, after, limit: seededAtOnce };
    const entities: KnownRow[] = await sql.run<KnownRow>(client, 'present_entities', page);
    const last: KnownRow | undefined = entities.at(-1);
    if (!last) break;
    const known = entities.map((entity) => knownEntity(entity, key.length));
    await snapshots.write(snapshots.add(name, key, known), read);
    after = last.entity;
  }
  return name;
}

/** A name for a new snapshot, written down before there is one. Nobody else can have it, not even who thinks to be polling. */
async function announce(client: pg.PoolClient, { signal }: Source): Promise<string> {
  const snapshot = `readback_${randomUUID().replaceAll('-', '')}`;
  const { name, version, shape } = signal;
  await sql.run(client, 'announce_snapshot', { signal: name, version, shape, snapshot });
  return snapshot;
}

async function inspect(
  { signal, query, warehouse, read }: Source,
  snapshots: Snapshots,
  name: string,
): Promise<{ rows: number; members: number }> {
  for await (const [row] of warehouse.read(snapshots.inspect(name, query.key.length), read)) {
    const [rows, members, nullKeys, duplicate] = row ?? [];
    const unsound = guardRows(signal, { null_keys: Number(nullKeys), duplicate_key: duplicate ?? null });
    if (unsound) throw new Held(unsound);
    return { rows: Number(rows), members: Number(members) };
  }
  throw new ReadbackError('WAREHOUSE_INCOMPLETE', 'a count came back without a row');
}
