import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Apart } from './apart.ts';
import type { Held } from './crm.ts';
import type { EndToEnd } from './end-to-end.ts';
import { type Bench, writeDuckDb } from './measurement.ts';
import { customers, endToEndFiles, enterAll, writeProject } from './project-files.ts';
import type { Balance } from './settled.ts';

/** The sandbox's limit, which is the vendor's smallest, and what its batches hold. */
const calls = 100;
const windowSeconds = 10;
const batch = 100;
/** Records handled in a window when every call is full. A verified one is handled twice: written, and read back. */
const perWindow = calls * batch;

export interface QuotaFigures {
  /** Share of what the limit allows; 1 is all of it. */
  use: number;
  verifiedPerSecond: number;
  processes: number;
}

/**
 * Verified records per second at the vendor's real limit, by one or several worker processes. The first window fills
 * the pipe and the last empties it; measured is from one to the other.
 */
export async function measureQuota(bench: Bench, processes: number): Promise<QuotaFigures> {
  const { windows, lanes } = bench.options;
  const records = ((windows + 2) * perWindow) / 2;
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const database = await bench.server.create();
  const crm = await bench.start('crm.ts', { limited: true, latencyMs: 0 });
  try {
    await writeProject(folder, endToEndFiles(lanes, ''));
    const write = (sql: string) => writeDuckDb(bench, join(folder, 'warehouse.duckdb'), sql);
    await write(customers(records));
    const env = await crm.ask<Record<string, string>>('environment');
    const workers: Apart[] = [];
    for (let worker = 0; worker < processes; worker += 1) {
      workers.push(await bench.start('end-to-end.ts', { root: folder, url: database.url, env }));
    }
    const first = workers[0] as Apart;
    await first.ask('baseline');
    await write(enterAll);
    const took = await first.ask<EndToEnd>('run');
    const balance = await first.ask<Balance>('balance');
    const seconds = await first.ask<number>('stretch', { from: perWindow, to: (windows + 1) * perWindow });
    const held = await crm.ask<Held>('held');
    for (const worker of workers) await worker.end();
    requireSound(took.entered, balance, held);
    const use = (windows * windowSeconds) / seconds;
    return { use, verifiedPerSecond: (windows * perWindow) / 2 / seconds, processes };
  } finally {
    await crm.end();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One request beyond the limit, or one record that is not verified, and the figure says nothing. */
function requireSound(entered: number, balance: Balance, held: Held): void {
  const sound =
    held.breaches === 0 &&
    held.mostWrites === 1 &&
    held.records === entered &&
    balance.verified === entered &&
    balance.unaccounted === 0;
  if (!sound) throw new Error(`void: ${JSON.stringify({ entered, ...balance, ...held })}`);
}
