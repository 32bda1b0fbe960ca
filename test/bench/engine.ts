import type { Project, Signal } from '../../src/config/model.ts';
import { loadProject } from '../../src/config/project.ts';
import type { PollResult } from '../../src/detect/poll.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Role } from '../../src/engine/role.ts';
import { openLog } from '../../src/log.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';

/** A project's engine as `readback run` has it. */
export interface Running {
  project: Project;
  database: Database;
  /** Polls a signal; anything but the expected end is an error. */
  poll(signal: string, expected: PollResult['state']): Promise<PollResult>;
  /** A warehouse as the engine has it. */
  warehouse(name: string): Promise<Warehouse>;
  close(): Promise<void>;
}

export interface RunningOptions {
  root: string;
  url: string;
  env: Record<string, string>;
  /** `run` if absent. */
  role?: Role;
}

export async function startEngine({ root, url, env, role = 'run' }: RunningOptions): Promise<Running> {
  const project = await loadProject(root, { env });
  if (project.problems.length > 0) throw new Error(project.problems.map((one) => one.format()).join('\n'));
  const log = openLog('warn');
  const database = await openDatabase({ url, root, log });
  await migrate(database.pool);
  const engine = await Engine.start({ project, database, log, role });
  return {
    project,
    database,
    poll: async (name, expected) => {
      const result = await engine.poll(project.signals.get(name) as Signal);
      if (result.state !== expected) throw new Error(`poll ${result.state}: ${result.reason}`);
      return result;
    },
    warehouse: (name) => engine.pipeline.openings.warehouse(name),
    close: async () => {
      await engine.drain();
      await database.close();
    },
  };
}
