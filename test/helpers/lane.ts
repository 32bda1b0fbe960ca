import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Lane } from '../../src/ledger/lane.ts';

/** Takes a lane as a worker would whose process has never said that it is there: anyone may take the lane from it. */
export async function takeLane(pool: pg.Pool, destination: string, holder = 'a test'): Promise<Lane> {
  const lane = await Lane.take(pool, destination, 0, { holder, process: randomUUID(), lagMs: 0 });
  if (!lane) throw new Error(`somebody is at ${destination}/0`);
  return lane;
}
