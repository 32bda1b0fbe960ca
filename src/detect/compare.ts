import type pg from 'pg';
import { decodeEntity } from '../ledger/entity.ts';
import { queries } from '../store/queries.ts';
import type { Column, KnownEntity, Value } from '../warehouses/warehouse.ts';
import { type BucketDigest, type Found, receive, type Source } from './found.ts';

/**
 * Entities that are sent to the warehouse to be compared there, at most: bounds memory and the size of the query. 60,000 of
 * them take a third of the time that it takes to fetch as many members and to compare them in the ledger.
 */
const comparedAtMost = 100_000;

const sql = queries('detect');

/**
 * Lets the warehouse compare the members of some buckets with what the ledger knows of them, so that only what differs is
 * fetched. Undefined when it cannot, when they are too many, or when keys are missing or not unique: then the members are
 * to be fetched, which says which.
 *
 * @param present how many entities the ledger knows in these buckets
 */
export async function compareInWarehouse(
  client: pg.PoolClient,
  source: Source,
  bucketCount: number,
  buckets: number[],
  present: number,
): Promise<Pick<Found, 'kind' | 'rowsRead' | 'digests'> | undefined> {
  const { signal, warehouse, query, read } = source;
  if (!warehouse.differences || present > comparedAtMost) return undefined;
  const [key, before] = await Promise.all([
    keyColumns(source),
    sql.run<KnownBucket>(client, 'known_entities', { signal: signal.name, buckets }),
  ]);
  const known = before.flatMap((bucket) => entitiesOf(bucket, key.length));
  const counts = new Map(before.map(({ bucket, entities }) => [bucket, entities.length]));
  const statement = warehouse.differences(query, key, bucketCount, buckets, known);
  const digests: BucketDigest[] = [];
  let sound = true;
  const differences = async function* (): AsyncGenerator<Value[][]> {
    for await (const batch of warehouse.read(statement, read)) {
      const rows: Value[][] = [];
      for (const [kind, ...row] of batch) {
        if (kind === 'difference') rows.push(row);
        else if (kind === 'digest') digests.push(toDigest(row, counts));
        else sound = false;
      }
      yield rows;
    }
  };
  const rows = await receive(client, differences());
  return sound ? { kind: 'differences', rowsRead: rows + digests.length, digests } : undefined;
}

interface KnownBucket {
  bucket: number;
  /** Side by side with their fingerprints. */
  entities: string[];
  fingerprints: string[];
}

function entitiesOf({ bucket, entities, fingerprints }: KnownBucket, width: number): KnownEntity[] {
  return entities.map((entity, at) => {
    const fingerprint = fingerprints[at];
    if (fingerprint === undefined) throw new Error(`bucket ${bucket} has fewer fingerprints than entities`);
    return knownEntity({ entity, fingerprint }, width);
  });
}

/** As the ledger has it. */
export interface KnownRow {
  entity: string;
  fingerprint: string;
}

export function knownEntity({ entity, fingerprint }: KnownRow, width: number): KnownEntity {
  return { key: decodeEntity(entity, width), fingerprint };
}

/** The key's columns with their types, in the order of the key. */
export async function keyColumns({ signal, warehouse, read }: Source): Promise<Column[]> {
  const columns = await warehouse.describe(signal.sql, read);
  return signal.key.map((name) => {
    const column = columns.find((one) => one.name === name);
    if (!column) throw new Error(`the signal returns no column ${name}`);
    return column;
  });
}

/** In the places of fingerprint and hash. */
function toDigest([bucket, , rows, digest]: Value[], present: ReadonlyMap<number, number>): BucketDigest {
  const number = Number(bucket);
  return { bucket: number, rows: String(rows), present: present.get(number) ?? 0, digest: String(digest) };
}
