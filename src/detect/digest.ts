import type pg from 'pg';
import { queries } from '../store/queries.ts';
import { compareInWarehouse } from './compare.ts';
import { countPresent, type Found, holdIfEmpty, type Known, receiveMembers, type Source } from './found.ts';

/**
 * Keys are spread over this many buckets. An unchanged poll fetches one row for each; one changed entity makes
 * 1/16,384 of the set be fetched. Of 1M rows with 1,000 changed ones, spread evenly, 6 % are fetched; with 1,024 buckets
 * it was all of them.
 */
export const bucketCount = 16_384;

const sql = queries('detect');

/** `diff: digest`: only buckets whose digest is not that of the last poll are compared. */
export async function findByDigest(client: pg.PoolClient, source: Source, known: Known): Promise<Found> {
  const survey = await surveyBuckets(client, source);
  const { changed, bucketsRead, bucketsKnown } = survey;
  // A poll that compared in another way left no digests, but a set.
  const counted = bucketsKnown > 0 ? survey.present : await countPresent(client, source);
  const present = known.comparable ? counted : 0;
  await holdIfEmpty(source, survey.rows, present);
  const described = known.comparable && (bucketsKnown > 0 || present === 0);
  if (described && changed.length === 0) return { kind: 'nothing', present, rowsRead: bucketsRead };
  const some = described && changed.length <= bucketCount / 2;
  if (some) {
    const compared = await compareInWarehouse(client, source, bucketCount, changed, survey.presentInChanged);
    if (compared)
      return { ...compared, present, rowsRead: bucketsRead + compared.rowsRead, buckets: changed };
  }
  const members = source.warehouse.members(source.query, bucketCount, some ? changed : undefined);
  const rowsRead = bucketsRead + (await receiveMembers(client, source, members));
  return { kind: 'members', present, rowsRead, digests: 'incoming', ...(some && { buckets: changed }) };
}

interface Survey {
  /** Buckets whose digest is not that of the last poll. */
  changed: number[];
  /** Rows that the warehouse counts. */
  rows: number;
  bucketsRead: number;
  /** Buckets of the last set. */
  bucketsKnown: number;
  /** Entities in the last set, and those of them in buckets that changed. */
  present: number;
  presentInChanged: number;
}

interface KnownBucket {
  bucket: number;
  rows: number;
  members: number;
  digest: string;
}

async function surveyBuckets(client: pg.PoolClient, source: Source): Promise<Survey> {
  // Both at once: the ledger's 16,384 rows take a tenth of what the warehouse needs for a million.
  const [known, found] = await Promise.all([
    sql.run<KnownBucket>(client, 'known_digests', { signal: source.signal.name }),
    readDigests(source),
  ]);
  const stored = new Map(known.map((bucket) => [bucket.bucket, bucket]));
  const sizes = { bucketsRead: found.length, bucketsKnown: known.length };
  const survey: Survey = { changed: [], rows: 0, ...sizes, present: 0, presentInChanged: 0 };
  for (const { members } of known) survey.present += members;
  const change = (bucket: number): void => {
    survey.changed.push(bucket);
    survey.presentInChanged += stored.get(bucket)?.members ?? 0;
  };
  const seen = new Set<number>();
  for (const [bucket, rows, sum] of found) {
    const last = stored.get(Number(bucket));
    if (`${last?.rows}:${last?.digest}` !== `${rows}:${sum}`) change(Number(bucket));
    survey.rows += Number(rows);
    seen.add(Number(bucket));
  }
  for (const { bucket } of known) if (!seen.has(bucket)) change(bucket);
  return survey;
}

/** A bucket's number, its rows, and the sum of their hashes; at most one row for each bucket. */
async function readDigests({ warehouse, query, read }: Source): Promise<[string, string, string][]> {
  const found: [string, string, string][] = [];
  for await (const batch of warehouse.read(warehouse.digest(query, bucketCount), read)) {
    found.push(...(batch as [string, string, string][]));
  }
  return found;
}
