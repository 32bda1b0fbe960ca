import type { Apart } from './apart.ts';
import type { LedgerServer } from './ledger-server.ts';
import type { BenchOptions } from './options.ts';

/** What every measurement is given. */
export interface Bench {
  options: BenchOptions;
  server: LedgerServer;
  /** Starts a measured process, by the name of its file in this folder. */
  start(file: string, options: object, profile?: string | undefined): Promise<Apart>;
}

/** Writes to a DuckDB file in a process of its own, which lets go of it. */
export async function writeDuckDb({ start }: Bench, path: string, sql: string): Promise<void> {
  const writer = await start('write-warehouse.ts', { path, sql });
  await writer.ask('run');
  await writer.end();
}

export const warehouseKinds = ['duckdb', 'postgres'] as const;
export type WarehouseKind = (typeof warehouseKinds)[number];

/** The middle one; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
