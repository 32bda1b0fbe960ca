import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLedgerServer } from './ledger-server.ts';
import type { Bench } from './measurement.ts';
import { triggerFiles, triggerRows, writeProject } from './project-files.ts';
import { type ReceiverKind, startReceiver } from './receiver.ts';
import type { Balance } from './settled.ts';
import type { Writing } from './write-rows.ts';

export const triggerKinds = ['replicate', 'listen'] as const;
export type TriggerKind = (typeof triggerKinds)[number];

/** From a commit in the warehouse until what it made arrives at the destination, in ms. */
export interface TriggerFigures {
  kind: TriggerKind;
  into: ReceiverKind;
  p50: number;
  p99: number;
  /** The same at one row in 100 ms. */
  quietP50: number;
  quietP99: number;
  /** Processor time for each row at the full rate, in microseconds; the warehouse's with what the application writes. */
  engineCpuMicroseconds: number;
  ledgerCpuMicroseconds: number;
  warehouseCpuMicroseconds: number;
  destinationCpuMicroseconds: number;
}

/** Rows before those that are measured, if so many are: connections open, functions compile. */
const mostWarmUp = 400;
const quietPerSecond = 10;

/** One process of `start`, a Postgres warehouse on a server of its own, a destination, and an application that writes. */
export async function measureTriggers(
  bench: Bench,
  kind: TriggerKind,
  into: ReceiverKind,
): Promise<TriggerFigures> {
  const { signalsPerSecond, seconds } = bench.options;
  const quietRows = Math.ceil((seconds * quietPerSecond) / 2);
  const warmUp = Math.min(mostWarmUp, signalsPerSecond * seconds);
  const rows = warmUp + quietRows + signalsPerSecond * seconds;
  const server = await startLedgerServer({ wal_level: 'logical' });
  const folder = await mkdtemp(join(tmpdir(), 'readback-bench-'));
  const database = await bench.server.create();
  const warehouse = await server.create();
  const receiver = await startReceiver(bench, into);
  try {
    await server.run(warehouse.url, triggerRows(rows));
    await writeProject(folder, triggerFiles(bench.options.lanes, kind, receiver.erp));
    const env = { ...receiver.env, WAREHOUSE_URL: warehouse.url };
    const engine = await bench.start(
      'triggers.ts',
      { root: folder, url: database.url, env },
      bench.options.profile,
    );
    const writer = await bench.start('write-rows.ts', { url: warehouse.url });
    await engine.ask('following');
    const write = async (perSecond: number, from: number, to: number) => {
      const writing: Writing = { perSecond, from, to, notify: kind === 'listen' };
      const commits = await writer.ask<Record<string, number>>('write', writing);
      const balance = await engine.ask<Balance>('settled', to);
      if (balance.verified !== to || balance.unaccounted !== 0)
        throw new Error(`void: of ${to} actions ${JSON.stringify(balance)}`);
      return commits;
    };
    await write(signalsPerSecond, 0, warmUp);
    const slow = await write(quietPerSecond, warmUp, warmUp + quietRows);
    const processor = async () => ({
      engine: await engine.ask<number>('processor'),
      ledger: bench.server.processorTime(),
      warehouse: server.processorTime(),
      destination: await receiver.processor(),
    });
    const before = await processor();
    const fast = await write(signalsPerSecond, warmUp + quietRows, rows);
    const after = await processor();
    const each = (name: keyof typeof after) => (after[name] - before[name]) / (signalsPerSecond * seconds);
    const arrivals = await receiver.arrivals();
    await writer.end();
    await engine.end();
    const [quietP50, quietP99] = latencies(slow, arrivals);
    const [p50, p99] = latencies(fast, arrivals);
    return {
      kind,
      into,
      p50,
      p99,
      quietP50,
      quietP99,
      engineCpuMicroseconds: each('engine'),
      ledgerCpuMicroseconds: each('ledger'),
      warehouseCpuMicroseconds: each('warehouse'),
      destinationCpuMicroseconds: each('destination'),
    };
  } finally {
    await receiver.close();
    await database.drop();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The middle one, and the one that one of a hundred exceeds. */
function latencies(commits: Record<string, number>, arrivals: Record<string, number>): [number, number] {
  const took = Object.entries(commits).map(([sku, at]) => (arrivals[sku] ?? Number.NaN) - at);
  const sorted = took.sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return [at(0.5), at(0.99)];
}
