import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Held } from './crm.ts';
import { type Bench, writeDuckDb } from './measurement.ts';
import { customers, endToEndFiles, enterAll, noLimit, writeProject } from './project-files.ts';
import type { Balance } from './settled.ts';

/** Actions per second of one worker process and of four on the same ledger. */
export interface WorkersFigures {
  /** The destination answers as fast as the machine lets it. */
  oneWorkerPerSecond: number;
  fourWorkersPerSecond: number;
  /** Every call takes a while, as at a vendor. */
  oneWorkerWaitingPerSecond: number;
  fourWorkersWaitingPerSecond: number;
}

/** What a call takes at a vendor: a batch of HubSpot about 400 ms, so this is the harder case. */
const vendorLatencyMs = 200;
/** There are four drains, and each must only outlast its beginning. */
const shareOfActions = 5;
/** Enough for four processes, each of which works four at once. */
const lanes = 16;

/** The same drain by one process and by four, with a destination that is only busy and with one that takes its time. */
export async function measureWorkers(bench: Bench): Promise<WorkersFigures> {
  return {
    oneWorkerPerSecond: await drain(bench, 1, 0),
    fourWorkersPerSecond: await drain(bench, 4, 0),
    oneWorkerWaitingPerSecond: await drain(bench, 1, vendorLatencyMs),
    fourWorkersWaitingPerSecond: await drain(bench, 4, vendorLatencyMs),
  };
}

/** Actions per second, from the first send to the last verdict; all of them are planned before the first worker starts. */
async function drain(bench: Bench, workers: number, latencyMs: number): Promise<number> {
  const { start, server, options } = bench;
  const actions = Math.ceil(options.actions / shareOfActions);
  const crm = await start('crm.ts', { limited: false, latencyMs });
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const database = await server.create();
  try {
    await writeProject(folder, endToEndFiles(lanes, noLimit));
    const env = await crm.ask<Record<string, string>>('environment');
    const place = { root: folder, url: database.url, env };
    await plan(bench, folder, place, actions);
    const children = await Promise.all(Array.from({ length: workers }, () => start('worker.ts', place)));
    await Promise.all(children.map((child) => child.ask('work')));
    const drained = await children[0]?.ask<Balance & { seconds: number }>('drained');
    const held = await crm.ask<Held>('held');
    for (const child of children) await child.end();
    const whole = drained?.verified === actions && drained.unaccounted === 0;
    if (!whole || held.records !== actions || held.mostWrites !== 1) {
      throw new Error(`void: of ${actions} actions ${JSON.stringify({ ...drained, ...held })}`);
    }
    return actions / drained.seconds;
  } finally {
    await crm.end();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function plan(bench: Bench, folder: string, place: object, actions: number): Promise<void> {
  const write = (sql: string) => writeDuckDb(bench, join(folder, 'warehouse.duckdb'), sql);
  // There is one more of them than asked for.
  await write(customers(actions - 1));
  const planner = await bench.start('planner.ts', place);
  await planner.ask('poll');
  await write(enterAll);
  const entered = await planner.ask<number>('poll');
  await planner.end();
  if (entered !== actions) throw new Error(`void: ${entered} of ${actions} entered`);
}
