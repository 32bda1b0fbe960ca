import type { Project } from '../config/model.ts';
import { loadProject } from '../config/project.ts';
import { Engine } from '../engine/engine.ts';
import { settle } from '../engine/settle.ts';
import { openLog } from '../log.ts';
import { buildReport, toTable } from '../report/index.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { connectorsOf, copyProject, runScript } from './project.ts';
import { misfortunes, type Sandboxes, startSandboxes } from './sandboxes.ts';
import { tellDetours } from './story.ts';

export interface DemoOptions {
  /** The demo project is copied here; wiped first. */
  folder: string;
  print(line: string): void;
}

/** Longest that one round may take to settle; the whole demo is meant to end within a minute. */
const roundMs = 30_000;

/**
 * The main job from end to end on real parts: a DuckDB file, the embedded ledger, the vendors' sandboxes over HTTP.
 * Only the misfortunes are arranged; what becomes of them is read from the ledger.
 *
 * @returns exit code: 0 when every action is accounted for and none is left open
 */
export async function runDemo({ folder, print }: DemoOptions): Promise<number> {
  await copyProject(folder);
  await runScript(folder, 'warehouse.sql');
  const sandboxes = await startSandboxes(await connectorsOf(folder));
  const log = openLog(process.env.READBACK_LOG ?? 'silent');
  try {
    const env = { ...process.env, ...sandboxes.environment };
    const project = await loadProject(folder, { target: 'sandbox', env });
    for (const problem of project.problems) print(problem.format());
    const database = await openDatabase({ root: folder, log });
    try {
      await migrate(database.pool);
      const engine = await Engine.start({ project, database, log, role: 'run' });
      try {
        await live({ engine, project, database, sandboxes, folder, print });
      } finally {
        await engine.drain();
      }
      return await conclude(project, database, print);
    } finally {
      await database.close();
    }
  } finally {
    await sandboxes.close();
  }
}

interface Stage {
  engine: Engine;
  project: Project;
  database: Database;
  sandboxes: Sandboxes;
  folder: string;
  print(line: string): void;
}

/** Three days of a small company, in three polls. */
async function live(stage: Stage): Promise<void> {
  const { folder, print, project, sandboxes } = stage;
  print('A warehouse with 5,000 customers, 1,800 stock counts and 3,000 deals.');
  print('\nFirst poll: the baseline. Whoever meets a signal already is recorded; nothing is acted on.');
  await pollAll(stage);

  for (const { connection, fault, told } of misfortunes) {
    const connector = project.connections.get(connection)?.connector ?? '';
    sandboxes.running.get(connector)?.inject(fault);
    print(`${told === misfortunes[0]?.told ? '\nOn purpose: ' : '            '}${told}.`);
  }
  await runScript(folder, 'changes.sql');
  print('\nOvernight, scores and stock change. Second poll:');
  await pollAll(stage);

  await runScript(folder, 'recovery.sql');
  print('\nA delivery arrives in Lyon. Third poll:');
  await pollAll(stage);
}

async function pollAll({ engine, project, database, print }: Stage): Promise<void> {
  for (const signal of project.signals.values()) {
    const result = await engine.poll(signal);
    const counts =
      result.state === 'done'
        ? `${result.entered} entered, ${result.departed} left`
        : `${result.state}${result.reason ? `: ${result.reason}` : ''}`;
    print(`  ${signal.name}: ${result.members ?? 0} in the set, ${counts}`);
  }
  await settle(database.pool, { signals: [...project.signals.keys()], waitMs: roundMs });
}

async function conclude(
  project: Project,
  database: Database,
  print: (line: string) => void,
): Promise<number> {
  print('\nWhat went wrong, as the ledger has it:');
  await tellDetours(database.pool, print);
  const report = await buildReport(database.pool, {
    slas: new Map(
      [...project.signals.values()].flatMap((one) => (one.slaMs ? [[one.name, one.slaMs] as const] : [])),
    ),
  });
  print(`\n${toTable(report)}`);
  return report.totals.unaccounted === 0 && report.totals.in_flight === 0 ? 0 : 1;
}
