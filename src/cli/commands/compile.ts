import { relative } from 'node:path';
import type { Enrichment, Project, Signal } from '../../config/model.ts';
import { bucketCount } from '../../detect/digest.ts';
import { signalQuery } from '../../detect/poll.ts';
import type { Column, SignalQuery, Warehouse } from '../../warehouses/warehouse.ts';
import { writeArtifact } from '../artifacts.ts';
import type { CompareOptions, GlobalOptions } from '../options.ts';
import { print, remark } from '../output.ts';
import { selectSignals } from '../selection.ts';
import { openProject, remarkProblems } from '../session.ts';
import { openWarehouses, type Warehouses } from '../warehouses.ts';

/** A statement as the warehouse will get it. */
interface Compiled {
  path: string;
  about: string;
  sql: string;
}

/** `readback compile`: the SQL that will really run, on standard output and in `target/compiled`. */
export async function execute(options: GlobalOptions & CompareOptions): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const signals = await selectSignals(project, options);
  const warehouses = openWarehouses(project);
  try {
    const statements: Compiled[] = [];
    for (const signal of signals) statements.push(...(await compileSignal(signal, warehouses)));
    for (const enrichment of enrichmentsOf(project, signals)) {
      statements.push(await compileEnrichment(enrichment, keyOf(enrichment, project, signals), warehouses));
    }
    for (const { path, about, sql } of statements) {
      const file = await writeArtifact(project, `compiled/${path}`, `-- ${about}\n${sql}\n`);
      print(`-- ${relative(project.root, file)}: ${about}\n${sql};\n`);
    }
    remark(
      `${statements.length} statements in ${relative(process.cwd(), `${project.root}/target/compiled`)}`,
    );
    return 0;
  } finally {
    await warehouses.close();
  }
}

async function compileSignal(signal: Signal, warehouses: Warehouses): Promise<Compiled[]> {
  const warehouse = await warehouses.warehouse(signal.warehouse);
  const read = { timeoutMs: signal.timeoutMs };
  const query = await signalQuery(signal, warehouse, read);
  const key = await keyColumns(signal.key, signal.sql, signal, warehouses);
  const path = `signals/${signal.name}`;
  return [
    ...pollStatements(signal, warehouse, query, key).map((one) => ({ ...one, path: `${path}.${one.path}` })),
    {
      path: `${path}.lookup.sql`,
      about: 'before acting: the rows of a batch of keys',
      sql: warehouse.lookup(signal.sql, key, [sampleKey(key)]).sql,
    },
  ];
}

/** What a poll runs, by the signal's `diff`. */
function pollStatements(
  { diff }: Signal,
  warehouse: Warehouse,
  query: SignalQuery,
  key: Column[],
): Compiled[] {
  const members = warehouse.members(query, bucketCount).sql;
  if (diff === 'rows') return [{ path: 'members.sql', about: 'every poll: all members', sql: members }];
  const { snapshots } = warehouse;
  if (diff === 'warehouse' && snapshots) {
    const [taken, last] = ['readback_taken', 'readback_last'];
    return [
      {
        path: 'take.sql',
        about: 'every poll: a snapshot of the members, under a name of its own',
        sql: snapshots.take(taken, last, query, bucketCount).sql,
      },
      {
        path: 'differences.sql',
        about: 'then: who differs from the last snapshot',
        sql: snapshots.differences(taken, last, key.length).sql,
      },
    ];
  }
  const compared = warehouse.differences?.(query, key, bucketCount, [], []);
  return [
    {
      path: 'digest.sql',
      about: 'every poll: one row per bucket of keys, to see what changed',
      sql: warehouse.digest(query, bucketCount).sql,
    },
    ...(compared
      ? [
          {
            path: 'differences.sql',
            about: 'then: who in the changed buckets (none stand here) is not as the parameters say',
            sql: compared.sql,
          },
        ]
      : []),
    {
      path: 'members.sql',
      about: `then${compared ? ', where much has changed' : ''}: the members, of the changed buckets only once a set is known`,
      sql: members,
    },
  ];
}

async function compileEnrichment(
  enrichment: Enrichment,
  key: readonly string[],
  warehouses: Warehouses,
): Promise<Compiled> {
  const warehouse = await warehouses.warehouse(enrichment.warehouse);
  const columns = await keyColumns(key, enrichment.sql, enrichment, warehouses);
  return {
    path: `enrich/${enrichment.name}.lookup.sql`,
    about: 'before acting: the enrichment of a batch of keys',
    sql: warehouse.lookup(enrichment.sql, columns, [sampleKey(columns)]).sql,
  };
}

async function keyColumns(
  names: readonly string[],
  sql: string,
  { warehouse, timeoutMs }: { warehouse: string; timeoutMs: number },
  warehouses: Warehouses,
): Promise<Column[]> {
  const columns = await (await warehouses.warehouse(warehouse)).describe(sql, { timeoutMs });
  return names.flatMap((name) => columns.filter((column) => column.name === name));
}

/** Keys are parameters; what stands here does not show in the SQL. */
function sampleKey(columns: readonly Column[]): string[] {
  return columns.map(() => '');
}

function enrichmentsOf(project: Project, signals: readonly Signal[]): Enrichment[] {
  const names = new Set(signals.map((signal) => signal.name));
  const users = [...project.destinations.values()].filter((one) =>
    one.signals.some((name) => names.has(name)),
  );
  const used = new Set(users.flatMap((one) => one.enrich));
  return [...project.enrichments.values()].filter((one) => used.has(one.name));
}

/** An enrichment without a key of its own is asked by the key of the signal. */
function keyOf(enrichment: Enrichment, project: Project, signals: readonly Signal[]): readonly string[] {
  if (enrichment.key.length > 0) return enrichment.key;
  const user = [...project.destinations.values()].find((one) => one.enrich.includes(enrichment.name));
  return signals.find((signal) => user?.signals.includes(signal.name))?.key ?? [];
}
