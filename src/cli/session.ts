import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { loadProject } from '../config/index.ts';
import type { Project } from '../config/model.ts';
import { ReadbackError } from '../errors.ts';
import { type Log, openLog } from '../log.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { GlobalOptions } from './options.ts';
import { remark } from './output.ts';

/** The folder named by `--project`, or the nearest one upward that holds a readback.yml. */
export function findRoot(options: GlobalOptions): string {
  const start = resolve(options.project ?? '.');
  if (existsSync(join(start, 'readback.yml'))) return start;
  for (
    let folder = start;
    options.project === undefined && folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    if (existsSync(join(folder, 'readback.yml'))) return folder;
  }
  throw new ReadbackError(
    'CONFIG_FILE',
    `there is no readback.yml in ${start}${options.project ? '' : ' or above it'}`,
    {
      hint: 'Go to the project, name it with --project <dir>, or make one: readback init my-project',
    },
  );
}

/** Reads the project. What is wrong with it is in `problems`; the rest is usable. */
export function openProject(options: GlobalOptions): Promise<Project> {
  return loadProject(findRoot(options), options.target === undefined ? {} : { target: options.target });
}

/** Tells about broken files on standard error, for commands that go on with the sound ones. */
export function remarkProblems(project: Project): void {
  for (const problem of project.problems) remark(problem.format());
  if (project.problems.length > 0)
    remark(`${count(project.problems.length, 'problem')}; the rest of the project is used`);
}

export function openCommandLog(options: GlobalOptions, usual: 'warn' | 'info' = 'warn'): Log {
  return openLog(options.logLevel ?? process.env.READBACK_LOG ?? usual);
}

/** Opens the ledger, brings it up to date, and closes it when `use` is done. */
export async function withLedger<Result>(
  root: string,
  log: Log,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase({ url: process.env.READBACK_DATABASE_URL, root, log });
  try {
    await migrate(database.pool);
    return await use(database);
  } catch (error) {
    throw isReadOnly(error) ? replica(error) : error;
  } finally {
    await database.close();
  }
}

/** SQLSTATE `read_only_sql_transaction`. */
function isReadOnly(error: unknown): boolean {
  return (error as { code?: unknown }).code === '25006';
}

function replica(cause: unknown): ReadbackError {
  return new ReadbackError('LEDGER_UNREACHABLE', 'The ledger can only be read here: is it a replica?', {
    hint: 'report, trace, actions and status work there; for anything else READBACK_DATABASE_URL must lead to the primary.',
    cause,
  });
}

/** `1 signal`, `2 signals`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
