import type { DuckDBConnection } from '@duckdb/node-api';
import { comparer, compiler, type Dialect, loadDialect, quoteName } from '../compile.ts';
import { Deadline } from '../deadline.ts';
import { snapshotCompiler } from '../snapshots.ts';
import type { ReadOptions, Snapshots, Warehouse, WarehouseType } from '../warehouse.ts';
import { dbtSettings } from './dbt.ts';
import { failureOf } from './failure.ts';
import { DatabaseFile, type Lease } from './file.ts';
import { scratchName } from './hardening.ts';
import { prepareQuery } from './prepare.ts';
import { readRows } from './read.ts';
import { type Settings, settingsSchema } from './settings.ts';

/** An interrupt that meets DuckDB between two statements is lost, so it is sent again until the operation ends. */
const interruptEveryMs = 50;

export const warehouse: WarehouseType = {
  name: 'duckdb',
  summary: 'A DuckDB database file, opened read-only for each query.',
  schema: settingsSchema,
  example: 'path: ./demo/warehouse.duckdb',
  dbt: { types: ['duckdb'], settings: dbtSettings },
  scratchSetting: 'scratch_path',
  open: async (settings) => openWarehouse(settings as Settings),
};

function openWarehouse(settings: Settings): Warehouse {
  const file = new DatabaseFile(settings);
  const templates = loadDialect(import.meta.url, ['fragments', 'text']);
  const dialect = { templates, quote: quoteName };
  return {
    ...compiler(dialect),
    ...comparer(dialect),
    snapshots: settings.scratch_path === undefined ? undefined : openSnapshots(dialect, file),
    async check(options) {
      await once(file, options, async ({ connection }) => void (await connection.run('select 1')));
    },
    describe: (sql, options) => once(file, options, ({ connection }) => prepareQuery(connection, sql)),
    async *read(statement, options) {
      const operation = await begin(file, options);
      try {
        yield* readRows(operation.connection, templates, statement, operation.deadline);
      } catch (error) {
        throw operation.deadline.failure ?? failureOf(error, statement.sql);
      } finally {
        operation.end();
      }
    },
    close: async () => {},
  };
}

function openSnapshots(dialect: Dialect, file: DatabaseFile): Snapshots {
  return {
    ...snapshotCompiler(dialect, scratchName),
    write: ({ sql, params }, options) =>
      once(file, options, async ({ connection }) => void (await connection.run(sql, params.map(String)))),
  };
}

interface Operation {
  connection: DuckDBConnection;
  deadline: Deadline;
  end(): void;
}

async function begin(file: DatabaseFile, options: ReadOptions): Promise<Operation> {
  const deadline = new Deadline(options);
  let lease: Lease;
  try {
    lease = await file.lease(deadline);
  } catch (error) {
    deadline.dispose();
    throw error;
  }
  const { connection, release } = lease;
  let interrupting: NodeJS.Timeout | undefined;
  deadline.onStop(() => {
    connection.interrupt();
    interrupting = setInterval(() => connection.interrupt(), interruptEveryMs);
  });
  const end = () => {
    clearInterval(interrupting);
    deadline.dispose();
    release();
  };
  return { connection, deadline, end };
}

async function once<T>(
  file: DatabaseFile,
  options: ReadOptions,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const operation = await begin(file, options);
  try {
    const result = await work(operation);
    operation.deadline.check();
    return result;
  } catch (error) {
    throw operation.deadline.failure ?? failureOf(error, '');
  } finally {
    operation.end();
  }
}
