import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestWarehouse {
  path: string;
  /** Runs SQL as the data team would: in a process of its own, with the file open only while it runs. */
  run(sql: string): Promise<void>;
  remove(): Promise<void>;
}

/** A DuckDB file in a folder of its own. */
export async function duckdbFile(): Promise<TestWarehouse> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-warehouse-'));
  const path = join(folder, 'warehouse.duckdb');
  // DuckDB's file lock holds between processes only, so a writer in this one would write under a reader's feet.
  let team: ChildProcess | undefined;
  return {
    path,
    run: async (sql) => {
      team ??= fork(fileURLToPath(new URL('./data-team.ts', import.meta.url)), [path]);
      team.send(sql);
      const [answer] = (await once(team, 'message')) as [{ problem?: string }];
      if (answer.problem) throw new Error(answer.problem);
    },
    remove: async () => {
      team?.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
