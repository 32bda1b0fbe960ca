import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Apart } from './apart.ts';
import type { Held } from './crm.ts';
import type { EndToEnd } from './end-to-end.ts';
import { type Bench, writeDuckDb } from './measurement.ts';
import { customers, endToEndFiles, enterAll, enterFirst, noLimit, writeProject } from './project-files.ts';
import type { Balance } from './settled.ts';

export interface EndToEndFigures {
  bareActionsPerSecond: number;
  bareInsertSeconds: number;
  bareDrainSeconds: number;
  endToEndActionsPerSecond: number;
  pollSeconds: number;
  requests: number;
  /** Processor time for each action, in microseconds; NaN where the system does not tell. */
  engineCpuMicroseconds: number;
  ledgerCpuMicroseconds: number;
  sandboxCpuMicroseconds: number;
  /** Of the bare ledger, its workers and Postgres together. */
  bareCpuMicroseconds: number;
  peakRssMb: number;
}

/** The bare ledger and the whole path, one after the other on the same server. */
export async function measureEndToEnd(bench: Bench): Promise<EndToEndFigures> {
  const bare = await bareLedger(bench);
  const crm = await bench.start('crm.ts', { limited: false, latencyMs: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const database = await bench.server.create();
  try {
    const whole = await wholePath(bench, crm, folder, database.url);
    return { ...bare, ...whole };
  } finally {
    await crm.end();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function bareLedger({ start, server, options }: Bench) {
  const { actions, lanes } = options;
  const database = await server.create();
  const child = await start('bare-ledger.ts', { url: database.url, actions, workers: lanes });
  const processor = async () => (await child.ask<number>('processor')) + server.processorTime();
  const before = await processor();
  const took = await child.ask<{ insertSeconds: number; drainSeconds: number }>('run');
  const bareCpuMicroseconds = ((await processor()) - before) / actions;
  await child.end();
  await database.drop();
  return {
    bareActionsPerSecond: actions / (took.insertSeconds + took.drainSeconds),
    bareInsertSeconds: took.insertSeconds,
    bareDrainSeconds: took.drainSeconds,
    bareCpuMicroseconds,
  };
}

async function wholePath(bench: Bench, crm: Apart, folder: string, url: string) {
  const { actions, lanes, profile } = bench.options;
  const write = (sql: string) => writeDuckDb(bench, join(folder, 'warehouse.duckdb'), sql);
  await writeProject(folder, endToEndFiles(lanes, noLimit));
  await write(customers(actions));
  const env = await crm.ask<Record<string, string>>('environment');
  const child = await bench.start('end-to-end.ts', { root: folder, url, env }, profile);
  await child.ask('baseline');
  await write(enterFirst);
  await child.ask('run');
  await write(enterAll);
  const processor = async () => ({
    engine: await child.ask<number>('processor'),
    ledger: bench.server.processorTime(),
    sandbox: await crm.ask<number>('processor'),
  });
  const before = await processor();
  const took = await child.ask<EndToEnd>('run');
  const after = await processor();
  const balance = await child.ask<Balance>('balance');
  const held = await crm.ask<Held>('held');
  const peakRssMb = await child.end();
  requireWhole(actions, took, balance, held);
  return {
    endToEndActionsPerSecond: actions / took.seconds,
    pollSeconds: took.pollSeconds,
    requests: held.requests,
    engineCpuMicroseconds: (after.engine - before.engine) / actions,
    ledgerCpuMicroseconds: (after.ledger - before.ledger) / actions,
    sandboxCpuMicroseconds: (after.sandbox - before.sandbox) / actions,
    peakRssMb,
  };
}

/** Speed without every record written once, read back and accounted for is no figure at all. */
function requireWhole(actions: number, took: EndToEnd, balance: Balance, held: Held): void {
  // The one that warmed up is in the ledger and at the destination too.
  const all = actions + 1;
  const sound =
    took.entered === actions &&
    balance.detected === all &&
    balance.verified === all &&
    balance.unaccounted === 0 &&
    held.records === all &&
    held.mostWrites === 1;
  if (!sound) {
    throw new Error(
      `void: of ${all} actions ${JSON.stringify({ ...took, ...balance, ...held })} at the destination and in the ledger`,
    );
  }
}
