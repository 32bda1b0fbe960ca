import type pg from 'pg';
import { bucketCount } from './digest.ts';
import { countPresent, type Found, holdIfEmpty, type Known, receiveMembers, type Source } from './found.ts';

/** `diff: rows`: every member is fetched and compared in the ledger. */
export async function findByRows(client: pg.PoolClient, source: Source, known: Known): Promise<Found> {
  const present = known.comparable ? await countPresent(client, source) : 0;
  const copied = await receiveMembers(client, source, source.warehouse.members(source.query, bucketCount));
  await holdIfEmpty(source, copied, present);
  return { kind: 'members', present, rowsRead: copied };
}
